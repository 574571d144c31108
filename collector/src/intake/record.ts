import { BevisError } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import { encodeEnvelope } from '@bevis/shared/evidence/envelope'
import { toInstant } from '@bevis/shared/format'
import { formatEntry } from '@bevis/shared/log/entry'
import type { Transaction } from 'kysely'
import type { Appender } from '../log/log.ts'
import type { Logged, Projected } from '../projection/project.ts'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'
import type { Candidate } from './candidate.ts'
import { findKnown, findLast, findRevoked } from './known.ts'
import type { Place } from './known.ts'
import { tellRevoked } from './observe.ts'
import type { RepositoryWatch } from './observe.ts'
import type { Verified } from './verify.ts'

/** What one envelope has become after the transaction. */
export type Outcome =
  | { outcome: 'logged' | 'duplicate'; leafIndex: number; receivedAt: string }
  | { outcome: 'refused'; pae: string | null; code: ErrorCode; message: string }

/** Brings the derived tables up to new statements; see `projection/project.ts`. */
export type Project = (tx: Transaction<Schema>, batch: readonly Logged[]) => Promise<Projected[]>

/** A row with its bytes has some kilobytes: this bounds one INSERT. */
const INSERT_ROWS = 50

type Fresh = Logged & { readonly verified: Verified }

/**
 * Inside the transaction that appends: what is new gets its leaves, its row and its effects; what is known
 * keeps its place; what others have decided meanwhile is seen here and nowhere else. One outcome for each
 * candidate, in their order.
 */
export async function recordCandidates(
  appender: Appender,
  candidates: readonly Candidate[],
  { now, project, watch }: { now: Date; project: Project; watch: RepositoryWatch },
): Promise<Outcome[]> {
  const { tx } = appender
  const known = await findKnown(
    tx,
    candidates.flatMap(({ kind, pae }) => (kind === 'refused' ? [] : [pae])),
  )
  const revoked = await findRevoked(tx, candidates.flatMap(keyidsOf))
  const last = await findLast(tx)
  const time = toInstant(now)
  const receivedAt = time > last.receivedAt ? time : last.receivedAt // never back, whatever the clock does
  const fresh: Fresh[] = []
  const outcomes: Outcome[] = []
  for (const candidate of candidates) {
    const settled = await settle(candidate, { known, revoked, tx })
    if (settled !== null) {
      outcomes.push(settled)
      continue
    }
    const { pae: paeDigest, verified } = candidate as Candidate & { kind: 'verified' }
    const id = last.id + fresh.length + 1
    const leafIndex = addLeaves(appender, id, verified)
    fresh.push({ ...verified, id, leafIndex, paeDigest, receivedAt, verified })
    known.set(paeDigest, { leafIndex, receivedAt, counted: true })
    outcomes.push({ outcome: 'logged', leafIndex, receivedAt })
  }
  const uncounted = await insertStatements(tx, fresh, await project(tx, fresh))
  await watch(tx, fresh)
  const refusedKeys = outcomes.flatMap((outcome, n) =>
    'code' in outcome && outcome.code === 'AGENT_REVOKED' ? signersOf(candidates[n]) : [],
  )
  await tellRevoked(tx, refusedKeys, receivedAt)
  return outcomes.map((outcome) => {
    const pae = 'leafIndex' in outcome ? uncounted.get(outcome.leafIndex) : undefined
    return pae === undefined ? outcome : equivocation(pae)
  })
}

/** The outcome of a candidate that gets no leaf; null for one that does. */
async function settle(
  candidate: Candidate,
  seen: { known: ReadonlyMap<string, Place>; revoked: ReadonlySet<string>; tx: Transaction<Schema> },
): Promise<Outcome | null> {
  if (candidate.kind === 'refused') {
    const { pae, code, message } = candidate
    return { outcome: 'refused', pae, code, message }
  }
  const { pae } = candidate
  const place = seen.known.get(pae)
  if (place !== undefined) {
    const { counted, ...rest } = place
    return counted ? { outcome: 'duplicate', ...rest } : equivocation(pae)
  }
  if (candidate.kind === 'known')
    throw new BevisError('LOG_INCONSISTENT', `statement ${pae} has left the log`)
  if (keyidsOf(candidate).some((keyid) => seen.revoked.has(keyid))) {
    return { outcome: 'refused', pae, code: 'AGENT_REVOKED', message: 'the key was revoked a moment ago' }
  }
  try {
    await candidate.admit?.(seen.tx)
    return null
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    return { outcome: 'refused', pae, code: error.code, message: error.message }
  }
}

function equivocation(pae: string): Outcome {
  const message = 'another statement has this agent, epoch and number: it is logged and does not count'
  return { outcome: 'refused', pae, code: 'STATEMENT_EQUIVOCATION', message }
}

function keyidsOf(candidate: Candidate): string[] {
  return candidate.kind === 'verified' ? candidate.verified.signatures.map(({ keyid }) => keyid) : []
}

function signersOf(candidate: Candidate | undefined): string[] {
  if (candidate === undefined) return []
  if (candidate.kind === 'refused') return candidate.keyid === undefined ? [] : [candidate.keyid]
  return keyidsOf(candidate)
}

/** One leaf per signature; returns the first one's index. */
function addLeaves(appender: Appender, statementId: number, { opened, signatures }: Verified): number {
  const first = appender.next
  for (const [n, { spki }] of signatures.entries()) {
    const signature = opened.signatures[n]?.sig ?? new Uint8Array()
    const entry = formatEntry({ paeDigest: opened.paeDigest, signature, spki })
    appender.add({ entry, statementId, signatureNo: n })
  }
  return first
}

/** Returns the equivocations among them: leaf index to PAE digest. */
async function insertStatements(
  tx: Transaction<Schema>,
  fresh: readonly Fresh[],
  projected: readonly Projected[],
): Promise<Map<number, string>> {
  const rows = fresh.flatMap(({ id, leafIndex, paeDigest, receivedAt, verified: { opened } }, n) => {
    const columns = projected[n]
    if (columns === undefined) return []
    const { payload } = opened
    const envelope = encodeEnvelope(opened.envelope)
    const own = {
      id,
      leaf_index: leafIndex,
      pae_digest: paeDigest,
      payload,
      envelope,
      received_at: receivedAt,
    }
    return { ...own, ...columns }
  })
  for (const chunk of chunksOf(rows, INSERT_ROWS)) await tx.insertInto('statement').values(chunk).execute()
  return new Map(rows.filter((row) => row.counted === 0).map((row) => [row.leaf_index, row.pae_digest]))
}
