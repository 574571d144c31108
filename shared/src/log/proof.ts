/** C2SP tlog-proof: one leaf's place in a log, as a text that needs nothing beside it but the log's key. */
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { BevisError } from '../error.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'

export interface LogProof {
  /** The leaf's index, from 0. */
  readonly index: number
  /** The audit path of RFC 6962, from the leaf upwards, 32 bytes each. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note that the path leads to. */
  readonly checkpoint: string
}

export function formatProof(proof: LogProof): string {
  const lines = [HEADER, `index ${proof.index}`, ...proof.hashes.map(encodeBase64)]
  return `${lines.join('\n')}\n\n${proof.checkpoint}`
}

/**
 * Reads a proof; an `extra` line is not taken, since we would verify nothing of it.
 * @throws BevisError PROOF_INVALID
 */
export function parseProof(text: string): LogProof {
  const malformed = (why: string, cause?: unknown) =>
    new BevisError('PROOF_INVALID', `malformed proof: ${why}`, { cause })
  const split = text.indexOf('\n\n')
  if (split < 0 || text.length > 131_072) throw malformed('no checkpoint')
  const [header, indexLine = '', ...hashLines] = text.slice(0, split).split('\n')
  if (header !== HEADER) throw malformed(`the first line must be ${HEADER}`)
  const index = Number(/^index (0|[1-9]\d{0,15})$/.exec(indexLine)?.[1] ?? 'none')
  if (!Number.isSafeInteger(index)) throw malformed('the index')
  if (hashLines.length > 63) throw malformed('more than 63 hashes')
  const hashes = hashLines.map((line) => {
    let hash: Uint8Array
    try {
      hash = decodeBase64(line)
    } catch (cause) {
      throw malformed('a hash', cause)
    }
    if (hash.length !== 32) throw malformed('a hash has 32 bytes')
    return hash
  })
  return { index, hashes, checkpoint: text.slice(split + 2) }
}
