import { expect, test } from 'vitest'
import { windowed } from './windowed.ts'

test('gives the bytes that are asked for, in whatever order, and reads on where they follow each other', () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at * 31 + (at >> 8))
  let reads = 0
  const source = windowed(bytes.length, (from, to) => {
    reads += 1
    return bytes.slice(from, to)
  })
  for (let at = 0; at < bytes.length; at += 1_000) {
    expect(source.read(at, at + 1_000)).toEqual(bytes.slice(at, at + 1_000))
  }
  expect(reads).toBeLessThan(5)
  const places = [
    [299_990, 300_000],
    [5, 9],
    [9, 200_000],
    [200_000, 200_001],
    [0, 0],
    [150_000, 150_010],
  ] as const
  for (const [from, to] of places) expect(source.read(from, to)).toEqual(bytes.slice(from, to))
})
