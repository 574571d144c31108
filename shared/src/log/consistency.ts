import { decodeBase64, encodeBase64 } from '../base64.ts'
import { BevisError } from '../error.ts'

/** That a log of some size is the beginning of the log that `checkpoint` signs. */
export interface ConsistencyProof {
  /** The older size. */
  readonly from: number
  /** RFC 6962, section 2.1.2; 32 bytes each. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note of the newer size. */
  readonly checkpoint: string
}

/** The body of `add-checkpoint` (C2SP tlog-witness): `old SIZE`, the hashes, an empty line, the checkpoint. */
export function formatConsistency(proof: ConsistencyProof): string {
  return `${[`old ${proof.from}`, ...proof.hashes.map(encodeBase64)].join('\n')}\n\n${proof.checkpoint}`
}

/** @throws BevisError PROOF_INVALID */
export function parseConsistency(text: string): ConsistencyProof {
  const malformed = (why: string, cause?: unknown) =>
    new BevisError('PROOF_INVALID', `malformed consistency proof: ${why}`, { cause })
  const split = text.indexOf('\n\n')
  if (split < 0 || text.length > 131_072) throw malformed('no checkpoint')
  const [first = '', ...lines] = text.slice(0, split).split('\n')
  const from = Number(/^old (0|[1-9]\d{0,15})$/.exec(first)?.[1] ?? 'none')
  if (!Number.isSafeInteger(from)) throw malformed('the old size')
  if (lines.length > 63) throw malformed('more than 63 hashes')
  const hashes = lines.map((line) => {
    try {
      return decodeBase64(line)
    } catch (cause) {
      throw malformed('a hash', cause)
    }
  })
  return { from, hashes, checkpoint: text.slice(split + 2) }
}
