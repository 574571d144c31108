/**
 * SHA-256, pure Ed25519 (RFC 8032) and a checksum, by Node.
 * The only module of shared that needs it: the page in a browser has `verify/page/crypto.ts` in its place.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { crc32 as crcOf } from 'node:zlib'
import { BevisError } from './error.ts'
import { decodeHex, encodeHex } from './hex.ts'
import { assertKeyAcceptable, isSmallOrder } from './key.ts'

export { assertKeyAcceptable, rawKeyOf, spkiFromPem, spkiOf, spkiToPem } from './key.ts'

/** DER in front of a 32-byte Ed25519 seed (RFC 8410, PKCS #8). */
const PKCS8_PREFIX = decodeHex('302e020100300506032b657004220420')

/** SHA-256 of bytes, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer')
}

/** SHA-256 of bytes or of a text's UTF-8, as 64 lowercase hex digits. */
export function sha256Hex(data: Uint8Array | string): string {
  return hash('sha256', data, 'hex')
}

/** A SHA-256 of bytes that come piece by piece. */
export interface RunningHash {
  update(bytes: Uint8Array): void
  /** 64 lowercase hex digits; asked once. */
  hex(): string
}

export function startSha256(): RunningHash {
  const running = createHash('sha256')
  return { update: (bytes) => void running.update(bytes), hex: () => running.digest('hex') }
}

/**
 * The checksum of zips (APPNOTE 6.3.9, section 4.4.7): it finds damage, it proves nothing. `before` is that of the
 * bytes before these.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  return crcOf(bytes, before)
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

const keyObjects = new Map<string, KeyObject>()

/**
 * True only if `signature` is a pure Ed25519 signature of `message` by the key `spki`. Points of small order are
 * refused, as the commitment too: on them implementations differ, and no honest signer ever makes one.
 */
export function verifySignature(spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  const name = encodeHex(spki)
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
  return !isSmallOrder(signature.subarray(0, 32)) && verify(null, message, key, signature)
}
