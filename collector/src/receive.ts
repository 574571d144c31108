/**
 * The way of evidence into the log: bytes, envelope, known already?, key, signature, agent, statement, chain;
 * then one durable transaction for log, projection and signed head; then the head in its separate file; and
 * only then the answer, which proves what it says. (Evidence specification: DSSE, in-toto, RFC 6962.)
 */
import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError, ERRORS } from '@bevis/shared/error'
import { encodeEnvelope, openEnvelope } from '@bevis/shared/evidence/envelope'
import type { Answer, EnrolRequest, EnrolResponse, EvidenceResponse } from '@bevis/shared/wire'
import type { Transaction } from 'kysely'
import { examineEnvelopes } from './intake/candidate.ts'
import type { Candidate } from './intake/candidate.ts'
import { assertEnrollable, verifyEnrolment } from './intake/enrolment.ts'
import { groupCommit } from './intake/group-commit.ts'
import { watchRepositories } from './intake/observe.ts'
import { recordCandidates } from './intake/record.ts'
import type { Outcome } from './intake/record.ts'
import type { Verified } from './intake/verify.ts'
import type { Appended, Appender, Log } from './log/log.ts'
import type { KeptText } from './log/own-entries.ts'
import { project } from './projection/project.ts'
import { settleRequests } from './request/settle.ts'
import { findStatement } from './store/read/statements.ts'
import type { Schema } from './store/schema.ts'
import type { Store } from './store/store.ts'

/** Statements in one transaction: more would keep the first of them waiting. */
const GROUP_LIMIT = 2_000

export interface Receive {
  /**
   * Takes a batch of envelopes; one answer for each, in their order.
   * @throws BevisError when nothing could be decided: LOG_ROLLED_BACK, LOG_INCONSISTENT, STORE_FAILED
   */
  evidence(batch: { from: number; envelopes: readonly unknown[] }): Promise<EvidenceResponse>
  /** Takes an enrolment. @throws BevisError with the reason of its refusal */
  enrol(request: EnrolRequest): Promise<EnrolResponse>
  /**
   * Logs what the collector's own office signs, in one transaction with what else `work` writes there.
   * @throws BevisError what `work` throws; then nothing of it happened
   */
  office<T>(work: (tx: Transaction<Schema>) => Promise<OfficeWork<T>>): Promise<T>
}

/** What the office came to, and the statements that say so. */
export interface OfficeWork<T> {
  readonly result: T
  readonly events: readonly (Verified & { readonly text?: KeptText })[]
}

type Committed = Pick<Appended<unknown>, 'head' | 'read'> & { outcomes: readonly Outcome[] }

export function openReceive(parts: { store: Store; log: Log; now: () => Date }): Receive {
  const { store, log, now } = parts
  const watch = watchRepositories()

  const record = (appender: Appender, candidates: readonly Candidate[]): Promise<Outcome[]> =>
    recordCandidates(appender, candidates, {
      now: now(),
      project: (tx, batch) => project(tx, batch, log),
      watch: async (tx, fresh) => {
        await watch(tx, fresh)
        await settleRequests(tx, fresh)
      },
    })

  /** Whoever waits shares the next transaction, and its one fsync and signed head. */
  const queue = groupCommit<Candidate, Committed>(async (submissions) => {
    const { result, head, read } = await log.append((appender) => record(appender, submissions.flat()))
    let at = 0
    return submissions.map(({ length }) => ({ head, read, outcomes: result.slice(at, (at += length)) }))
  }, GROUP_LIMIT)

  async function evidence(batch: { from: number; envelopes: readonly unknown[] }): Promise<EvidenceResponse> {
    await assertAhead(batch.from)
    const candidates = await examineEnvelopes(store.db, batch.envelopes)
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
    await assertAhead(0)
    const opened = openEnvelope(request.envelope)
    const pae = opened.paeDigest
    const verified = await verifyEnrolment(store.db, opened, request.key)
    const known = await findStatement(store.db, { all: true }, { pae })
    if (known !== undefined && known.envelope !== encodeEnvelope(opened.envelope)) {
      throw new BevisError(
        'ENROLMENT_REFUSED',
        'this enrolment is in the log by another token: send that one',
      )
    }
    const candidate: Candidate =
      known === undefined
        ? { kind: 'verified', pae, verified, admit: (tx) => assertEnrollable(tx, verified, now()) }
        : { kind: 'known', pae }
    const { head, read, outcomes } = await queue.submit([candidate], true)
    const [outcome] = outcomes
    if (outcome === undefined || outcome.outcome === 'refused') throw refusalOf(outcome)
    const { tenant, agent } = verified.enrolled.chain
    const { leafIndex, receivedAt } = outcome
    const proofs = [await log.proof(leafIndex, head, read), await log.proof(leafIndex + 1, head, read)]
    return { tenant, agent, receivedAt, checkpoint: head.note, proofs }
  }

  async function office<T>(work: (tx: Transaction<Schema>) => Promise<OfficeWork<T>>): Promise<T> {
    const { result } = await log.append(async (appender) => {
      const { result: done, events } = await work(appender.tx)
      const candidates = events.map((verified): Candidate => ({
        kind: 'verified',
        pae: verified.opened.paeDigest,
        verified,
      }))
      const outcomes = await record(appender, candidates)
      const refused = outcomes.find(({ outcome }) => outcome === 'refused')
      if (refused !== undefined) throw refusalOf(refused)
      await log.keepOwn(
        events.flatMap(({ opened, signatures, eventTenant: tenant, text }, n) => {
          const outcome = outcomes[n]
          if (outcome?.outcome !== 'logged') return []
          const { leafIndex: index, receivedAt } = outcome
          const keys = signatures.map(({ spki }) => encodeBase64(spki))
          const own = { index, tenant, receivedAt, envelope: opened.envelope, keys }
          return text === undefined ? own : { ...own, text }
        }),
      )
      return done
    })
    return result
  }

  /** Nothing is taken by a log in trouble, nor from somebody who has seen more of it than there is. */
  async function assertAhead(from: number): Promise<void> {
    if (log.trouble !== null) throw log.trouble
    const { size } = await log.head()
    if (from > size) {
      throw new BevisError('LOG_ROLLED_BACK', `the log has ${size} entries, and ${from} were verified before`)
    }
  }

  return { evidence, enrol, office }
}

function refusalOf(outcome: Outcome | undefined): BevisError {
  return outcome?.outcome === 'refused'
    ? new BevisError(outcome.code, outcome.message)
    : new BevisError('INTERNAL', 'a statement had no outcome')
}
