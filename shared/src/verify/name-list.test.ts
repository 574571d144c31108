import { expect, test } from 'vitest'
import fc from 'fast-check'
import { sha256Hex } from '../crypto.ts'
import { DigestSet } from './digest-set.ts'
import { NameList } from './name-list.ts'

test('names are kept apart, each at its place, whatever they look like', () => {
  const number = fc.oneof(fc.nat(20), fc.maxSafeNat(), fc.constantFrom('00', '01', '9'.repeat(16)))
  const part = fc.constantFrom('', 'a', 'proofs/', '\n', '\n1\n', '.txt', '-', 'ø', '\0')
  const name = fc.tuple(part, number, part, number, part).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.array(fc.oneof(name, part)), (added) => {
      const list = new NameList()
      const whole = new Map<string, number>()
      for (const one of added) {
        expect(list.add(one)).toBe(whole.has(one) ? -1 : whole.size)
        if (!whole.has(one)) whole.set(one, whole.size)
      }
      expect([...list.names()]).toEqual([...whole.keys()])
      for (const one of [...added, 'b', 'proofs/1', '1', '\n1\n']) {
        expect(list.placeOf(one)).toBe(whole.get(one) ?? -1)
      }
    }),
  )
})

test('a hundred thousand of a kind are found again', () => {
  const list = new NameList()
  for (let n = 0; n < 100_000; n += 1) list.add(`proofs/${3 * n}.tlog-proof`)
  for (let n = 0; n < 300_000; n += 1) expect(list.has(`proofs/${n}.tlog-proof`)).toBe(n % 3 === 0)
})

test('digests are kept apart', () => {
  const [digests, set] = [Array.from({ length: 5_000 }, (_, n) => sha256Hex(String(n))), new DigestSet()]
  for (const digest of digests.slice(2_500)) expect(set.add(digest)).toBe(true)
  for (const digest of digests.slice(2_500)) expect(set.add(digest)).toBe(false)
  expect(digests.map((digest) => set.has(digest))).toEqual(digests.map((_, n) => n >= 2_500))
  const [first = ''] = digests.slice(2_500)
  expect(set.has(`${first.slice(0, 63)}${first.endsWith('0') ? '1' : '0'}`)).toBe(false)
  expect(set.size).toBe(2_500)
})
