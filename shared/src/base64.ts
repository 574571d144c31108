import { BevisError } from './error.ts'

// `atob` and `btoa` are in every runtime that an auditor may have; Node 22 has no `Uint8Array.fromBase64`.

/** As many characters as one call of a function surely takes. */
const PIECE = 8_192

/** Standard base64 with padding (RFC 4648, section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += PIECE)
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  return btoa(binary)
}

/**
 * Decodes canonical standard base64: no white space, full padding, zero trailing bits.
 * Lenient decoders ignore junk, so that two texts could carry one signature.
 * @throws BevisError ENVELOPE_MALFORMED
 */
export function decodeBase64(text: string): Uint8Array {
  let binary: string
  try {
    binary = atob(text)
  } catch (cause) {
    throw new BevisError('ENVELOPE_MALFORMED', 'not canonical base64', { cause })
  }
  // atob skips white space and takes any trailing bits; only the re-encoding is proof of the one canonical form.
  if (btoa(binary) !== text) throw new BevisError('ENVELOPE_MALFORMED', 'not canonical base64')
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at)
  return bytes
}
