/** DSSE 1.0.2: one payload, pure Ed25519 signatures over its pre-authentication encoding. */
import { z } from 'zod'
import { decodeBase64, encodeBase64 } from '../base64.ts'
import { keyidOf, sha256Hex, verifySignature } from '../crypto.ts'
import type { Signer } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { hex64 } from '../format.ts'
import { PAYLOAD_LIMIT_BYTES } from './statement.ts'

const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

export const envelopeSchema = z.strictObject({
  payloadType: z.literal(PAYLOAD_TYPE),
  payload: z.string().max(Math.ceil(PAYLOAD_LIMIT_BYTES / 3) * 4),
  signatures: z
    .array(z.strictObject({ keyid: hex64, sig: z.string().length(88) }))
    .min(1)
    .max(4),
})
export type Envelope = z.infer<typeof envelopeSchema>

/** `DSSEv1 28 application/vnd.in-toto+json LEN payload`: what is signed and what is hashed. */
export function pae(payload: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `)
  const bytes = new Uint8Array(head.length + payload.length)
  bytes.set(head)
  bytes.set(payload, head.length)
  return bytes
}

/** SHA-256 of the PAE, lowercase hex: the name of a statement everywhere. */
export function paeDigest(payload: Uint8Array): string {
  return sha256Hex(pae(payload))
}

/** One signature per signer, in their order. */
export function signEnvelope(payload: Uint8Array, signers: readonly Signer[]): Envelope {
  const message = pae(payload)
  return {
    payloadType: PAYLOAD_TYPE,
    payload: encodeBase64(payload),
    signatures: signers.map((signer) => ({ keyid: signer.keyid, sig: encodeBase64(signer.sign(message)) })),
  }
}

/** An envelope taken apart; nothing in it is verified yet. */
export interface OpenedEnvelope {
  readonly envelope: Envelope
  readonly payload: Uint8Array
  readonly pae: Uint8Array
  readonly paeDigest: string
  readonly signatures: readonly { readonly keyid: string; readonly sig: Uint8Array }[]
}

/**
 * Takes an envelope apart, strictly: unknown fields, lenient base64 and a second signature by one key are refused.
 * @throws BevisError ENVELOPE_MALFORMED
 */
export function openEnvelope(value: unknown): OpenedEnvelope {
  const parsed = envelopeSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new BevisError('ENVELOPE_MALFORMED', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const envelope = parsed.data
  const payload = decodeBase64(envelope.payload)
  if (payload.length > PAYLOAD_LIMIT_BYTES) {
    throw new BevisError('ENVELOPE_MALFORMED', `the payload has more than ${PAYLOAD_LIMIT_BYTES} bytes`)
  }
  const signatures = envelope.signatures.map(({ keyid, sig }) => ({ keyid, sig: decodeBase64(sig) }))
  if (new Set(signatures.map(({ keyid }) => keyid)).size !== signatures.length) {
    throw new BevisError('ENVELOPE_MALFORMED', 'one key signed twice')
  }
  const message = pae(payload)
  return { envelope, payload, pae: message, paeDigest: sha256Hex(message), signatures }
}

/**
 * Checks one signature with a key that the caller trusts; `keyid` in the envelope is only a hint.
 * @throws BevisError SIGNATURE_INVALID
 */
export function assertSignature(opened: OpenedEnvelope, index: number, spki: Uint8Array): void {
  const signature = opened.signatures[index]
  if (signature === undefined) throw new BevisError('SIGNATURE_INVALID', `there is no signature ${index}`)
  if (signature.keyid !== keyidOf(spki) || !verifySignature(spki, opened.pae, signature.sig)) {
    throw new BevisError('SIGNATURE_INVALID', `signature ${index} does not fit the statement and the key`)
  }
}

/** Compact JSON, the form that is stored and exported. */
export function encodeEnvelope(envelope: Envelope): string {
  const { payloadType, payload, signatures } = envelope
  return JSON.stringify({
    payloadType,
    payload,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })),
  })
}
