/**
 * The agent as a witness of the log (C2SP tlog-witness, turned around since no agent listens): what it has verified
 * and found consistent it keeps, then cosigns, then says so in a request of its own.
 */
import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError } from '@bevis/shared/error'
import type { Signer } from '@bevis/shared/crypto'
import { openCheckpoint } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import { formatConsistency, parseConsistency } from '@bevis/shared/log/consistency'
import type { ConsistencyProof } from '@bevis/shared/log/consistency'
import { signCosignature } from '@bevis/shared/log/cosignature'
import { assertExtends } from '@bevis/shared/log/receipt'
import type { State } from '../state.ts'
import { DoubtError } from './doubt.ts'
import { loadHead, saveHead } from './head.ts'
import type { Transport } from './transport.ts'

/** What cosigning needs. */
export interface CosignParts {
  readonly state: State
  readonly transport: Transport
  readonly agent: string
  readonly vkey: VerificationKey
  readonly cosigner: { readonly name: string; readonly signer: Signer }
  readonly now: () => Date
}

/** A head whose cosignature is durable, and whether the collector has it. */
interface Cosigned {
  readonly size: number
  /** The body of add-checkpoint, the checkpoint with our cosignature. */
  readonly body: string
  readonly isTaken: boolean
}

const NAME = 'cosigned'
/** All agents cosign the same head once in an hour; asking more often finds nothing new. */
const ASK_EVERY_MS = 10 * 60_000

function loadCosigned(state: State): Cosigned | null {
  const text = state.get(NAME)
  return text === null ? null : (JSON.parse(text) as Cosigned)
}

/**
 * Asks for the head that every agent cosigns in this hour, verifies that it goes on from what was verified before,
 * and cosigns it. Before new evidence is sent: a witness never cosigns less than it has seen.
 * @throws DoubtError when the answer does not hold
 */
export async function cosignHeadOfHour(parts: CosignParts): Promise<void> {
  const { state, transport, agent, vkey, now } = parts
  const asked = Number(state.get('cosign-asked') ?? 0)
  if (Math.abs(now().getTime() - asked) < ASK_EVERY_MS) return
  const last = loadHead(state)
  const { status, text } = await transport.get(`/v1/agents/${agent}/cosign?from=${last?.size ?? 0}`)
  state.put('cosign-asked', String(now().getTime()))
  if (status !== 200) return
  const next = parseConsistency(text)
  let head: Checkpoint
  try {
    head = openCheckpoint(next.checkpoint, vkey)
    assertExtends(last, head, next.hashes)
  } catch (error) {
    throw new DoubtError(error, {
      last,
      note: next.checkpoint,
      hashes: next.hashes.map(encodeBase64),
      received: text,
    })
  }
  state.write(() => {
    if (last === null || head.size > last.size) saveHead(state, head)
  })
  cosign(parts, head, next)
  await deliverCosignature(parts)
}

/** Cosigns the newest head that was verified, unless that is done, and brings the collector what it has not yet. */
export async function cosignNewest(parts: CosignParts): Promise<void> {
  const head = loadHead(parts.state)
  if (head === null || head.size === 0) return
  if (head.size > (loadCosigned(parts.state)?.size ?? 0)) {
    cosign(parts, head, { from: head.size, hashes: [] })
  }
  await deliverCosignature(parts)
}

/** The head is durable already; the cosignature is before it is sent. */
function cosign(
  { state, cosigner, now }: CosignParts,
  head: Checkpoint,
  { from, hashes }: Pick<ConsistencyProof, 'from' | 'hashes'>,
): void {
  state.write(() => {
    // In the transaction: another process must not have seen more meanwhile.
    const newest = Math.max(loadHead(state)?.size ?? 0, loadCosigned(state)?.size ?? 0)
    if (head.size < newest || head.size === loadCosigned(state)?.size) return
    const checkpoint = head.note + signCosignature(head.note, cosigner, now())
    const cosigned: Cosigned = {
      size: head.size,
      body: formatConsistency({ from, hashes, checkpoint }),
      isTaken: false,
    }
    state.put(NAME, JSON.stringify(cosigned))
  })
}

/** @throws BevisError COLLECTOR_UNREACHABLE, COLLECTOR_REFUSED; then it is tried again with the next one */
async function deliverCosignature({ state, transport, agent }: CosignParts): Promise<void> {
  const cosigned = loadCosigned(state)
  if (cosigned === null || cosigned.isTaken) return
  const { status, text } = await transport.postText(`/v1/agents/${agent}/cosign`, cosigned.body)
  if (status !== 204) {
    throw new BevisError(
      'COLLECTOR_REFUSED',
      `the cosignature was answered with ${status}: ${text.slice(0, 200)}`,
    )
  }
  state.write(() => {
    if (loadCosigned(state)?.body === cosigned.body) {
      state.put(NAME, JSON.stringify({ ...cosigned, isTaken: true }))
    }
  })
}
