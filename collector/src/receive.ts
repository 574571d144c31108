/**
 * The way of evidence into the log: bytes, envelope, known already?, key, signature, agent, statement, chain;
 * then one durable transaction for log, projection and signed head; then the head in its separate file; and
 * only then the answer, which proves what it says. (Evidence specification: DSSE, in-toto, RFC 6962.)
 */
import { BevisError, ERRORS, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import { encodeEnvelope, openEnvelope } from '@bevis/shared/evidence/envelope'
import type { OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import { toInstant } from '@bevis/shared/format'
import { formatEntry } from '@bevis/shared/log/entry'
import type { Answer, EnrolRequest, EnrolResponse, EvidenceResponse } from '@bevis/shared/wire'
import type { Kysely, Transaction } from 'kysely'
import { assertEnrollable, verifyEnrolment } from './intake/enrolment.ts'
import { groupCommit } from './intake/group-commit.ts'
import { loadKeyring } from './intake/keyring.ts'
import { verifyEvidence } from './intake/verify.ts'
import type { Verified } from './intake/verify.ts'
import type { Appended, Appender, Log } from './log/log.ts'
import { project } from './projection/project.ts'
import type { Logged } from './projection/project.ts'
import { findStatement } from './store/read/statements.ts'
import { chunksOf } from './store/rows.ts'
import type { Schema } from './store/schema.ts'
import type { Store } from './store/store.ts'

/** Statements in one transaction: more would keep the first of them waiting. */
const GROUP_LIMIT = 2_000
/** Statements rarely have more than one row in 20 KB; this bounds one INSERT's size. */
const INSERT_ROWS = 50

export interface Receive {
  /**
   * Takes a batch of envelopes; one answer for each, in their order.
   * @throws BevisError when nothing could be decided: LOG_ROLLED_BACK, LOG_INCONSISTENT, STORE_FAILED
   */
  evidence(batch: { from: number; envelopes: readonly unknown[] }): Promise<EvidenceResponse>
  /** Takes an enrolment. @throws BevisError with the reason of its refusal */
  enrol(request: EnrolRequest): Promise<EnrolResponse>
  /** Logs, in one transaction, statements that the collector's own office signed. */
  office(events: readonly Verified[]): Promise<void>
}

/** What one envelope has become before the transaction. */
type Candidate =
  | {
      readonly kind: 'refused'
      readonly pae: string | null
      readonly code: ErrorCode
      readonly message: string
    }
  | { readonly kind: 'known'; readonly pae: string }
  | {
      readonly kind: 'verified'
      readonly pae: string
      readonly verified: Verified
      /** Checks what only the transaction can see. */
      readonly admit?: (tx: Transaction<Schema>) => Promise<void>
    }

/** What one envelope has become after it. */
type Place = { leafIndex: number; receivedAt: string; outcome: 'logged' | 'duplicate' }
type Outcome = Place | { outcome: 'refused'; pae: string | null; code: ErrorCode; message: string }
type Committed = Pick<Appended<unknown>, 'head' | 'read'> & { outcomes: readonly Outcome[] }

export function openReceive(parts: { store: Store; log: Log; now: () => Date }): Receive {
  const { store, log, now } = parts

  const queue = groupCommit<Candidate, Committed>(async (submissions) => {
    const { result, head, read } = await log.append((appender) => logCandidates(appender, submissions.flat()))
    let at = 0
    return submissions.map(({ length }) => ({ head, read, outcomes: result.slice(at, (at += length)) }))
  }, GROUP_LIMIT)

  async function evidence(batch: { from: number; envelopes: readonly unknown[] }): Promise<EvidenceResponse> {
    if (log.trouble !== null) throw log.trouble
    const candidates = await examine(batch.envelopes)
    const { head, read, outcomes } = await queue.submit(candidates)
    const consistency = await log.consistency(batch.from, head, read)
    const answers: Answer[] = []
    for (const [n, outcome] of outcomes.entries()) {
      if (outcome.outcome === 'refused') {
        answers.push({ ...outcome, status: ERRORS[outcome.code].http })
        continue
      }
      const { leafIndex, ...said } = outcome
      answers.push({ ...said, pae: candidates[n]?.pae ?? '', proof: await log.proof(leafIndex, head, read) })
    }
    return { checkpoint: head.note, consistency, answers }
  }

  async function enrol(request: EnrolRequest): Promise<EnrolResponse> {
    if (log.trouble !== null) throw log.trouble
    const opened = openEnvelope(request.envelope)
    const verified = await verifyEnrolment(store.db, opened, request.key)
    const known = await findStatement(store.db, { all: true }, { pae: opened.paeDigest })
    if (known !== undefined && known.envelope !== encodeEnvelope(opened.envelope)) {
      throw new BevisError(
        'ENROLMENT_REFUSED',
        'this enrolment is in the log by another token: send that one',
      )
    }
    const candidate: Candidate = known
      ? { kind: 'known', pae: opened.paeDigest }
      : {
          kind: 'verified',
          pae: opened.paeDigest,
          verified,
          admit: (tx) => assertEnrollable(tx, verified, now()),
        }
    const { head, read, outcomes } = await queue.submit([candidate], true)
    const [outcome] = outcomes
    if (outcome === undefined || outcome.outcome === 'refused') {
      throw new BevisError(outcome?.code ?? 'INTERNAL', outcome?.message ?? 'no outcome')
    }
    const { tenant, agent } = verified.enrolled.chain
    const { leafIndex, receivedAt } = outcome
    const proofs = [await log.proof(leafIndex, head, read), await log.proof(leafIndex + 1, head, read)]
    return { tenant, agent, receivedAt, checkpoint: head.note, proofs }
  }

  async function office(events: readonly Verified[]): Promise<void> {
    const candidates = events.map(
      (verified): Candidate => ({ kind: 'verified', pae: verified.opened.paeDigest, verified }),
    )
    const { outcomes } = await queue.submit(candidates, true)
    for (const outcome of outcomes) {
      if (outcome.outcome === 'refused') throw new BevisError(outcome.code, outcome.message)
    }
  }

  /** All checks that need no transaction, in their order. */
  async function examine(envelopes: readonly unknown[]): Promise<Candidate[]> {
    const opened = envelopes.map(openOrRefuse)
    const readable = opened.filter((one) => 'payload' in one)
    const known = await findKnown(
      store.db,
      readable.map(({ paeDigest }) => paeDigest),
    )
    const fresh = readable.filter(({ paeDigest }) => !known.has(paeDigest))
    const keyring = await loadKeyring(
      store.db,
      fresh.map(({ signatures }) => signatures[0]?.keyid ?? ''),
    )
    const candidates: Candidate[] = []
    for (const [n, one] of opened.entries()) {
      if (n % 32 === 31) await breathe()
      if (!('payload' in one)) candidates.push(one)
      else if (known.has(one.paeDigest)) candidates.push({ kind: 'known', pae: one.paeDigest })
      else candidates.push(verifyOrRefuse(one, () => verifyEvidence(one, keyring)))
    }
    return candidates
  }

  /** Inside the transaction: what is new gets its leaf, its row and its effects. */
  async function logCandidates(appender: Appender, candidates: readonly Candidate[]): Promise<Outcome[]> {
    const { tx } = appender
    const known = await findKnown(
      tx,
      candidates.flatMap(({ kind, pae }) => (kind === 'refused' ? [] : [pae])),
    )
    const revoked = await findRevoked(tx, candidates)
    const last = await findLast(tx)
    const time = toInstant(now())
    const receivedAt = time > last.receivedAt ? time : last.receivedAt // never back, whatever the clock does
    const fresh: (Logged & { verified: Verified })[] = []
    const outcomes: Outcome[] = []
    for (const candidate of candidates) {
      if (candidate.kind === 'refused') {
        const { pae, code, message } = candidate
        outcomes.push({ outcome: 'refused', pae, code, message })
        continue
      }
      const { pae } = candidate
      const place = known.get(pae)
      if (place !== undefined) {
        outcomes.push(place.counted ? { ...place.place, outcome: 'duplicate' } : equivocation(pae))
        continue
      }
      if (candidate.kind === 'known')
        throw new BevisError('LOG_INCONSISTENT', `statement ${pae} has left the log`)
      const refusal = await refusalOf(candidate, revoked, tx)
      if (refusal !== null) {
        outcomes.push(refusal)
        continue
      }
      const id = last.id + fresh.length + 1
      const leafIndex = addLeaves(appender, id, candidate.verified)
      fresh.push({
        ...candidate.verified,
        id,
        leafIndex,
        paeDigest: pae,
        receivedAt,
        verified: candidate.verified,
      })
      known.set(pae, { counted: true, place: { leafIndex, receivedAt } })
      outcomes.push({ outcome: 'logged', leafIndex, receivedAt })
    }
    const uncounted = await insertStatements(tx, fresh)
    return outcomes.map((outcome) => {
      const pae = 'leafIndex' in outcome ? uncounted.get(outcome.leafIndex) : undefined
      return pae === undefined ? outcome : equivocation(pae)
    })
  }

  /** Returns the equivocations among them: leaf index to PAE digest. */
  async function insertStatements(
    tx: Transaction<Schema>,
    fresh: readonly (Logged & { verified: Verified })[],
  ): Promise<Map<number, string>> {
    const projected = await project(tx, fresh, log.origin)
    const rows = fresh.flatMap((logged, n) => {
      const columns = projected[n]
      if (columns === undefined) return []
      const { opened } = logged.verified
      return {
        id: logged.id,
        leaf_index: logged.leafIndex,
        pae_digest: logged.paeDigest,
        payload: opened.payload,
        envelope: encodeEnvelope(opened.envelope),
        received_at: logged.receivedAt,
        ...columns,
      }
    })
    for (const chunk of chunksOf(rows, INSERT_ROWS)) await tx.insertInto('statement').values(chunk).execute()
    return new Map(rows.filter((row) => row.counted === 0).map((row) => [row.leaf_index, row.pae_digest]))
  }

  return { evidence, enrol, office }
}

function openOrRefuse(value: unknown): OpenedEnvelope | (Candidate & { kind: 'refused' }) {
  try {
    return openEnvelope(value)
  } catch (error) {
    return { kind: 'refused', pae: null, code: errorCodeOf(error), message: errorMessageOf(error) }
  }
}

function verifyOrRefuse({ paeDigest: pae }: OpenedEnvelope, verify: () => Verified): Candidate {
  try {
    return { kind: 'verified', pae, verified: verify() }
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    return { kind: 'refused', pae, code: error.code, message: error.message }
  }
}

function equivocation(pae: string): Outcome {
  const message = 'another statement has this agent, epoch and number: it is logged and does not count'
  return { outcome: 'refused', pae, code: 'STATEMENT_EQUIVOCATION', message }
}

async function refusalOf(
  candidate: Candidate & { kind: 'verified' },
  revoked: ReadonlySet<string>,
  tx: Transaction<Schema>,
): Promise<Outcome | null> {
  const { pae, verified } = candidate
  if (verified.signatures.some(({ keyid }) => revoked.has(keyid))) {
    return { outcome: 'refused', pae, code: 'AGENT_REVOKED', message: 'the key was revoked a moment ago' }
  }
  try {
    await candidate.admit?.(tx)
    return null
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    return { outcome: 'refused', pae, code: error.code, message: error.message }
  }
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

type Known = Map<string, { counted: boolean; place: { leafIndex: number; receivedAt: string } }>

async function findKnown(db: Kysely<Schema>, digests: readonly string[]): Promise<Known> {
  const known: Known = new Map()
  for (const chunk of chunksOf(digests)) {
    const rows = await db
      .selectFrom('statement')
      .select(['pae_digest', 'leaf_index', 'received_at', 'counted'])
      .where('pae_digest', 'in', chunk)
      .execute()
    for (const row of rows) {
      const place = { leafIndex: row.leaf_index, receivedAt: row.received_at }
      known.set(row.pae_digest, { counted: row.counted === 1, place })
    }
  }
  return known
}

/** Keys of the batch that were revoked since they were looked up. */
async function findRevoked(tx: Transaction<Schema>, candidates: readonly Candidate[]): Promise<Set<string>> {
  const keyids = new Set(
    candidates.flatMap((one) =>
      one.kind === 'verified' ? one.verified.signatures.map(({ keyid }) => keyid) : [],
    ),
  )
  const revoked = new Set<string>()
  for (const chunk of chunksOf([...keyids])) {
    const rows = await tx
      .selectFrom('agent_key')
      .select('keyid')
      .where('keyid', 'in', chunk)
      .where('revoked_leaf', 'is not', null)
      .execute()
    for (const { keyid } of rows) revoked.add(keyid)
  }
  return revoked
}

async function findLast(tx: Transaction<Schema>): Promise<{ id: number; receivedAt: string }> {
  const row = await tx
    .selectFrom('statement')
    .select(['id', 'received_at'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { id: row?.id ?? 0, receivedAt: row?.received_at ?? '' }
}

/** Lets others have their turn: verifying a thousand signatures takes a while. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
