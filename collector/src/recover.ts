/**
 * The way back for a log whose database was restored from an old backup: agents send again what they have receipts
 * for, the collector's own entries come from their file, and when every leaf is there again and gives the root that
 * was signed, the log goes on as if nothing had happened. Nothing is signed on the way.
 */
import { BevisError } from '@bevis/shared/error'
import { decodeBase64 } from '@bevis/shared/base64'
import { assertSignature, openEnvelope } from '@bevis/shared/evidence/envelope'
import { rotatedKeyOf } from '@bevis/shared/evidence/rotation'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import { formatEntryOf } from '@bevis/shared/log/entry'
import { leafHash, verifyInclusion } from '@bevis/shared/log/merkle'
import { parseProof } from '@bevis/shared/log/proof'
import type { Replayed, ReplayResponse } from '@bevis/shared/wire'
import type { Insertable, Selectable, Transaction } from 'kysely'
import { watchRepositories } from './intake/observe.ts'
import { recordCandidates } from './intake/record.ts'
import type { Verified } from './intake/verify.ts'
import { bringStamp, bringText } from './log/bring-own.ts'
import type { Appender, Log } from './log/log.ts'
import { replayRowOf, stageHead, stageOwn } from './log/staging.ts'
import type { Enrolment, Kept } from './log/staging.ts'
import { project } from './projection/project.ts'
import { settleRequests } from './request/settle.ts'
import type { LogReplayTable, Schema } from './store/schema.ts'
import type { Store } from './store/store.ts'

export interface Recover {
  /**
   * Takes what an agent sends again. Each statement comes with its proof under a head that this log signed, so
   * nobody can bring in what was not there.
   * @throws BevisError NOT_FOUND when nothing is missing; CHECKPOINT_INVALID, PROOF_INVALID
   */
  replay(statements: readonly Replayed[]): Promise<ReplayResponse>
  /** What is missing, and from where to where; null when nothing is. */
  missing(): Promise<ReplayResponse | null>
}

type ReplayRow = Selectable<LogReplayTable>

const PIECE = 200

/** A receipt may be this far ahead of us. No leaf holds its time, and what is logged later is never dated before it. */
const AHEAD_MS = 5 * 60_000

