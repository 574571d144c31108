const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Lowercase hex. Own code, as in `base64.ts`: Node 22 and many browsers have no `Uint8Array.prototype.toHex`. Joined at
 * once: a text that grows piece by piece keeps its pieces.
 */
export function encodeHex(bytes: Uint8Array): string {
  const pairs: string[] = []
  for (const byte of bytes) pairs.push(DIGITS[byte] ?? '')
  return pairs.join('')
}

/** @throws SyntaxError unless it is pairs of lowercase hex digits */
export function decodeHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new SyntaxError('not lowercase hex')
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16)
  return bytes
}
