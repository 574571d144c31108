/** Ed25519 public keys as bytes and texts (RFC 8410): no cryptography, so that any runtime has the same. */
import { decodeBase64, encodeBase64 } from './base64.ts'
import { BevisError } from './error.ts'
import { decodeHex, encodeHex } from './hex.ts'

/** DER in front of the 32 bytes of an Ed25519 public key: SubjectPublicKeyInfo is 44 bytes. */
const SPKI_PREFIX = decodeHex('302a300506032b6570032100')

/** The 32 bytes inside a SubjectPublicKeyInfo. */
export function rawKeyOf(spki: Uint8Array): Uint8Array {
  assertSpki(spki)
  return spki.slice(SPKI_PREFIX.length)
}

/** The SubjectPublicKeyInfo around 32 raw bytes. */
export function spkiOf(raw: Uint8Array): Uint8Array {
  if (raw.length !== 32)
    throw new BevisError('KEY_INVALID', `a public key has 32 bytes, this has ${raw.length}`)
  const spki = new Uint8Array(SPKI_PREFIX.length + 32)
  spki.set(SPKI_PREFIX)
  spki.set(raw, SPKI_PREFIX.length)
  return spki
}

/** PEM of a SubjectPublicKeyInfo, as `openssl pkey -pubin` reads it. */
export function spkiToPem(spki: Uint8Array): string {
  return `-----BEGIN PUBLIC KEY-----\n${encodeBase64(spki)}\n-----END PUBLIC KEY-----\n`
}

/** Reads what {@link spkiToPem} wrote, and nothing else. @throws BevisError KEY_INVALID */
export function spkiFromPem(pem: string): Uint8Array {
  const body = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{60})\n-----END PUBLIC KEY-----\n$/.exec(pem)?.[1]
  if (body === undefined) throw new BevisError('KEY_INVALID', 'not an Ed25519 public key in PEM')
  let spki: Uint8Array
  try {
    spki = decodeBase64(body)
  } catch (cause) {
    throw new BevisError('KEY_INVALID', 'not an Ed25519 public key in canonical PEM', { cause })
  }
  assertSpki(spki)
  return spki
}

function assertSpki(spki: Uint8Array): void {
  if (spki.length !== 44 || SPKI_PREFIX.some((byte, index) => spki[index] !== byte)) {
    throw new BevisError(
      'KEY_INVALID',
      'not an Ed25519 public key: 44 bytes of SubjectPublicKeyInfo are needed',
    )
  }
}

const FIELD_PRIME = 2n ** 255n - 19n
const ORDER_EIGHT_Y = 2707385501144840649318225287225658788936804267575313519463743609750303402022n

/** The y coordinates of the eight points of small order. With such a key, one signature fits every message. */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  ORDER_EIGHT_Y,
  FIELD_PRIME - ORDER_EIGHT_Y,
])

/** The y coordinate of an encoded point (RFC 8032, section 5.1.2), as it is written: it may lie beyond the field. */
function yOf(point: Uint8Array): bigint {
  const littleEndian = point.toReversed()
  littleEndian[0] = (littleEndian[0] ?? 0) & 0x7f // the top bit is the sign of x
  return BigInt(`0x${encodeHex(littleEndian)}`)
}

/** True for the eight points of small order, however they are spelt. */
export function isSmallOrder(point: Uint8Array): boolean {
  return SMALL_ORDER_Y.has(yOf(point) % FIELD_PRIME)
}

/** Refuses what is no Ed25519 key, keys of small order, and second spellings of a key. @throws BevisError KEY_INVALID */
export function assertKeyAcceptable(spki: Uint8Array): void {
  const raw = rawKeyOf(spki)
  if (isSmallOrder(raw)) throw new BevisError('KEY_INVALID', 'a key of small order signs everything')
  if (yOf(raw) >= FIELD_PRIME) throw new BevisError('KEY_INVALID', 'not the canonical encoding of a key')
}
