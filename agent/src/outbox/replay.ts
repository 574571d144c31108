/**
 * A log whose database was restored from an old backup has forgotten statements for which we hold its receipts. They
 * are sent again, each with its proof, until the log is what it was: nobody but the agents has them all.
 */
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { openCheckpoint } from '@bevis/shared/log/checkpoint'
import type { VerificationKey } from '@bevis/shared/log/checkpoint'
import { parseProof } from '@bevis/shared/log/proof'
import { BATCH_LIMIT_BYTES, replayResponseSchema } from '@bevis/shared/wire'
import type { Replayed, ReplayResponse } from '@bevis/shared/wire'
import type { State } from '../state.ts'
import { loadHead } from './head.ts'
import type { Transport } from './transport.ts'

/** What an enrolment needs beside its envelope; by epoch. */
export type EnrolmentOf = (epoch: number) => Pick<Replayed, 'keys' | 'contracts'> | null

const BATCH_ENVELOPES = 200
const BATCH_BYTES = BATCH_LIMIT_BYTES / 2

interface Kept {
  readonly epoch: number
  readonly seq: number
  readonly envelope: string
  readonly proof: string
  readonly receivedAt: string
}

/**
 * Sends again what the log had and has not any more.
 * @returns what is missing after it; null when the log lost nothing, or cannot be helped by this
 */
export async function replayLost(
  parts: {
    readonly state: State
    readonly transport: Transport
    readonly agent: string
    readonly vkey: VerificationKey
    readonly enrolmentOf: EnrolmentOf
  },
  signal?: AbortSignal,
): Promise<ReplayResponse | null> {
  const { state, transport, agent, vkey } = parts
  const last = loadHead(state)
  const { status, text } = await transport.get('/log/checkpoint', signal)
  if (status !== 200 || last === null) return null
  const { size } = openCheckpoint(text, vkey)
  if (size >= last.size) return null
  let answer: ReplayResponse | null = null
  for (const statements of batchesOf(keptSince(state, size), parts.enrolmentOf)) {
    const reply = await transport.post(`/v1/agents/${agent}/replay`, { statements }, signal)
    const read = replayResponseSchema.safeParse(reply.body)
    if (reply.status !== 200 || !read.success) return answer
    answer = read.data
  }
  return answer
}

/** Statements with a receipt whose leaf lies at `from` or later. */
function* keptSince(state: State, from: number): Generator<Kept> {
  const rows = state
    .sql<[], Kept>(
      `select epoch, seq, envelope, proof, received_at as receivedAt from statement
       where state = 'logged' and proof is not null and envelope is not null order by epoch, seq`,
    )
    .all()
  for (const row of rows) if (parseProof(row.proof).index >= from) yield row
}

function* batchesOf(rows: Iterable<Kept>, enrolmentOf: EnrolmentOf): Generator<Replayed[]> {
  let batch: Replayed[] = []
  let bytes = 0
  for (const { epoch, seq, envelope, proof, receivedAt } of rows) {
    const more = seq === 1 ? enrolmentOf(epoch) : null
    batch.push({ envelope: JSON.parse(envelope) as Envelope, proof, receivedAt, ...more })
    bytes += envelope.length + proof.length
    if (batch.length < BATCH_ENVELOPES && bytes < BATCH_BYTES) continue
    yield batch
    ;[batch, bytes] = [[], 0]
  }
  if (batch.length > 0) yield batch
}
