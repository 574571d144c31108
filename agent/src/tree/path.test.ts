import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytePath, bytePathOf, bytesOf, compareInTree, fromPathText, lossyText, pathText } from './path.ts'
import type { BytePath } from './path.ts'

const nameBytes = fc
  .uint8Array({ minLength: 1, maxLength: 6 })
  .map((bytes) => bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte)))
const path = fc
  .array(nameBytes, { minLength: 1, maxLength: 4 })
  .map((names) => bytePath(Buffer.concat(names.flatMap((name) => [Buffer.from('/'), name]))))

test('bytes survive the way to text and back', () => {
  fc.assert(
    fc.property(path, (one) => {
      expect(fromPathText(pathText(one))).toBe(one)
      expect(bytePath(bytesOf(one))).toBe(one)
    }),
  )
})

test('the tree order is the order by components, each by its bytes', () => {
  const byComponents = (one: BytePath, other: BytePath): number => {
    const left = one.split('/').map((name) => Buffer.from(name, 'latin1'))
    const right = other.split('/').map((name) => Buffer.from(name, 'latin1'))
    for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
      const order = Buffer.compare(left[at] ?? Buffer.alloc(0), right[at] ?? Buffer.alloc(0))
      if (order !== 0) return order
    }
    return left.length - right.length
  }
  fc.assert(
    fc.property(path, path, (one, other) => {
      expect(Math.sign(compareInTree(one, other))).toBe(Math.sign(byComponents(one, other)))
    }),
  )
})

test('a folder comes before its content, and its content before the next name', () => {
  const paths = ['/a', '/a/b', '/a/b/c', '/a!', '/a-b', '/a.txt', '/a0'].map(bytePathOf)
  expect(paths.toSorted(compareInTree)).toEqual(paths)
})

test('each invalid byte is one U+FFFD, as Go writes it', () => {
  const bad = (bytes: number[]): string =>
    bytesOf(lossyText(bytePath(Uint8Array.from(bytes)))).toString('utf8')
  expect(bad([0x62, 0xff, 0xfe])).toBe('b\uFFFD\uFFFD')
  // A cut-off four-byte sequence: three bytes, three marks (WHATWG decoders make it one).
  expect(bad([0xf0, 0x9f, 0x92, 0x41])).toBe('\uFFFD\uFFFD\uFFFDA')
  expect(bad([0xed, 0xa0, 0x80])).toBe('\uFFFD\uFFFD\uFFFD')
  expect(bad([0x5c, 0xff, 0x0a])).toBe('\\\uFFFD\n')
  expect(bad([...Buffer.from('\\x41é')])).toBe('\\x41é')
  expect(bad([...Buffer.from('\\x41'), 0xff])).toBe('\\x41\uFFFD')
})