export function openRecover({ store, log, now }: { store: Store; log: Log; now: () => Date }): Recover {
  async function replay(statements: readonly Replayed[]): Promise<ReplayResponse> {
    const seen = statements.map((one) => examine(one))
    const newest = seen.map(({ head }) => head).toSorted((a, b) => b.size - a.size)[0]
    if (newest !== undefined) await log.adopt(newest)
    const target = await log.lost()
    if (target === null) throw new BevisError('NOT_FOUND', 'nothing is missing from this log')
    const { from, to } = target
    const lost = seen.filter(({ row }) => row.leaf_index >= from && row.leaf_index < to.size)
    await store.write(async (tx) => {
      for (const { row, head } of lost) {
        // Its proof says that this place is its own, whatever else may claim it.
        await tx
          .insertInto('log_replay')
          .values(row)
          .onConflict((c) => c.column('leaf_index').doUpdateSet(row))
          .execute()
        if (head.size <= from || head.size >= to.size) continue
        await stageHead(tx, head.size, head.note)
      }
    })
    return (await complete(from, to)) ?? { from, to: to.size, missing: 0 }
  }

  /** A statement with its proof: its place, and the head that proves it. */
  function examine(given: Replayed): { row: Insertable<LogReplayTable>; head: Checkpoint } {
    const opened = openEnvelope(given.envelope)
    const { index, hashes, checkpoint } = parseProof(given.proof)
    const head = log.open(checkpoint)
    const [signature] = opened.signatures
    const entry = formatEntryOf({
      paeDigest: opened.paeDigest,
      signature: signature?.sig ?? new Uint8Array(),
      keyid: signature?.keyid ?? '',
    })
    const isThere = verifyInclusion({
      index,
      size: head.size,
      leafHash: leafHash(entry),
      proof: hashes,
      root: head.root,
    })
    if (!isThere)
      throw new BevisError('PROOF_INVALID', `the proof of leaf ${index} does not lead to its root`)
    if (Date.parse(given.receivedAt) > now().getTime() + AHEAD_MS)
      throw new BevisError(
        'REQUEST_INVALID',
        `leaf ${index} was received at ${given.receivedAt}, in the future`,
      )
    const enrolment: Enrolment | null =
      given.keys === undefined ? null : { keys: given.keys, contracts: given.contracts ?? [] }
    return { head, row: replayRowOf(index, opened, given.receivedAt, '', enrolment) }
  }

  /** Puts the log together if every leaf is there; tells what is missing otherwise. */
  async function complete(from: number, to: Checkpoint): Promise<ReplayResponse | null> {
    await stageOwn(store, log, from, to.size)
    const missing = await countMissing(from, to.size)
    if (missing > 0) return { from, to: to.size, missing }
    await log.recover(async (appender) => {
      await bringHeads(appender.tx)
      await bringStatements(appender, from)
      await appender.tx.deleteFrom('log_replay').execute()
      await appender.tx.deleteFrom('log_replay_head').execute()
    })
    return null
  }

  /** Leaves that nobody has brought; where statements overlap, one of them is not of this log, and all is missing. */
  async function countMissing(from: number, to: number): Promise<number> {
    const rows = await store.db
      .selectFrom('log_replay')
      .select(['leaf_index', 'leaves'])
      .where('leaf_index', '>=', from)
      .where('leaf_index', '<', to)
      .orderBy('leaf_index')
      .execute()
    let [next, missing] = [from, 0]
    for (const { leaf_index: index, leaves } of rows) {
      missing += Math.max(0, index - next)
      next = Math.max(next, index + leaves)
    }
    return missing + Math.max(0, to - next)
  }

  async function bringStatements(appender: Appender, from: number): Promise<void> {
    const watch = watchRepositories()
    const { tx } = appender
    for (let next = from; ;) {
      const rows = await tx
        .selectFrom('log_replay')
        .selectAll()
        .where('leaf_index', '>=', next)
        .orderBy('leaf_index')
        .limit(PIECE)
        .execute()
      const [first] = rows
      if (first === undefined) return
      const { stamp, text }: Kept = first.own === null ? {} : (JSON.parse(first.own) as Kept)
      if (stamp !== undefined) {
        await bringStamp(appender, log, stamp, first.received_at)
        next = assertPlaced(appender, first)
        continue
      }
      if (text !== undefined) await bringText(tx, first.tenant, text)
      // What came together is recorded together, as it was then; by itself what brings its key, or more.
      const isAlone = (row: ReplayRow): boolean => row.enrolment !== null || row.own !== null
      const same = rows.findIndex(
        (row, n) => row.received_at !== first.received_at || (n > 0 && (isAlone(row) || isAlone(first))),
      )
      const batch = same < 0 ? rows : rows.slice(0, same)
      const candidates = []
      for (const row of batch) {
        const verified = await verify(tx, row)
        candidates.push({ kind: 'verified' as const, pae: verified.opened.paeDigest, verified })
      }
      await recordCandidates(appender, candidates, {
        now: new Date(first.received_at),
        project: (inner, logged) => project(inner, logged, log),
        watch: async (inner, fresh) => {
          await watch(inner, fresh)
          await settleRequests(inner, fresh)
        },
      })
      next = assertPlaced(appender, ...batch)
    }
  }

  function assertPlaced(appender: Appender, ...batch: readonly ReplayRow[]): number {
    const next = Math.max(...batch.map((row) => row.leaf_index + row.leaves))
    if (appender.next === next) return next
    throw new BevisError(
      'LOG_INCONSISTENT',
      `what was at leaf ${batch[0]?.leaf_index ?? next} does not fit its place`,
    )
  }

  /** That it may stand in the log was decided when it came; here only its signatures and its keys are needed. */
  async function verify(tx: Transaction<Schema>, row: Insertable<LogReplayTable>): Promise<Verified> {
    const opened = openEnvelope(JSON.parse(row.envelope))
    const statement = parseStatement(opened.payload)
    const enrolment = row.enrolment === null ? null : (JSON.parse(row.enrolment ?? '{}') as Enrolment)
    const signatures = []
    for (const [n, { keyid }] of opened.signatures.entries()) {
      const given = enrolment?.keys[n] ?? (n === 0 ? newKeyIn(statement) : undefined)
      const spki = given === undefined ? await findSpki(tx, keyid) : decodeBase64(given)
      if (spki === undefined) throw new BevisError('AGENT_UNKNOWN', `nothing here has the key ${keyid}`)
      assertSignature(opened, n, spki)
      signatures.push({ keyid, spki })
    }
    if (enrolment !== null) await bringInvitation(tx, statement, signatures[1], enrolment, row.received_at)
    return { opened, statement, signatures, eventTenant: row.tenant }
  }

  async function findSpki(tx: Transaction<Schema>, keyid: string): Promise<Uint8Array | undefined> {
    const row = await tx.selectFrom('agent_key').select('spki').where('keyid', '=', keyid).executeTakeFirst()
    return row?.spki
  }

  /** An invitation that was lost with the database; its contracts are what the agent was told that they are. */
  async function bringInvitation(
    tx: Transaction<Schema>,
    statement: Statement,
    token: { keyid: string; spki: Uint8Array } | undefined,
    { contracts }: Enrolment,
    receivedAt: string,
  ): Promise<void> {
    if (token === undefined || !isEvidence(statement, 'agent-lifecycle')) return
    const { chain, host } = statement.predicate
    const own = await tx
      .selectFrom('contract')
      .select('id')
      .where('tenant', '=', chain.tenant)
      .where('id', 'in', [...contracts, ''])
      .execute()
    await tx
      .insertInto('invitation')
      .values({
        ...token,
        tenant: chain.tenant,
        agent: chain.agent,
        host,
        contracts: JSON.stringify(own.map(({ id }) => id)),
        created_at: receivedAt,
        expires_at: receivedAt,
        used_at: null,
      })
      .onConflict((c) => c.doNothing())
      .execute()
  }

  /** Heads that were signed on the way, as agents have them: statements embed them. */
  async function bringHeads(tx: Transaction<Schema>): Promise<void> {
    for (const { note } of await tx.selectFrom('log_replay_head').selectAll().execute()) {
      const { size, root } = log.open(note)
      const last = await tx
        .selectFrom('log_replay')
        .select('received_at')
        .where('leaf_index', '<', size)
        .orderBy('leaf_index', 'desc')
        .limit(1)
        .executeTakeFirstOrThrow()
      await tx
        .insertInto('log_checkpoint')
        .values({ size, root, note, signed_at: last.received_at })
        .execute()
    }
  }

  return {
    replay,
    missing: async () => {
      const target = await log.lost()
      if (target === null) return null
      return complete(target.from, target.to)
    },
  }
}

/** The key that a rotation brings; of others, the keys are known. */
function newKeyIn(statement: Statement): string | undefined {
  if (!isEvidence(statement, 'agent-lifecycle') || statement.predicate.event !== 'rotated') return undefined
  return rotatedKeyOf(statement.predicate)
}
