/**
 * Has the log's heads stamped by outside clocks: the first of each hour in which something was logged, by every
 * authority, and whatever a pack is made of. Tokens are leaves of the log, so the next stamp vouches for them too.
 * Nothing waits for it: intake goes on whatever an authority does.
 */
import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import { parseVkey } from '@bevis/shared/log/checkpoint'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { formatStampEntry } from '@bevis/shared/time/entry'
import { stampedDigest } from '@bevis/shared/time/query'
import type { Timestamp } from '@bevis/shared/time/timestamp'
import type { Log } from '../log/log.ts'
import { listStamps, listTsas } from '../store/read/stamps.ts'
import type { StampLine } from '../store/read/stamps.ts'
import type { Store } from '../store/store.ts'
import { askForStamp } from './ask.ts'
import type { Authority } from './ask.ts'

const HOUR_MS = 3_600_000
/** How long one authority may take for one answer. */
const ANSWER_MS = 15_000
/** After failures it is asked again later and later, but at least this often. */
const RETRY_MAX_MS = 30 * 60_000
/** A failure that lasts is told once it is older. */
const ALARM_AFTER_MS = HOUR_MS
/** Tokens are stamped anew while their certificates are good for this long still. */
const RENEW_BEFORE_MS = 30 * 24 * HOUR_MS

export interface Stamped {
  readonly url: string
  readonly size: number
  readonly leafIndex: number
  readonly stamp: Timestamp
}

export interface StampFailure {
  readonly url: string
  readonly error: BevisError
}

export interface Stamping {
  readonly stamped: readonly Stamped[]
  readonly failures: readonly StampFailure[]
}

export interface Stamper {
  /** Asks those authorities whose stamp is due; one that fails keeps none from the others. */
  stampIfDue(): Promise<Stamping>
  /**
   * The head for a pack, stamped: the newest one, or one of this hour after which nothing but tokens was logged.
   * Bounded in time; what failed is among the failures, and the head is good all the same.
   */
  stampHead(): Promise<Stamping & { head: Checkpoint }>
}

