import type { Signer } from '@bevis/shared/crypto'
import { BevisError, ERROR_CODES, ERRORS, errorMessageOf } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import { envelopeSchema } from '@bevis/shared/evidence/envelope'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import type { Fork } from '@bevis/shared/log/fork'
import {
  BATCH_LIMIT_BYTES,
  BATCH_LIMIT_ENVELOPES,
  evidenceResponseSchema,
  problemSchema,
} from '@bevis/shared/wire'
import type { EvidenceResponse } from '@bevis/shared/wire'
import type { State } from '../state.ts'
import { raiseAlarm, writeProof } from './alarm.ts'
import { readClock, saveClock } from './clock.ts'
import { cosignHeadOfHour, cosignNewest } from './cosign.ts'
import type { CosignParts } from './cosign.ts'
import { DoubtError } from './doubt.ts'
import { completeFork, pairOf } from './fork.ts'
import { loadHead, saveHead } from './head.ts'
import { markLogged, markRefused, nextBatch, pruneLogged } from './queue.ts'
import type { Queued } from './queue.ts'
import { replayLost } from './replay.ts'
import type { EnrolmentOf } from './replay.ts'
import { verifyResponse } from './receipt.ts'
import type { Reply, Transport } from './transport.ts'

/** What a sender works with. */
export interface Sender {
  readonly state: State
  readonly transport: Transport
  /** The log's key that was pinned at enrolment. */
  readonly vkey: VerificationKey
  /** The public key of an epoch of this agent. */
  spkiOf(epoch: number): Uint8Array
  readonly now: () => Date
  /** What the first statement of an epoch of this agent needs, should the log have to be told of it again. */
  readonly enrolmentOf?: EnrolmentOf
  /** Left out: this agent does not cosign the log's heads. */
  readonly cosigner?: { readonly agent: string; readonly name: string; readonly signer: Signer }
}

/** What one pass over the outbox did. */
export interface SendReport {
  readonly logged: number
  readonly refused: number
  /** Why it ended before the outbox was empty. */
  readonly failure: BevisError | null
  /** How long the collector asked us to wait. */
  readonly retryAfterMs: number | null
  /** Alarms that were raised now, for the first time. */
  readonly alarms: readonly { readonly code: ErrorCode; readonly message: string; readonly fork?: Fork }[]
}

/** The log, or this agent's place in it, is not what it was: nobody may read that as a network that is slow. */
const ABOUT_TRUST: ReadonlySet<ErrorCode> = new Set([
  'RECEIPT_INVALID',
  'CHECKPOINT_INVALID',
  'PROOF_INVALID',
  'LOG_INCONSISTENT',
  'LOG_ROLLED_BACK',
  'AGENT_UNKNOWN',
  'AGENT_REVOKED',
])

/** Whether a failure to deliver must raise the alarm. */
export function isAboutTrust(code: ErrorCode): boolean {
  return ABOUT_TRUST.has(code)
}

/** These are about the agent, not about one statement: everything waits for a person, nothing is given up. */
const ABOUT_AGENT: ReadonlySet<ErrorCode> = new Set([
  'AGENT_UNKNOWN',
  'AGENT_REVOKED',
  'UNAUTHORIZED',
  'FORBIDDEN',
])

/** Room for the JSON around the envelopes. */
const BATCH_BYTES = BATCH_LIMIT_BYTES - 4096

/** A log that was just made whole is tried again at once. */
const SOON_MS = 1_000

type RaisedAlarm = SendReport['alarms'][number]

/**
 * Sends what waits, oldest first, until nothing does or something fails. A statement is done only when its receipt
 * has been verified. One sender at a time: the caller holds the outbox's lock.
 */
