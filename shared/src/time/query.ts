/** What is asked of a time stamping authority, and what it answers (RFC 3161). */
import { fromBER, Integer, Sequence } from 'asn1js'
import { sha256 } from '../crypto.ts'
import { decodeHex } from '../hex.ts'
import { parseNote, signaturesBy } from '../log/note.ts'
import type { VerificationKey } from '../log/note.ts'
import { formatSignature } from '../log/note.ts'
import { invalid } from './certificate.ts'

/** A token with its certificates has some kilobytes. */
export const TOKEN_LIMIT_BYTES = 64 * 1024

/** What is stamped of a checkpoint: its text, a blank line, and the log's own signature line; no cosignatures. */
function stampedText(note: string, log: VerificationKey): string {
  const parsed = parseNote(note)
  const lines = signaturesBy(parsed, log).map(({ signature }) => formatSignature(log, signature))
  return `${parsed.text}\n${lines.join('')}`
}

/** SHA-256 of {@link stampedText}. */
export function stampedDigest(note: string, log: VerificationKey): Uint8Array {
  return sha256(new TextEncoder().encode(stampedText(note, log)))
}

/**
 * A request for a stamp over a SHA-256, with the authority's certificates: 69 bytes of DER.
 * @param nonce 8 random bytes, the first of them 01 to 7f, so that it is one DER integer of eight bytes
 */
export function formatQuery(digest: Uint8Array, nonce: Uint8Array): Uint8Array {
  const [first = 0] = nonce
  if (digest.length !== 32 || nonce.length !== 8 || first === 0 || first > 0x7f)
    throw new RangeError('a SHA-256 and a nonce of eight bytes are needed')
  const head = decodeHex('30430201013031300d060960864801650304020105000420')
  return Uint8Array.of(...head, ...digest, 0x02, 0x08, ...nonce, 0x01, 0x01, 0xff)
}

/** Eight bytes that {@link formatQuery} takes, made of eight random ones. */
export function nonceOf(random: Uint8Array): Uint8Array {
  const nonce = random.slice(0, 8)
  nonce[0] = ((random[0] ?? 0) & 0x7f) | 0x01
  return nonce
}

/**
 * The token of an answer. The status must be granted.
 * @throws BevisError TIMESTAMP_INVALID, with what the authority says where it refused
 */
export function readToken(response: Uint8Array): Uint8Array {
  if (response.length > TOKEN_LIMIT_BYTES + 1024) throw invalid('the answer is too long')
  const { offset, result } = fromBER(new Uint8Array(response))
  if (offset !== response.length || !(result instanceof Sequence)) throw invalid('the answer is no DER')
  const [info, token, ...more] = result.valueBlock.value
  const status = info instanceof Sequence ? info.valueBlock.value[0] : undefined
  if (!(status instanceof Integer) || !(info instanceof Sequence)) throw invalid('the answer has no status')
  const code = status.valueBlock.valueDec
  if (code !== 0 && code !== 1) {
    const said = info.valueBlock.value.slice(1).map((part) => part.toString())
    throw invalid(
      `the authority refused (status ${code}) ${said.join(' ').replace(/\s+/g, ' ').slice(0, 300)}`,
    )
  }
  if (!(token instanceof Sequence) || more.length > 0) throw invalid('the answer has no token')
  return token.valueBeforeDecodeView.slice()
}

/** An answer with a token, as `openssl ts -verify -in` reads it: granted, and nothing else said. */
export function formatResponse(token: Uint8Array): Uint8Array {
  const status = Uint8Array.of(0x30, 0x03, 0x02, 0x01, 0x00)
  const length = status.length + token.length
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Uint8Array.of(0x30, ...size, ...status, ...token)
}
