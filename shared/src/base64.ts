import { BevisError } from './error.ts'

/** Standard base64 with padding (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  return bytes.toBase64()
}

/**
 * Decodes canonical standard base64: no white space, full padding, zero trailing bits.
 * Lenient decoders ignore junk, so that two texts could carry one signature.
 * @throws BevisError ENVELOPE_MALFORMED
 */
export function decodeBase64(text: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
  } catch (cause) {
    throw new BevisError('ENVELOPE_MALFORMED', 'not canonical base64', { cause })
  }
  // fromBase64 skips ASCII white space; only the re-encoding is proof of the one canonical form.
  if (bytes.toBase64() !== text) throw new BevisError('ENVELOPE_MALFORMED', 'not canonical base64')
  return bytes
}
