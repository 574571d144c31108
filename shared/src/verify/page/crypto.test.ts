/** The browser's cryptography says what Node's says, about good signatures and bad ones. */
import { expect, test } from 'vitest'
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

test('keys of small order are refused, whatever the browser would say', async () => {
  const weak = node.spkiOf(Uint8Array.of(1, ...new Uint8Array(31)))
  const fits = Uint8Array.of(1, ...new Uint8Array(63))
  await page.verifyAhead([{ spki: weak, message, signature: fits }])
  expect(() => page.verifySignature(weak, message, fits)).toThrow('small order')
})

test('digests and checksums are Node’s', () => {
  for (const text of ['', 'a', 'æøå'.repeat(1_000)]) {
    const bytes = new TextEncoder().encode(text)
    expect(page.sha256Hex(text)).toBe(node.sha256Hex(text))
    expect(page.sha256(bytes)).toEqual(Uint8Array.from(node.sha256(bytes)))
    expect(page.crc32(bytes)).toBe(node.crc32(bytes))
  }
})
