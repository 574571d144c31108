/**
 * Key rotation: a `rotated` statement opens the next epoch of an agent. The new key signs it first, the old one
 * second; the new public key stands in its detail, so that it needs no other message and can wait in an outbox.
 */
import { z } from 'zod'
import { BevisError } from '../error.ts'
import type { AgentLifecycle } from './predicates.ts'

const detailSchema = z.object({
  /** SubjectPublicKeyInfo of the new key, base64. */
  spki: z.string().length(60),
})

/** @throws BevisError STATEMENT_INVALID when the statement brings no key */
export function rotatedKeyOf({ detail }: AgentLifecycle): string {
  const parsed = detailSchema.safeParse(detail)
  if (parsed.success) return parsed.data.spki
  throw new BevisError('STATEMENT_INVALID', 'a rotation brings its new public key (detail.spki)')
}
