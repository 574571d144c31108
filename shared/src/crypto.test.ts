import { describe, expect, test } from 'vitest'
import {
  assertKeyAcceptable,
  generateSigningKey,
  signerFromPem,
  signerFromSeed,
  spkiFromPem,
  spkiOf,
  spkiToPem,
  verifySignature,
} from './crypto.ts'

const message = new TextEncoder().encode('message')

test('RFC 8032, test 2: the signature of a known seed', () => {
  const seed = Uint8Array.fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
  const signer = signerFromSeed(seed)
  expect(signer.spki.slice(12).toHex()).toBe(
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  )
  expect(signer.sign(Uint8Array.of(0x72)).toHex()).toBe(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  )
})

test('a signature fits its message and key only', () => {
  const { privatePem, spki } = generateSigningKey()
  const signature = signerFromPem(privatePem).sign(message)
  expect(verifySignature(spki, message, signature)).toBe(true)
  expect(verifySignature(generateSigningKey().spki, message, signature)).toBe(false)
  expect(verifySignature(spki, Uint8Array.of(...message, 0), signature)).toBe(false)
  for (let bit = 0; bit < 512; bit += 7) {
    const flipped = signature.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(verifySignature(spki, message, flipped)).toBe(false)
  }
})

describe('keys of small order, which sign every message', () => {
  // The eight points and their non-canonical encodings, little-endian, each with both signs of x.
  const encodings = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ]
  test.each(encodings)('%s', (encoding) => {
    const raw = Uint8Array.fromHex(encoding)
    const signed = raw.slice()
    signed[31] = (signed[31] ?? 0) | 0x80
    expect(() => assertKeyAcceptable(spkiOf(raw))).toThrow('small order')
    expect(() => assertKeyAcceptable(spkiOf(signed))).toThrow('small order')
    expect(() => verifySignature(spkiOf(raw), message, new Uint8Array(64))).toThrow('small order')
  })

  test('a key beyond the field is a second spelling of another, and is refused', () => {
    // y = p + 3 stands for 3, which lies on the curve and has a large order.
    const raw = Uint8Array.fromHex(`f0${'ff'.repeat(30)}7f`)
    expect(() => assertKeyAcceptable(spkiOf(raw))).toThrow('canonical')
  })

  test('a signature of small order is refused by a good key too', () => {
    const { spki } = generateSigningKey()
    for (const encoding of encodings) {
      const signature = Uint8Array.of(...Uint8Array.fromHex(encoding), ...new Uint8Array(32))
      expect(verifySignature(spki, message, signature)).toBe(false)
    }
  })

  test('ordinary keys are taken', () => {
    for (let round = 0; round < 50; round += 1) {
      expect(() => assertKeyAcceptable(generateSigningKey().spki)).not.toThrow()
    }
  })
})

test('PEM is read in one form only', () => {
  const { spki } = generateSigningKey()
  const pem = spkiToPem(spki)
  expect(spkiFromPem(pem)).toEqual(new Uint8Array(spki))
  expect(() => spkiFromPem(pem.replaceAll('\n', '\r\n'))).toThrow('PEM')
  expect(() => spkiFromPem(` ${pem}`)).toThrow('PEM')
})