export function openStamper(parts: {
  store: Store
  log: Log
  authorities: readonly Authority[]
  now: () => Date
}): Stamper {
  const { store, log, authorities, now } = parts
  const key = parseVkey(log.vkey)

  async function stamp(authority: Authority, head: Checkpoint): Promise<Stamped> {
    const { url } = authority
    try {
      const { token, stamp: said } = await askForStamp(authority, stampedDigest(head.note, key), ANSWER_MS)
      const leafIndex = await logToken(url, head, token, said)
      await remember(url, null)
      return { url, size: head.size, leafIndex, stamp: said }
    } catch (error) {
      if (error instanceof BevisError && isTheirs(error)) await remember(url, error)
      throw error
    }
  }

  /** The token becomes the next leaf, in one transaction with its row; nobody else has a copy of it. */
  async function logToken(
    url: string,
    { size, note }: Checkpoint,
    token: Uint8Array,
    said: Timestamp,
  ): Promise<number> {
    const { result } = await log.append(async (appender) => {
      const { tx } = appender
      const receivedAt = toInstant(now())
      const leafIndex = appender.add({ entry: formatStampEntry(token), statementId: null, signatureNo: 0 })
      const { genTime: gen_time, accuracyMs: accuracy_ms, validUntil: valid_until, authority } = said
      const row = { leaf_index: leafIndex, size, token, url, gen_time, accuracy_ms, valid_until, authority }
      await tx
        .insertInto('log_stamp')
        .values({ ...row, received_at: receivedAt })
        .execute()
      const { genTime, accuracyMs, validUntil, authority: by } = said
      const stamp = {
        head: note,
        token: encodeBase64(token),
        url,
        genTime,
        accuracyMs,
        validUntil,
        authority: by,
      }
      await log.keepOwn([{ index: leafIndex, receivedAt, stamp }])
      return leafIndex
    })
    return result
  }

  async function remember(url: string, failure: BevisError | null): Promise<void> {
    const at = toInstant(now())
    await store.write(async (tx) => {
      const before = await tx.selectFrom('tsa').selectAll().where('url', '=', url).executeTakeFirst()
      const failed_since = failure === null ? null : (before?.failed_since ?? at)
      const row = {
        asked_at: at,
        stamped_at: failure === null ? at : (before?.stamped_at ?? null),
        failed_since,
        failure: failure === null ? null : errorMessageOf(failure).slice(0, 500),
      }
      await tx
        .insertInto('tsa')
        .values({ url, ...row })
        .onConflict((conflict) => conflict.column('url').doUpdateSet(row))
        .execute()
      if (failed_since === null || Date.parse(at) - Date.parse(failed_since) < ALARM_AFTER_MS) return
      const detail = JSON.stringify({ url, since: failed_since, reason: row.failure })
      await tx
        .insertInto('alarm')
        .values({
          ...{ id: `tsa-down/${url}/${failed_since}`, kind: 'tsa-down' },
          ...{ tenant: '', agent: null, statement_id: null, at, detail },
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }

  async function stampIfDue(): Promise<Stamping> {
    if (log.trouble !== null || authorities.length === 0) return { stamped: [], failures: [] }
    const stamps = await listStamps(store.db)
    const tsas = new Map((await listTsas(store.db)).map((row) => [row.url, row]))
    const time = now().getTime()
    const due: Authority[] = []
    for (const authority of authorities) {
      const own = stamps.filter(({ url }) => url === authority.url)
      const row = tsas.get(authority.url)
      if (row !== undefined && row.failed_since !== null && time < retryAt(row.failed_since, row.asked_at))
        continue
      if ((await isDue(own, time)) || isRenewalDue(own, time)) due.push(authority)
    }
    return due.length === 0 ? { stamped: [], failures: [] } : all(due, await log.head())
  }

  /** Once in an hour, and only for what is more than tokens. */
  async function isDue(own: readonly StampLine[], time: number): Promise<boolean> {
    const last = own.at(-1)
    if (last !== undefined && hourOf(Date.parse(last.received_at)) === hourOf(time)) return false
    return hasStatementsFrom(last?.size ?? 0)
  }

  async function hasStatementsFrom(size: number): Promise<boolean> {
    const row = await store.db
      .selectFrom('log_leaf')
      .select('leaf_index')
      .where('leaf_index', '>=', size)
      .where('statement_id', 'is not', null)
      .limit(1)
      .executeTakeFirst()
    return row !== undefined
  }

  async function all(asked: readonly Authority[], head: Checkpoint): Promise<Stamping> {
    const stamped: Stamped[] = []
    const failures: StampFailure[] = []
    if (head.size === 0) return { stamped, failures }
    await Promise.all(
      asked.map(async (authority) => {
        try {
          stamped.push(await stamp(authority, head))
        } catch (error) {
          if (!(error instanceof BevisError)) throw error
          failures.push({ url: authority.url, error })
        }
      }),
    )
    return { stamped, failures }
  }

  async function stampHead(): Promise<Stamping & { head: Checkpoint }> {
    const newest = await log.head()
    if (authorities.length === 0 || log.trouble !== null) return { stamped: [], failures: [], head: newest }
    const last = (await listStamps(store.db)).findLast(
      ({ received_at }) => now().getTime() - Date.parse(received_at) < HOUR_MS,
    )
    if (last !== undefined && !(await hasStatementsFrom(last.size))) {
      const head = await log.headAt(last.size)
      if (head !== null) return { stamped: [], failures: [], head }
    }
    return { ...(await all(authorities, newest)), head: newest }
  }

  return { stampIfDue, stampHead }
}

/** What an authority or the way to it has done; a log that refuses to sign is not its fault. */
function isTheirs({ code }: BevisError): boolean {
  return code === 'TSA_UNREACHABLE' || code === 'TIMESTAMP_INVALID'
}

function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS)
}

/** As long again as it has been failing. */
function retryAt(failedSince: string, askedAt: string): number {
  const failing = Date.parse(askedAt) - Date.parse(failedSince)
  return Date.parse(askedAt) + Math.min(failing, RETRY_MAX_MS)
}

/** The newest token of a clock ends soon, and nothing was stamped since that would renew it. */
function isRenewalDue(own: readonly StampLine[], time: number): boolean {
  const last = own.at(-1)
  if (last === undefined) return false
  const soon = Date.parse(last.valid_until) - time < RENEW_BEFORE_MS
  // Daily while it ends soon: by then the authority signs with a newer certificate.
  return soon && time - Date.parse(last.received_at) >= 24 * HOUR_MS
}
