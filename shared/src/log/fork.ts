/**
 * Two signed heads of one log that cannot both be true, with what shows it: a proof that anyone can check who knows
 * the log's key. A head that merely has no proof is none: somebody could have left the proof out.
 */
import { z } from 'zod'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { BevisError } from '../error.ts'
import { openCheckpoint } from './checkpoint.ts'
import type { VerificationKey } from './checkpoint.ts'
import { EMPTY_ROOT, pastRootOf, verifyConsistency } from './merkle.ts'
import { formatSignature, parseNote, signaturesBy } from './note.ts'

const FORK_FORMAT = 'bevis-fork/v1'

const note = z.string().max(65_536)
const hash = z.string().length(44)

export const forkSchema = z.object({
  format: z.literal(FORK_FORMAT),
  /** The head that was verified first, and the one that does not go on from it: signed notes. */
  first: note,
  second: note,
  /** What the larger tree's own beginning is: its root at the smaller size, with the consistency proof from there. */
  past: z.object({ root: hash, hashes: z.array(hash).max(63) }).optional(),
})
export type Fork = z.infer<typeof forkSchema>

export interface ForkVerdict {
  /** The log's key signed both, and both cannot be true. */
  readonly isProven: boolean
  readonly origin: string
  readonly sizes: readonly [number, number]
  /** Why, in one sentence. */
  readonly reason: string
}

/** A note with its log's signature alone. */
function withoutOthers(text: string, key: VerificationKey): string {
  const parsed = parseNote(text)
  return `${parsed.text}\n${signaturesBy(parsed, key)
    .map(({ signature }) => formatSignature(key, signature))
    .join('')}`
}

/**
 * Two heads that were found not to fit, as they are handed on.
 * @param hashes the consistency proof that came with the second one, if any
 */
export function forkOf(
  first: string,
  second: string,
  key: VerificationKey,
  hashes: readonly Uint8Array[] = [],
): Fork {
  const [one, other] = [openCheckpoint(first, key), openCheckpoint(second, key)]
  const root = pastRootOf({ from: one.size, to: other.size, toRoot: other.root, proof: hashes })
  return {
    format: FORK_FORMAT,
    first: withoutOthers(first, key),
    second: withoutOthers(second, key),
    ...(root !== null && { past: { root: encodeBase64(root), hashes: hashes.map(encodeBase64) } }),
  }
}

/**
 * Checks whether two heads prove that the log showed two histories.
 * @throws BevisError CHECKPOINT_INVALID when one of them is not signed by this key: then they prove nothing
 */
export function verifyFork({ first, second, past }: Fork, key: VerificationKey): ForkVerdict {
  const heads = [openCheckpoint(first, key), openCheckpoint(second, key)] as const
  const [small, large] = heads[0].size <= heads[1].size ? heads : ([heads[1], heads[0]] as const)
  const told = { origin: key.name, sizes: [heads[0].size, heads[1].size] as const }
  const answer = (isProven: boolean, reason: string): ForkVerdict => ({ ...told, isProven, reason })
  const root = encodeBase64(small.root)
  if (small.size === large.size) {
    return root === encodeBase64(large.root)
      ? answer(false, 'both are the same head')
      : answer(true, `the log signed two different trees of ${small.size} entries`)
  }
  if (small.size === 0) {
    return root === encodeBase64(EMPTY_ROOT)
      ? answer(false, 'every log goes on from the empty one')
      : answer(true, 'the log signed a root for an empty tree that no empty tree has')
  }
  if (past === undefined) {
    return answer(false, 'nothing here shows how the larger tree begins')
  }
  const holds = verifyConsistency({
    from: small.size,
    to: large.size,
    fromRoot: decodeHash(past.root),
    toRoot: large.root,
    proof: past.hashes.map(decodeHash),
  })
  if (!holds) return answer(false, 'the given beginning does not lead to the larger tree')
  return past.root === root
    ? answer(false, 'the larger tree goes on from the smaller one')
    : answer(
        true,
        `the signed tree of ${large.size} entries begins otherwise than the signed tree of ${small.size}`,
      )
}

function decodeHash(text: string): Uint8Array {
  try {
    return decodeBase64(text)
  } catch (cause) {
    throw new BevisError('PROOF_INVALID', 'a hash is not base64', { cause })
  }
}
