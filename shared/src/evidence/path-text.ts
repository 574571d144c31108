/**
 * Paths are bytes, statements are text. Valid UTF-8 stands as it is; what is not (and control characters,
 * and the backslash that starts an escape) stands as \xHH, so that every path has exactly one text.
 */
export function encodePathText(path: Uint8Array): string {
  let text = ''
  for (let at = 0; at < path.length;) {
    const length = utf8Length(path, at)
    const first = path[at] ?? 0
    if (length === 0 || first < 0x20 || first === 0x7f || first === 0x5c) {
      text += `\\x${first.toString(16).padStart(2, '0')}`
      at += 1
    } else {
      text += new TextDecoder('utf-8', { ignoreBOM: true }).decode(path.subarray(at, at + length))
      at += length
    }
  }
  return text
}

/** The bytes of a text that {@link encodePathText} made. Any other text is taken as it is, UTF-8. */
export function decodePathText(text: string): Uint8Array {
  const encoder = new TextEncoder()
  const parts = text.split(/\\x([0-9a-f]{2})/)
  const chunks = parts.map((part, index) =>
    index % 2 === 0 ? encoder.encode(part) : Uint8Array.of(Number.parseInt(part, 16)),
  )
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** The length of the well-formed UTF-8 sequence at `at` (RFC 3629), or 0 when there is none. */
function utf8Length(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  const length =
    first >= 0xc2 && first <= 0xdf ? 2 : first >> 4 === 0xe ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0
  for (let next = 1; next < length; next += 1) {
    if ((bytes[at + next] ?? 0) >> 6 !== 0b10) return 0
  }
  const second = bytes[at + 1] ?? 0
  const overlong = (first === 0xe0 && second < 0xa0) || (first === 0xf0 && second < 0x90)
  const surrogate = first === 0xed && second > 0x9f
  const beyond = first === 0xf4 && second > 0x8f
  return overlong || surrogate || beyond ? 0 : length
}