export async function sendOutbox(sender: Sender, signal?: AbortSignal): Promise<SendReport> {
  const { state } = sender
  const done = { logged: 0, refused: 0 }
  const alarms: RaisedAlarm[] = []
  const raise = (alarm: RaisedAlarm | null): void => void (alarm !== null && alarms.push(alarm))
  let retryAfterMs: number | null = null
  try {
    await whilePassing(() => asWitness(sender, cosignHeadOfHour))
    let limit = BATCH_LIMIT_ENVELOPES
    let held: { readonly bytes: number; readonly failure: BevisError } | null = null
    for (;;) {
      const batch = nextBatch(state, limit, BATCH_BYTES, held?.bytes)
      if (batch.length === 0) break
      const reply = await postBatch(sender, batch, signal)
      retryAfterMs = reply.retryAfterMs
      if (reply.status === 413) {
        const [row] = batch
        if (row !== undefined && batch.length === 1) held = heldBack(row, held)
        limit = Math.max(1, Math.floor(batch.length / 2))
        continue
      }
      const settled = settleBatch(sender, batch, reply)
      done.logged += settled.logged
      done.refused += settled.refused
      settled.alarms.forEach(raise)
      if (settled.failure !== null) throw settled.failure
      retryAfterMs = null
    }
    if (held !== null) throw held.failure
    await whilePassing(() => asWitness(sender, cosignNewest))
    return { ...done, alarms, retryAfterMs: null, failure: null }
  } catch (cause) {
    const failure =
      cause instanceof BevisError ? cause : new BevisError('INTERNAL', errorMessageOf(cause), { cause })
    if (isAboutTrust(failure.code)) raise(await raiseTrust(sender, failure))
    if (failure.code === 'LOG_ROLLED_BACK' && (await isMadeWhole(sender, signal))) retryAfterMs = SOON_MS
    return { ...done, alarms, retryAfterMs, failure }
  }
}

/** Whether the log is what it was again, after what we brought back. */
async function isMadeWhole(sender: Sender, signal: AbortSignal | undefined): Promise<boolean> {
  const { cosigner, enrolmentOf = () => null, ...parts } = sender
  if (cosigner === undefined) return false
  try {
    const answer = await replayLost({ ...parts, agent: cosigner.agent, enrolmentOf }, signal)
    return answer?.missing === 0
  } catch (error) {
    if (error instanceof BevisError) return false // it is tried again with the next pass
    throw error
  }
}

async function asWitness(sender: Sender, work: (parts: CosignParts) => Promise<void>): Promise<void> {
  const { cosigner, ...parts } = sender
  if (cosigner !== undefined) await work({ ...parts, ...cosigner, cosigner })
}

/** Being a witness is a service to others: what keeps it from happening must not keep evidence from its way. */
async function whilePassing(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (error instanceof DoubtError || !(error instanceof BevisError)) throw error
  }
}

/**
 * Raises the alarm about the log. Both signed heads are durable before anything else happens; only then the log is
 * asked to show how its newer tree begins, which makes a proof of them.
 */
async function raiseTrust(sender: Sender, failure: BevisError): Promise<RaisedAlarm | null> {
  const { state, vkey, now } = sender
  const { code, message } = failure
  if (!(failure instanceof DoubtError)) {
    return raiseAlarm(state.folder, { code, message, about: code, at: now() }, undefined)
  }
  const { last, note, hashes, received } = failure.found
  const kept = {
    at: now().toISOString(),
    code,
    message,
    vkey: formatVkey(vkey.name, vkey.spki),
    verified: last?.note ?? null,
    received,
  }
  const pair = pairOf(last?.note, note, vkey, hashes)
  const raised = raiseAlarm(state.folder, { code, message, about: note, at: now() }, { ...pair, ...kept })
  if (raised === null || pair === null) return raised
  const fork = await completeFork(pair, vkey, sender.transport)
  if (fork !== pair && raised.proof !== null) writeProof(state.folder, raised.proof, { ...fork, ...kept })
  return { code, message, fork }
}

function postBatch(
  sender: Sender,
  batch: readonly Queued[],
  signal: AbortSignal | undefined,
): Promise<Reply> {
  const from = loadHead(sender.state)?.size ?? 0
  const envelopes = batch.map((row) => JSON.parse(row.envelope) as unknown)
  return sender.transport.post('/v1/evidence', { from, envelopes }, signal)
}

