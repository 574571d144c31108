import { decodeBase64 } from '@bevis/shared/base64'
import { BevisError } from '@bevis/shared/error'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { openCheckpoint } from '@bevis/shared/log/checkpoint'
import type { Checkpoint, VerificationKey } from '@bevis/shared/log/checkpoint'
import { assertExtends, verifyLeaf } from '@bevis/shared/log/receipt'
import type { EvidenceResponse } from '@bevis/shared/wire'

/** What was sent, as far as a receipt must fit it. */
export interface Sent {
  readonly paeDigest: string
  readonly envelope: Envelope
  /** The public key that signed it. */
  readonly spki: Uint8Array
}

/**
 * Checks a whole answer before any of it is believed: the log's pinned key signed the checkpoint, the log only
 * grew since `last`, and every statement it claims to have is under exactly this checkpoint.
 * @returns the checkpoint that is verified now
 * @throws BevisError RECEIPT_INVALID, CHECKPOINT_INVALID, PROOF_INVALID, LOG_INCONSISTENT
 */
export function verifyResponse(
  response: EvidenceResponse,
  sent: readonly Sent[],
  vkey: VerificationKey,
  last: Checkpoint | null,
): Checkpoint {
  const checkpoint = openCheckpoint(response.checkpoint, vkey)
  assertExtends(last, checkpoint, readHashes(response.consistency))
  if (response.answers.length !== sent.length) {
    throw new BevisError('RECEIPT_INVALID', `${response.answers.length} answers to ${sent.length} statements`)
  }
  for (const [position, statement] of sent.entries()) {
    const answer = response.answers[position]
    if (answer === undefined || answer.outcome === 'refused') continue
    if (answer.pae !== statement.paeDigest) {
      throw new BevisError('RECEIPT_INVALID', `answer ${position} is about another statement`)
    }
    const { envelope, spki } = statement
    const leaf = verifyLeaf({ envelope, signature: 0, spki, proof: answer.proof, vkey })
    if (leaf.checkpoint.note !== checkpoint.note) {
      throw new BevisError(
        'RECEIPT_INVALID',
        `the proof of statement ${position} is under another checkpoint`,
      )
    }
  }
  return checkpoint
}

function readHashes(texts: readonly string[]): Uint8Array[] {
  try {
    return texts.map(decodeBase64)
  } catch (cause) {
    throw new BevisError('PROOF_INVALID', 'the consistency proof is not base64', { cause })
  }
}
