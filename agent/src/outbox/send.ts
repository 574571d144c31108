import { BevisError, ERROR_CODES, ERRORS, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import { envelopeSchema } from '@bevis/shared/evidence/envelope'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import {
  BATCH_LIMIT_BYTES,
  BATCH_LIMIT_ENVELOPES,
  evidenceResponseSchema,
  problemSchema,
} from '@bevis/shared/wire'
import type { EvidenceResponse } from '@bevis/shared/wire'
import type { State } from '../state.ts'
import { raiseAlarm } from './alarm.ts'
import { readClock, saveClock } from './clock.ts'
import { loadHead, saveHead } from './head.ts'
import { markLogged, markRefused, nextBatch, pruneLogged } from './queue.ts'
import type { Queued } from './queue.ts'
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
  readonly alarms: readonly { readonly code: ErrorCode; readonly message: string }[]
}

/** These say that something is wrong with the log, not with the way to it: proof is kept, and a person is told. */
const ALARMING: ReadonlySet<ErrorCode> = new Set([
  'RECEIPT_INVALID',
  'CHECKPOINT_INVALID',
  'PROOF_INVALID',
  'LOG_INCONSISTENT',
])

/** The log, or this agent's place in it, is not what it was: nobody may read that as a network that is slow. */
const ABOUT_TRUST: ReadonlySet<ErrorCode> = new Set([
  ...ALARMING,
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

/**
 * Sends what waits, oldest first, until nothing does or something fails. A statement is done only when its receipt
 * has been verified. One sender at a time: the caller holds the outbox's lock.
 */
export async function sendOutbox(sender: Sender, signal?: AbortSignal): Promise<SendReport> {
  const { state } = sender
  const alarms: { code: ErrorCode; message: string }[] = []
  let limit = BATCH_LIMIT_ENVELOPES
  let logged = 0
  let refused = 0
  for (;;) {
    const batch = nextBatch(state, limit, BATCH_BYTES)
    if (batch.length === 0) return { logged, refused, alarms, retryAfterMs: null, failure: null }
    let retryAfterMs: number | null = null
    try {
      const reply = await postBatch(sender, batch, signal)
      retryAfterMs = reply.retryAfterMs
      if (reply.status === 413) {
        if (batch.length === 1) state.write(() => batch.forEach((row) => refuseAsTooLarge(state, row)))
        limit = Math.max(1, Math.floor(batch.length / 2))
        continue
      }
      const settled = settleBatch({ ...sender, raise }, batch, reply)
      logged += settled.logged
      refused += settled.refused
      if (settled.failure !== null) throw settled.failure
    } catch (cause) {
      const failure =
        cause instanceof BevisError ? cause : new BevisError('INTERNAL', errorMessageOf(cause), { cause })
      const { code, message } = failure
      // What was found in an answer has been raised with its proof; this is what the collector says itself.
      if (isAboutTrust(code) && !ALARMING.has(code)) raise({ code, message, about: code }, undefined)
      return { logged, refused, alarms, retryAfterMs, failure }
    }
  }

  function raise(alarm: { code: ErrorCode; message: string; about: string }, proof: unknown): void {
    const isNew = raiseAlarm(state.folder, { ...alarm, at: sender.now() }, proof)
    if (isNew) alarms.push({ code: alarm.code, message: alarm.message })
  }
}

interface AlarmingSender extends Sender {
  raise(alarm: { code: ErrorCode; message: string; about: string }, proof: unknown): void
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
  sender: AlarmingSender,
  batch: readonly Queued[],
  reply: Reply,
): { logged: number; refused: number; failure: BevisError | null } {
  const { state } = sender
  const response = readResponse(sender, reply)
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
    pruneLogged(state)
  })
  for (const [position, answer] of response.answers.entries()) {
    if (answer.outcome !== 'refused' || answer.code !== 'STATEMENT_EQUIVOCATION') continue
    // One alarm for an epoch: what is stated after it meets the same fate.
    const about = `epoch ${batch[position]?.epoch ?? 0}`
    sender.raise({ code: answer.code, message: answer.message, about }, undefined)
  }
  return { logged, refused, failure }
}

function readResponse(sender: AlarmingSender, reply: Reply): EvidenceResponse {
  if (reply.status !== 200) {
    const problem = problemSchema.safeParse(reply.body)
    const said = problem.success
      ? `${problem.data.code}: ${problem.data.detail ?? problem.data.title}`
      : 'no reason given'
    const code = problem.success ? ERROR_CODES.find((known) => known === problem.data.code) : undefined
    if (code !== undefined && isAboutTrust(code)) {
      if (ALARMING.has(code)) sender.raise({ code, message: said, about: code }, undefined)
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

/** Verifies the answer; what does not hold is kept with both checkpoints, and raises an alarm. */
function believe(
  sender: AlarmingSender,
  batch: readonly Queued[],
  response: EvidenceResponse,
  last: Checkpoint | null,
): Checkpoint {
  try {
    const sent = batch.map((row) => ({
      paeDigest: row.paeDigest,
      envelope: envelopeSchema.parse(JSON.parse(row.envelope)),
      spki: sender.spkiOf(row.epoch),
    }))
    return verifyResponse(response, sent, sender.vkey, last)
  } catch (error) {
    const code = errorCodeOf(error)
    const message = errorMessageOf(error)
    const proof = {
      at: sender.now().toISOString(),
      code,
      message,
      verified: last?.note ?? null,
      received: response,
    }
    if (ALARMING.has(code)) sender.raise({ code, message, about: response.checkpoint }, proof)
    throw error
  }
}

function refuseAsTooLarge(state: State, row: Queued): void {
  markRefused(
    state,
    row,
    'REQUEST_TOO_LARGE',
    'the collector takes no request as large as this one statement',
  )
}