/** Believes an answer, or throws. */
function settleBatch(
  sender: Sender,
  batch: readonly Queued[],
  reply: Reply,
): { logged: number; refused: number; alarms: RaisedAlarm[]; failure: BevisError | null } {
  const { state } = sender
  const response = readResponse(reply)
  const last = loadHead(state)
  const checkpoint = believe(sender, batch, response, last)
  // A duplicate's instant is that of the first time it came: only what was logged just now tells the time.
  const receivedAt = response.answers
    .flatMap((answer) => (answer.outcome === 'logged' ? [answer.receivedAt] : []))
    .at(0)
  let failure: BevisError | null = null
  let logged = 0
  let refused = 0
  state.write(() => {
    if (last === null || checkpoint.size > last.size) saveHead(state, checkpoint)
    saveClock(state, readClock(reply.sentAt, reply.answeredAt, { receivedAt, date: reply.date }))
    state.put('contact', reply.answeredAt.toISOString())
    for (const [position, row] of batch.entries()) {
      const answer = response.answers[position]
      if (answer === undefined) continue
      if (answer.outcome !== 'refused') {
        markLogged(state, row, answer.receivedAt, answer.proof)
        logged++
      } else if (ERRORS[answer.code].retry !== 'never' || ABOUT_AGENT.has(answer.code)) {
        failure ??= new BevisError(
          answer.code,
          `the collector refused ${row.epoch}/${row.seq}: ${answer.message}`,
        )
      } else {
        markRefused(state, row, answer.code, answer.message)
        refused++
      }
    }
    pruneLogged(state, sender.now())
  })
  const alarms = response.answers.flatMap((answer, position) => {
    if (answer.outcome !== 'refused' || answer.code !== 'STATEMENT_EQUIVOCATION') return []
    // One alarm for an epoch: what is stated after it meets the same fate.
    const about = `epoch ${batch[position]?.epoch ?? 0}`
    const { code, message } = answer
    return raiseAlarm(state.folder, { code, message, about, at: sender.now() }, undefined) ?? []
  })
  return { logged, refused, alarms, failure }
}

function readResponse(reply: Reply): EvidenceResponse {
  if (reply.status !== 200) {
    const problem = problemSchema.safeParse(reply.body)
    const said = problem.success
      ? `${problem.data.code}: ${problem.data.detail ?? problem.data.title}`
      : 'no reason given'
    const code = problem.success ? ERROR_CODES.find((known) => known === problem.data.code) : undefined
    if (code !== undefined && isAboutTrust(code)) {
      throw new BevisError(code, `the collector answered ${said}`)
    }
    const passing = reply.status >= 500 || reply.status === 429 || reply.status === 408 || !problem.success
    throw new BevisError(
      passing ? 'COLLECTOR_UNREACHABLE' : 'COLLECTOR_REFUSED',
      `the collector answered ${reply.status}, ${said}`,
    )
  }
  const response = evidenceResponseSchema.safeParse(reply.body)
  if (response.success) return response.data
  // A gateway that answers for the collector, say: it proves nothing either way.
  throw new BevisError('COLLECTOR_UNREACHABLE', 'the answer is not one that a collector gives', {
    cause: response.error,
  })
}

/** Verifies the answer. @throws DoubtError when it does not hold */
function believe(
  sender: Sender,
  batch: readonly Queued[],
  response: EvidenceResponse,
  last: Checkpoint | null,
): Checkpoint {
  const sent = batch.map((row) => ({
    paeDigest: row.paeDigest,
    envelope: envelopeSchema.parse(JSON.parse(row.envelope)),
    spki: sender.spkiOf(row.epoch),
  }))
  try {
    return verifyResponse(response, sent, sender.vkey, last)
  } catch (error) {
    const { checkpoint: note, consistency: hashes } = response
    throw new DoubtError(error, { last, note, hashes, received: response })
  }
}

/**
 * A collector takes a request many times as large as one statement: it is something before it that does not, so the
 * statement waits, and what is smaller passes it. The first failure is the one that is told.
 */
function heldBack(
  { epoch, seq, envelope }: Queued,
  before: { readonly failure: BevisError } | null,
): { bytes: number; failure: BevisError } {
  const bytes = Buffer.byteLength(envelope)
  const message =
    `statement ${epoch}/${seq} alone (${bytes} bytes) was answered 413: something before the collector takes no request ` +
    `that large. Let it take ${BATCH_LIMIT_BYTES / 1024 / 1024} MiB (nginx: client_max_body_size)`
  return { bytes, failure: before?.failure ?? new BevisError('COLLECTOR_UNREACHABLE', message) }
}
