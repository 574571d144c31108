import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import {
  coverageOf,
  emptyLedger,
  loadCheckLedger,
  nextSlice,
  saveCheckLedger,
  withHindrance,
  withRead,
} from './check-ledger.ts'
import type { CheckLedger } from './check-ledger.ts'
import { nameOfCopy } from './repository.ts'

const at = (day: number): string => new Date(Date.UTC(2026, 10, day)).toISOString()
const run = (day: number, isGood = true) => ({ startedAt: at(day), endedAt: at(day), isGood })

test('within `of` reads every pack has been read, whatever was read before and however often it was hindered', () => {
  const before = fc.array(fc.record({ of: fc.integer({ min: 1, max: 256 }), isRead: fc.boolean() }), {
    maxLength: 20,
  })
  fc.assert(
    fc.property(before, fc.integer({ min: 1, max: 256 }), fc.func(fc.nat(3)), (earlier, of, hinders) => {
      let ledger = emptyLedger()
      for (const { of: other, isRead } of earlier) {
        const slice = nextSlice(ledger, other)
        ledger = isRead ? withRead(ledger, slice, run(1)) : withHindrance(ledger, slice)
      }
      ledger = { ...ledger, hindered: null }
      const from = ledger.turn
      for (let reads = 0; reads < of; reads += 1) {
        // Up to three times in a row somebody has the repository locked: the same slice is tried again.
        const slice = nextSlice(ledger, of)
        for (let times = hinders(reads); times > 0; times -= 1) ledger = withHindrance(ledger, slice)
        expect(nextSlice(ledger, of)).toEqual(slice)
        ledger = withRead(ledger, slice, run(2))
      }
      expect(ledger.bytes.every(({ read }) => read > from)).toBe(true)
      expect(coverageOf(ledger)).toMatchObject({ share: 1, since: at(2) })
    }),
    { numRuns: 200 },
  )
})

test('a slice that can never be read does not keep the others from their turn', () => {
  let ledger = emptyLedger()
  const read = new Set<number>()
  for (let runs = 0; runs < 40; runs += 1) {
    const slice = nextSlice(ledger, 7)
    if (slice.part !== 1) read.add(slice.part)
    ledger = slice.part === 1 ? withHindrance(ledger, slice) : withRead(ledger, slice, run(runs + 1))
  }
  expect(read).toEqual(new Set([2, 3, 4, 5, 6, 7]))
  const { share, completedAt } = coverageOf(ledger)
  expect(share).toBeCloseTo(6 / 7, 1)
  expect(completedAt).toBeNull()
})

test('coverage says what was read, since when, how far the cycle is, and where damage was found', () => {
  let ledger = emptyLedger()
  expect(coverageOf(ledger)).toEqual({
    share: 0,
    since: null,
    cycleShare: 0,
    completedAt: null,
    damagedShare: 0,
  })
  for (let part = 1; part <= 4; part += 1) {
    expect(nextSlice(ledger, 4)).toEqual({ part, of: 4 })
    ledger = withRead(ledger, { part, of: 4 }, run(part, part !== 2))
    expect(coverageOf(ledger)).toMatchObject({ share: part / 4, since: at(1) })
  }
  expect(coverageOf(ledger)).toMatchObject({ cycleShare: 0, completedAt: at(4), damagedShare: 0.25 })
  ledger = withRead(ledger, { part: 1, of: 4 }, run(5))
  expect(coverageOf(ledger)).toMatchObject({ share: 1, since: at(2), cycleShare: 0.25, completedAt: at(4) })
  ledger = withRead(ledger, { part: 2, of: 4 }, run(6))
  expect(coverageOf(ledger)).toMatchObject({ damagedShare: 0, since: at(3), completedAt: at(4) })
  ledger = withRead(ledger, { part: 1, of: 1 }, run(7))
  expect(coverageOf(ledger)).toMatchObject({ share: 1, since: at(7), cycleShare: 0, completedAt: at(7) })
})

test('the ledger is there again after a restart; one that is damaged proves nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-ledger-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const copy = { id: 'a'.repeat(64), location: '/srv/repository' }
  expect(loadCheckLedger(folder, copy)).toBeNull()
  const ledger: CheckLedger = withHindrance(withRead(emptyLedger(), { part: 3, of: 28 }, run(1)), {
    part: 1,
    of: 28,
  })
  await saveCheckLedger(folder, copy, ledger)
  expect(loadCheckLedger(folder, copy)).toEqual(ledger)
  mkdirSync(join(folder, 'data-checks'), { recursive: true })
  writeFileSync(join(folder, 'data-checks', `${nameOfCopy(copy)}.json`), '{"turn":3')
  expect(loadCheckLedger(folder, copy)).toBeNull()
})
