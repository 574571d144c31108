import { z } from 'zod'
import { BevisError } from '../error.ts'
import { instant, slug } from '../format.ts'

/**
 * What an invitation hands over, in one text: who the agent will be, where its collector is, the log's key
 * (so that nothing is trusted on first use), and the seed of the key that authorises the enrolment once.
 */
const enrolmentTokenSchema = z.strictObject({
  collector: z.url().max(2048),
  /** The log's verification key in the form of C2SP signed-note. */
  vkey: z.string().min(1).max(1024),
  tenant: slug,
  agent: slug,
  host: z.string().min(1).max(253),
  contracts: z.array(slug).min(1).max(100),
  /** 32 bytes of base64url: an Ed25519 seed. The collector knows the public half only. */
  seed: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  expiresAt: instant,
})
export type EnrolmentToken = z.infer<typeof enrolmentTokenSchema>

const PREFIX = 'bevis1.'

/** `bevis1.` and the base64url of the token's JSON. */
export function formatToken(token: EnrolmentToken): string {
  const json = new TextEncoder().encode(JSON.stringify(token))
  return PREFIX + json.toBase64({ alphabet: 'base64url', omitPadding: true })
}

/** @throws BevisError ENROLMENT_REFUSED when the text is not a whole token */
export function parseToken(text: string): EnrolmentToken {
  const trimmed = text.trim()
  try {
    if (!trimmed.startsWith(PREFIX) || trimmed.length > 16_384) throw new Error('not an enrolment token')
    const bytes = Uint8Array.fromBase64(trimmed.slice(PREFIX.length), { alphabet: 'base64url' })
    return enrolmentTokenSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    throw new BevisError(
      'ENROLMENT_REFUSED',
      'this is not an enrolment token; copy the whole line of the invitation',
      {
        cause,
      },
    )
  }
}

/** The 32 bytes of the token's seed. */
export function seedOf(token: EnrolmentToken): Uint8Array {
  return Uint8Array.fromBase64(token.seed, { alphabet: 'base64url' })
}
