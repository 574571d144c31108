/** The browser's cryptography says what Node's says, about good signatures and bad ones. */
import { Point, etc } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, test, vi } from 'vitest'
import * as node from '../../crypto.ts'
import * as page from './crypto.ts'

const message = new TextEncoder().encode('message')
const { privatePem, spki } = node.generateSigningKey()
const signature = node.signerFromPem(privatePem).sign(message)
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n

function changed(at: number, mask: number): Uint8Array {
  const other = Uint8Array.from(signature)
  other[at] = (other[at] ?? 0) ^ mask
  return other
}

/** The same point and a scalar that is as good, were it not for the rule that it must be the smallest. */
function respelt(): Uint8Array {
  const scalar = BigInt(`0x${Uint8Array.from(signature.subarray(32)).reverse().toHex()}`) + ORDER
  return Uint8Array.of(
    ...signature.subarray(0, 32),
    ...Uint8Array.fromHex(scalar.toString(16).padStart(64, '0')).reverse(),
  )
}

test.each<[string, Uint8Array, Uint8Array, boolean]>([
  ['the signature', message, signature, true],
  ['another message', Uint8Array.of(...message, 0), signature, false],
  ['a changed point', message, changed(3, 1), false],
  ['a changed scalar', message, changed(40, 1), false],
  ['a scalar above the order', message, respelt(), false],
  ['nothing but zeros', message, new Uint8Array(64), false],
  ['too short', message, signature.subarray(0, 63), false],
])('%s', async (_, signed, sig, holds) => {
  expect(node.verifySignature(spki, signed, sig)).toBe(holds)
  await page.verifyAhead([{ spki, message: signed, signature: sig }])
  expect(page.verifySignature(spki, signed, sig)).toBe(holds)
})

test('without the browser’s own Ed25519 it is computed, and says the same', () => {
  for (let n = 0; n < 8; n += 1) {
    const fresh = Uint8Array.of(n)
    const signed = node.signerFromPem(privatePem).sign(fresh)
    expect(page.verifySignature(spki, fresh, signed)).toBe(true)
    expect(page.verifySignature(spki, message, signed)).toBe(false)
  }
})

// RFC 8032, section 7.1.
test.each([
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
])('RFC 8032, key %s', (key, text, sig) => {
  const [raw, signed, bytes] = [key, text, sig].map((hex) => Uint8Array.fromHex(hex))
  if (raw === undefined || signed === undefined || bytes === undefined) return expect.fail('hex')
  for (const { verifySignature } of [node, page])
    expect(verifySignature(node.spkiOf(raw), signed, bytes)).toBe(true)
})

/**
 * Signers who add a point of order eight to their key or to their commitment make signatures of which
 * implementations think differently (Chalkias et al., "Taming the many EdDSAs", 2020). All of ours think the same.
 */
describe('points of mixed order', () => {
  const torsion = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
  const [secret, nonce] = [123_456_789n, 987_654_321n]
  const little = (bytes: Uint8Array) => BigInt(`0x${Uint8Array.from(bytes).reverse().toHex()}`)

  function sign(key: Point, commitment: Point, signed: Uint8Array) {
    const challenge = little(sha512(etc.concatBytes(commitment.toBytes(), key.toBytes(), signed))) % ORDER
    const scalar = (nonce + challenge * secret) % ORDER
    const bytes = Uint8Array.fromHex(scalar.toString(16).padStart(64, '0')).reverse()
    return { signature: Uint8Array.of(...commitment.toBytes(), ...bytes), challenge }
  }

  test('in the commitment: only a verifier with a cofactor would take it', () => {
    const key = Point.BASE.multiply(secret)
    const signed = Uint8Array.of(1)
    const good = sign(key, Point.BASE.multiply(nonce), signed).signature
    const bad = sign(key, Point.BASE.multiply(nonce).add(torsion), signed).signature
    for (const { verifySignature } of [node, page]) {
      expect(verifySignature(node.spkiOf(key.toBytes()), signed, good)).toBe(true)
      expect(verifySignature(node.spkiOf(key.toBytes()), signed, bad)).toBe(false)
    }
  })

  test('in the key: it holds by chance, and by the same chance everywhere', () => {
    const key = Point.BASE.multiply(secret).add(torsion)
    for (let n = 0; n < 24; n += 1) {
      const signed = Uint8Array.of(n)
      const { signature: sig, challenge } = sign(key, Point.BASE.multiply(nonce), signed)
      for (const { verifySignature } of [node, page])
        expect(verifySignature(node.spkiOf(key.toBytes()), signed, sig)).toBe(challenge % 8n === 0n)
    }
  })
})

test('keys of small order are refused, whatever the browser would say', async () => {
  const weak = node.spkiOf(Uint8Array.of(1, ...new Uint8Array(31)))
  const fits = Uint8Array.of(1, ...new Uint8Array(63))
  await page.verifyAhead([{ spki: weak, message, signature: fits }])
  expect(() => page.verifySignature(weak, message, fits)).toThrow('small order')
})

test('a page that is given no cryptography computes all of it', async () => {
  vi.stubGlobal('crypto', {})
  const fresh = node.signerFromPem(node.generateSigningKey().privatePem)
  await page.verifyAhead([{ spki: fresh.spki, message, signature: fresh.sign(message) }])
  expect(page.verifySignature(fresh.spki, message, fresh.sign(message))).toBe(true)
  expect(page.verifySignature(fresh.spki, Uint8Array.of(1), fresh.sign(message))).toBe(false)
  vi.unstubAllGlobals()
})

test('digests and checksums are Node’s', () => {
  for (const text of ['', 'a', 'æøå'.repeat(1_000)]) {
    const bytes = new TextEncoder().encode(text)
    expect(page.sha256Hex(text)).toBe(node.sha256Hex(text))
    expect(page.sha256(bytes)).toEqual(Uint8Array.from(node.sha256(bytes)))
    expect(page.crc32(bytes)).toBe(node.crc32(bytes))
  }
})
