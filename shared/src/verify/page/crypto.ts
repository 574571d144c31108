/**
 * What `../../crypto.ts` is to Node, for a browser: the page's bundle has this file in its place. The verifier's code
 * is synchronous and a browser's own cryptography is not, so everything here is computed in JavaScript; signatures
 * that the browser has verified before ({@link verifyAhead}) are only looked up.
 */
import { Point, etc } from '@noble/ed25519'
import { sha256 as sha256Of, sha512 } from '@noble/hashes/sha2.js'
import type { RunningHash } from '../../crypto.ts'
import { encodeHex } from '../../hex.ts'
import { assertKeyAcceptable, isSmallOrder, rawKeyOf } from '../../key.ts'
import { DigestSet } from '../digest-set.ts'

export { assertKeyAcceptable, rawKeyOf, spkiFromPem, spkiOf, spkiToPem } from '../../key.ts'

const encoder = new TextEncoder()

export function sha256(bytes: Uint8Array): Uint8Array {
  return sha256Of(bytes)
}

export function sha256Hex(data: Uint8Array | string): string {
  return encodeHex(sha256Of(typeof data === 'string' ? encoder.encode(data) : data))
}

export function startSha256(): RunningHash {
  const running = sha256Of.create()
  return { update: (bytes) => void running.update(bytes), hex: () => encodeHex(running.digest()) }
}

export function keyidOf(spki: Uint8Array): string {
  return sha256Hex(spki)
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

export function crc32(bytes: Uint8Array, before = 0): number {
  let crc = ~before
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}

/** Signatures that hold, each named by key, signature and the digest of its message: nothing else is ever true. */
const held = new DigestSet()

function nameOf(spki: Uint8Array, message: Uint8Array, signature: Uint8Array): string {
  return sha256Hex(`${encodeHex(spki)} ${encodeHex(signature)} ${sha256Hex(message)}`)
}

export function verifySignature(spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  assertKeyAcceptable(spki)
  if (isSmallOrder(signature.subarray(0, 32))) return false
  const name = nameOf(spki, message, signature)
  if (held.has(name)) return true
  if (!verifyInJavaScript(rawKeyOf(spki), message, signature)) return false
  held.add(name)
  return true
}

const ORDER = Point.CURVE().n

const points = new Map<string, Point>()

/**
 * RFC 8032, section 5.1.7, without the cofactor: [S]B - [k]A must encode to the very bytes of R. So do OpenSSL and the
 * browsers; a library's own `verify` is more lenient to signers who make two answers out of one.
 */
function verifyInJavaScript(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const commitment = signature.subarray(0, 32)
  const scalar = littleEndian(signature.subarray(32))
  if (scalar >= ORDER) return false
  const name = encodeHex(key)
  try {
    const point = points.get(name) ?? Point.fromBytes(key)
    if (points.size < 1_024) points.set(name, point)
    const challenge = etc.mod(littleEndian(sha512(etc.concatBytes(commitment, key, message))), ORDER)
    const expected = multiply(Point.BASE, scalar).add(multiply(point, challenge).negate())
    return encodeHex(expected.toBytes()) === encodeHex(commitment)
  } catch {
    return false // not a point of the curve
  }
}

function multiply(point: Point, scalar: bigint): Point {
  return scalar === 0n ? Point.ZERO : point.multiply(scalar, false)
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(bytes.toReversed())}`)
}

/** One signature to be verified ahead. */
export interface Claim {
  readonly spki: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/**
 * Verifies signatures by the browser's own Ed25519, several times faster, so that {@link verifySignature} finds them.
 * What does not hold, or what the browser cannot do, is left for it to decide.
 */
export async function verifyAhead(claims: readonly Claim[]): Promise<void> {
  await Promise.all(
    claims.map(async ({ spki, message, signature }) => {
      const key = await importKey(spki)
      if (key === null) verifySignature(spki, message, signature)
      else if (
        await crypto.subtle.verify('Ed25519', key, Uint8Array.from(signature), Uint8Array.from(message))
      )
        held.add(nameOf(spki, message, signature))
    }),
  )
}

const keys = new Map<string, Promise<CryptoKey | null>>()

/** Null in a browser that has no Ed25519, and on a page of no secure origin, which is given no cryptography. */
function importKey(spki: Uint8Array): Promise<CryptoKey | null> {
  const name = encodeHex(spki)
  const known = keys.get(name)
  if (known !== undefined) return known
  const imported = startImport(spki).catch(() => null)
  keys.set(name, imported)
  return imported
}

async function startImport(spki: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', Uint8Array.from(rawKeyOf(spki)), 'Ed25519', false, ['verify'])
}
