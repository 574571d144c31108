import { BevisError } from '../error.ts'
import { openEnvelope } from '../evidence/envelope.ts'
import type { Envelope } from '../evidence/envelope.ts'
import { openCheckpoint } from './checkpoint.ts'
import type { Checkpoint, TreeHead, VerificationKey } from './checkpoint.ts'
import { formatEntry } from './entry.ts'
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.ts'
import { parseProof } from './proof.ts'

/**
 * Checks that one signature of an envelope is in the log whose key was pinned: the proof's checkpoint is the
 * log's, and the path leads from exactly this entry to its root.
 * @returns the checkpoint and the leaf's index
 * @throws BevisError CHECKPOINT_INVALID or RECEIPT_INVALID
 */
export function verifyLeaf(claim: {
  envelope: Envelope
  signature: number
  spki: Uint8Array
  proof: string
  vkey: VerificationKey
}): { checkpoint: Checkpoint; index: number } {
  const opened = openEnvelope(claim.envelope)
  const signature = opened.signatures[claim.signature]
  if (signature === undefined) {
    throw new BevisError('RECEIPT_INVALID', `the envelope has no signature ${claim.signature}`)
  }
  const { index, hashes, checkpoint: note } = parseProof(claim.proof)
  const checkpoint = openCheckpoint(note, claim.vkey)
  const entry = formatEntry({ paeDigest: opened.paeDigest, signature: signature.sig, spki: claim.spki })
  const included = verifyInclusion({
    index,
    size: checkpoint.size,
    leafHash: leafHash(entry),
    proof: hashes,
    root: checkpoint.root,
  })
  if (!included) {
    throw new BevisError('RECEIPT_INVALID', `the proof does not lead from the statement to the log's root`)
  }
  return { checkpoint, index }
}

/**
 * Checks that a newer head extends the one that was verified before.
 * @throws BevisError LOG_INCONSISTENT when it does not: then both signed checkpoints are proof of a fork
 */
export function assertExtends(last: TreeHead | null, next: TreeHead, proof: readonly Uint8Array[]): void {
  if (last === null || last.size === 0) return
  if (next.origin !== last.origin) {
    throw new BevisError('LOG_INCONSISTENT', `a checkpoint of ${next.origin} follows one of ${last.origin}`)
  }
  if (next.size < last.size) {
    throw new BevisError('LOG_INCONSISTENT', `the log shrank from ${last.size} to ${next.size} entries`)
  }
  const extended = verifyConsistency({
    from: last.size,
    to: next.size,
    fromRoot: last.root,
    toRoot: next.root,
    proof,
  })
  if (!extended) {
    throw new BevisError(
      'LOG_INCONSISTENT',
      `the log of ${next.size} entries does not extend that of ${last.size}`,
    )
  }
}
