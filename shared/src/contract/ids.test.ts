import { expect, test } from 'vitest'
import { sha256Hex } from '../crypto.ts'
import { Ids } from './ids.ts'
import { PlaceIndex } from './place-index.ts'

test('each ID has one number, and gives it back, however many there are', () => {
  const ids = new Ids()
  const all = Array.from({ length: 2_000 }, (_, n) => sha256Hex(`${n}`))
  // Alike in all but their ends, as nobody would make them by chance.
  for (let n = 0; n < 500; n += 1) all.push(n.toString(16).padStart(64, '0'))
  expect(all.map((id) => ids.numberOf(id))).toEqual(all.map(() => -1))
  expect(all.map((id) => ids.add(id))).toEqual(all.map((_, n) => n))
  expect(all.map((id) => ids.add(id))).toEqual(all.map((_, n) => n))
  expect(all.map((id) => ids.numberOf(id))).toEqual(all.map((_, n) => n))
  expect(all.map((_, n) => ids.at(n))).toEqual(all)
  expect(ids.size).toBe(all.length)
})

test('places are found by their numbers', () => {
  const numbers = Array.from({ length: 1_000 }, (_, n) => 7 * n)
  const index = new PlaceIndex((place) => numbers[place])
  for (const [place, number] of numbers.entries()) index.add(number, place)
  expect(numbers.map((number) => index.placeOf(number))).toEqual(numbers.map((_, place) => place))
  expect([1, 6, 7_000].map((number) => index.placeOf(number))).toEqual([-1, -1, -1])
})
