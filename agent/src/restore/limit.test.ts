import { expect, test } from 'vitest'
import { defectLimit } from './limit.ts'

/** C(N-K, n) / C(N, n), in exact integers. */
function missed(population: bigint, bad: bigint, tested: bigint): number {
  let [above, below] = [1n, 1n]
  for (let step = 0n; step < tested; step += 1n) {
    above *= population - bad - step
    below *= population - step
  }
  return Number((above * 1_000_000_000n) / below) / 1e9
}

test.each([
  [100_000, 299, 995],
  [100_000, 1_000, 297],
  [100_000, 10_000, 28],
])('of %i files %i tested: at most %i bad ones', (population, tested, bad) => {
  expect(Math.round(defectLimit(population, tested) * population)).toBe(bad)
})

test('the bound is the last number of bad ones that could well have been missed', () => {
  for (const [population, tested] of [
    [10, 3],
    [50, 20],
    [200, 59],
    [1000, 7],
  ] as const) {
    const bad = Math.round(defectLimit(population, tested) * population)
    expect(missed(BigInt(population), BigInt(bad), BigInt(tested))).toBeGreaterThanOrEqual(0.05)
    expect(missed(BigInt(population), BigInt(bad) + 1n, BigInt(tested))).toBeLessThan(0.05)
  }
})

test('everything tested leaves nothing open; nothing tested leaves everything open', () => {
  expect(defectLimit(50, 50)).toBe(0)
  expect(defectLimit(50, 0)).toBe(1)
  expect(defectLimit(0, 0)).toBe(0)
})
