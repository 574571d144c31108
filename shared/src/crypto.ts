/**
 * SHA-256 and pure Ed25519 (RFC 8032), over Node's crypto.
 * The only module of shared that touches it: a page in a browser replaces this one file.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { BevisError } from './error.ts'

/** DER in front of the 32 bytes of an Ed25519 public key (RFC 8410): SubjectPublicKeyInfo is 44 bytes. */
const SPKI_PREFIX = Uint8Array.fromHex('302a300506032b6570032100')
/** DER in front of a 32-byte Ed25519 seed (RFC 8410, PKCS #8). */
const PKCS8_PREFIX = Uint8Array.fromHex('302e020100300506032b657004220420')

/** SHA-256 of bytes, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** SHA-256 of bytes or of a text's UTF-8, as 64 lowercase hex digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex')
}

/** Someone who signs: its public key, the key's identifier, and the act. */
export interface Signer {
  /** SubjectPublicKeyInfo, 44 bytes of DER. */
  readonly spki: Uint8Array
  /** Lowercase hex SHA-256 of `spki`. */
  readonly keyid: string
  /** 64 bytes, pure Ed25519; the same message always gives the same signature. */
  sign(message: Uint8Array): Uint8Array
}

function signerOf(privateKey: KeyObject): Signer {
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new BevisError('KEY_INVALID', `an Ed25519 key is needed, this is ${privateKey.asymmetricKeyType}`)
  }
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return { spki, keyid: sha256Hex(spki), sign: (message) => sign(null, message, privateKey) }
}

/** A new key: the private half as PKCS #8 PEM, the public half as SubjectPublicKeyInfo. */
export function generateSigningKey(): { privatePem: string; spki: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    spki: publicKey.export({ type: 'spki', format: 'der' }),
  }
}

/** @throws BevisError KEY_INVALID when the text is no Ed25519 private key in PEM. */
export function signerFromPem(pem: string): Signer {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (cause) {
    throw new BevisError('KEY_INVALID', 'not a private key in PEM', { cause })
  }
  return signerOf(key)
}

/** The signer of a 32-byte seed, such as an enrolment token carries. */
export function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.length !== 32) throw new BevisError('KEY_INVALID', `a seed has 32 bytes, this has ${seed.length}`)
  const der = Buffer.concat([PKCS8_PREFIX, seed])
  return signerOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** Lowercase hex SHA-256 of a SubjectPublicKeyInfo: a hint, never a trust decision. */
export function keyidOf(spki: Uint8Array): string {
  return sha256Hex(spki)
}

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
  return `-----BEGIN PUBLIC KEY-----\n${spki.toBase64()}\n-----END PUBLIC KEY-----\n`
}

/** Reads what {@link spkiToPem} wrote, and nothing else. @throws BevisError KEY_INVALID */
export function spkiFromPem(pem: string): Uint8Array {
  const body = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{60})\n-----END PUBLIC KEY-----\n$/.exec(pem)?.[1]
  if (body === undefined) throw new BevisError('KEY_INVALID', 'not an Ed25519 public key in PEM')
  const spki = Uint8Array.fromBase64(body, { lastChunkHandling: 'strict' })
  assertSpki(spki)
  if (spkiToPem(spki) !== pem)
    throw new BevisError('KEY_INVALID', 'not an Ed25519 public key in canonical PEM')
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

/**
 * The y coordinates of the eight points of small order, in every encoding that a decoder may take
 * (the non-canonical ones lie at or above the field's prime). With such a key, one signature fits every message.
 */
const SMALL_ORDER_Y: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  FIELD_PRIME - 1n,
  FIELD_PRIME,
  FIELD_PRIME + 1n,
  ORDER_EIGHT_Y,
  FIELD_PRIME - ORDER_EIGHT_Y,
])

/** Refuses what is no Ed25519 key, and keys of small order. @throws BevisError KEY_INVALID */
export function assertKeyAcceptable(spki: Uint8Array): void {
  const raw = rawKeyOf(spki)
  const littleEndian = raw.toReversed()
  littleEndian[0] = (littleEndian[0] ?? 0) & 0x7f // the top bit is the sign of x
  const y = BigInt(`0x${littleEndian.toHex()}`)
  if (SMALL_ORDER_Y.has(y)) throw new BevisError('KEY_INVALID', 'a key of small order signs everything')
}

const keyObjects = new Map<string, KeyObject>()

/** True only if `signature` is a pure Ed25519 signature of `message` by the key `spki`. */
export function verifySignature(spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  const name = spki.toHex()
  let key = keyObjects.get(name)
  if (key === undefined) {
    assertKeyAcceptable(spki)
    try {
      key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    } catch (cause) {
      throw new BevisError('KEY_INVALID', 'not an Ed25519 public key', { cause })
    }
    if (keyObjects.size >= 1024) keyObjects.clear() // keys of strangers must not grow the memory
    keyObjects.set(name, key)
  }
  return verify(null, message, key, signature)
}
