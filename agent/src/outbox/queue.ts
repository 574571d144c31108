import type { ErrorCode } from '@bevis/shared/error'
import type { State } from '../state.ts'

/** A signed statement on its way. */
export interface Queued {
  readonly epoch: number
  readonly seq: number
  readonly paeDigest: string
  readonly name: string
  readonly createdAt: string
  /** DSSE, compact JSON. */
  readonly envelope: string
}

/** Logged statements that are kept with their proofs, for `evidence list` and `evidence show`. */
const KEPT_LOGGED = 1_000
/**
 * All that are younger than this are kept too: a log that is restored from a backup is made whole again by what its
 * agents have kept, and nobody's newest backup should be older.
 */
const KEPT_MS = 35 * 86_400_000

/**
 * The oldest signed statements that have no receipt: at most `limit`, and at most `bytes` of envelopes (but one). Those
 * whose envelope has `tooLarge` bytes or more are passed by.
 */
export function nextBatch(state: State, limit: number, bytes: number, tooLarge = Infinity): Queued[] {
  const rows = state
    .sql<[], Queued>(
      `select epoch, seq, pae_digest as paeDigest, name, created_at as createdAt, envelope
       from statement where state = 'signed' order by epoch, seq`,
    )
    .iterate()
  const batch: Queued[] = []
  let length = 0
  for (const row of rows) {
    const rowBytes = Buffer.byteLength(row.envelope)
    // What opens an epoch may bring the key of those behind it: they come once it is in the log.
    if (opensEpoch(row) && (batch.length > 0 || rowBytes >= tooLarge)) break
    if (rowBytes >= tooLarge) continue
    length += rowBytes + 1
    if (batch.length > 0 && length > bytes) break
    batch.push(row)
    if (opensEpoch(row) || batch.length === limit) break
  }
  return batch
}

/** The first epoch's is the enrolment, which goes its own way. */
function opensEpoch({ epoch, seq }: Queued): boolean {
  return seq === 1 && epoch > 1
}

/** Its receipt has been verified: the row is done. Inside a transaction. */
export function markLogged(state: State, row: Queued, receivedAt: string, proof: string): void {
  state
    .sql<[string, string, number, number], never>(
      `update statement set state = 'logged', received_at = ?, proof = ? where epoch = ? and seq = ?`,
    )
    .run(receivedAt, proof, row.epoch, row.seq)
}

/** The collector will never take it: it is kept, and shown with the reason. Inside a transaction. */
export function markRefused(state: State, row: Queued, code: ErrorCode, message: string): void {
  state
    .sql<[string, string, number, number], never>(
      `update statement set state = 'refused', code = ?, message = ? where epoch = ? and seq = ?`,
    )
    .run(code, message, row.epoch, row.seq)
}

/** Drops old logged statements beyond the newest thousand; what was refused stays. Inside a transaction. */
export function pruneLogged(state: State, now: Date): void {
  const oldest = state
    .sql<[number], { epoch: number; seq: number }>(
      `select epoch, seq from statement where state = 'logged' order by epoch desc, seq desc limit 1 offset ?`,
    )
    .get(KEPT_LOGGED)
  if (oldest === undefined) return
  state
    .sql<[number, number, string], never>(
      `delete from statement where state = 'logged' and (epoch, seq) <= (?, ?) and received_at < ?`,
    )
    .run(oldest.epoch, oldest.seq, new Date(now.getTime() - KEPT_MS).toISOString())
}

/** How much waits, and since when. */
export interface Spool {
  readonly depth: number
  readonly oldestAt: string | null
  readonly refused: number
}

export function readSpool(state: State): Spool {
  const waiting = state
    .sql<[], { depth: number; oldestAt: string | null }>(
      `select count(*) as depth, min(created_at) as oldestAt from statement where state in ('prepared', 'signed')`,
    )
    .get()
  const refused = state
    .sql<[], { n: number }>(`select count(*) as n from statement where state = 'refused'`)
    .get()
  return { depth: waiting?.depth ?? 0, oldestAt: waiting?.oldestAt ?? null, refused: refused?.n ?? 0 }
}

/** A statement as it stands in the outbox. */
export interface Kept {
  readonly epoch: number
  readonly seq: number
  readonly paeDigest: string
  readonly name: string
  readonly createdAt: string
  readonly state: 'prepared' | 'signed' | 'logged' | 'refused'
  readonly receivedAt: string | null
  readonly code: string | null
  readonly message: string | null
}

const KEPT_COLUMNS = `epoch, seq, pae_digest as paeDigest, name, created_at as createdAt, state,
  received_at as receivedAt, code, message`

/** What the collector refused for good, newest first. */
export function listRefused(state: State, limit: number): Kept[] {
  return state
    .sql<[number], Kept>(
      `select ${KEPT_COLUMNS} from statement where state = 'refused' order by epoch desc, seq desc limit ?`,
    )
    .all(limit)
}

/** The newest statements, newest first. */
export function listKept(state: State, limit: number): Kept[] {
  return state
    .sql<[number], Kept>(`select ${KEPT_COLUMNS} from statement order by epoch desc, seq desc limit ?`)
    .all(limit)
}

/** One statement with its bytes, by the beginning of its digest. All that fit, so that the caller sees doubt. */
export function findKept(
  state: State,
  prefix: string,
): (Kept & { payload: Uint8Array; envelope: string | null; proof: string | null })[] {
  return state
    .sql<[string], Kept & { payload: Uint8Array; envelope: string | null; proof: string | null }>(
      `select ${KEPT_COLUMNS}, payload, envelope, proof from statement where pae_digest glob ? || '*' limit 2`,
    )
    .all(prefix)
}

/** Where a statement of this place has its digest, or null. */
export function digestAt(state: State, epoch: number, seq: number): string | null {
  const row = state
    .sql<[number, number], { digest: string }>(
      'select pae_digest as digest from statement where epoch = ? and seq = ?',
    )
    .get(epoch, seq)
  return row?.digest ?? null
}
