import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodePathText, encodePathText } from './path-text.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test('a valid path stands as it is', () => {
  expect(encodePathText(bytes('/srv/æøå/😀 x'))).toBe('/srv/æøå/😀 x')
})

test('other bytes are escaped, and so is the backslash', () => {
  expect(encodePathText(Uint8Array.of(0x2f, 0xff, 0x0a, 0x5c))).toBe('/\\xff\\x0a\\x5c')
  expect(encodePathText(Uint8Array.of(0xed, 0xa0, 0x80))).toBe('\\xed\\xa0\\x80') // half a surrogate pair
  expect(encodePathText(Uint8Array.of(0xc0, 0xaf))).toBe('\\xc0\\xaf') // an overlong slash
})

test('every sequence of bytes comes back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (path) => {
      const text = encodePathText(path)
      expect(text.isWellFormed()).toBe(true)
      expect(decodePathText(text)).toEqual(path)
    }),
    { numRuns: 5_000 },
  )
})

test('valid texts without control characters stand as they are', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 64 }), (text) => {
      fc.pre(
        text.isWellFormed() && [...text].every((char) => char >= ' ' && char !== '\u007f' && char !== '\\'),
      )
      expect(encodePathText(bytes(text))).toBe(text)
    }),
  )
})
