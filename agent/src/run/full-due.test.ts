import { Story } from '../../../shared/src/contract/story-for-tests.ts'
import { expect, test } from 'vitest'
import type { OwnRun } from '../evidence/own-runs.ts'
import { fullHindrance, isFullDue } from './full-due.ts'

const set = (fullEvery?: string, cron = '0 3 * * *') =>
  ({
    id: 'filer',
    backup: { timezone: 'UTC' },
    restoreTest: { cron, ...(fullEvery !== undefined && { fullEvery }) },
  }) as Parameters<typeof isFullDue>[0]

const own = (mode: 'full' | 'sample', result: 'PASSED' | 'FAILED', set = 'filer'): OwnRun[] => {
  const story = new Story()
  story.test(story.backup('2026-11-01T21:00:00Z'), '2026-11-02T03:00:00Z', result, { mode, set })
  return story.facts as OwnRun[]
}
const at = (day: number) => new Date(Date.UTC(2026, 10, day, 3, 0, 5))

test('a full test is due when the next scheduled one would come too late, and until one has passed', () => {
  expect(isFullDue(set(), [], at(3))).toBe(false)
  expect(isFullDue(set('P7D'), [], at(3))).toBe(true)
  for (const other of [own('full', 'FAILED'), own('sample', 'PASSED'), own('full', 'PASSED', 'other')])
    expect(isFullDue(set('P7D'), other, at(3))).toBe(true)
  const passed = own('full', 'PASSED')
  expect([3, 7, 8, 9].map((day) => isFullDue(set('P7D'), passed, at(day)))).toEqual([
    false,
    false,
    false,
    true,
  ])
  // Every night, whatever the minute.
  expect(isFullDue(set('P1D'), passed, at(3))).toBe(true)
})

test('after a full test that its means cut short comes a sample, then a full one again', () => {
  const story = new Story()
  const snapshot = story.backup('2026-11-01T21:00:00Z')
  const facts = () => story.facts as OwnRun[]
  const full = { mode: 'full', set: 'filer' } as const
  const error = { code: 'RESTIC_TIMEOUT', message: 'restic took too long' }
  story.test(snapshot, '2026-11-02T03:00:00Z', 'INCONCLUSIVE', { ...full, error })
  // An older snapshot had its turn in the same run.
  story.test(snapshot, '2026-11-02T03:30:00Z', 'PASSED', { reason: 'ladder', set: 'filer' })
  expect(isFullDue(set('P1D'), facts(), at(3))).toBe(false)
  expect(fullHindrance(set('P1D'), facts())).toEqual(error)
  expect(fullHindrance(set(), facts())).toBeNull()
  story.test(snapshot, '2026-11-03T03:00:00Z', 'PASSED', { set: 'filer' })
  expect(isFullDue(set('P1D'), facts(), at(4))).toBe(true)
  // Doctor says it until one has passed.
  expect(fullHindrance(set('P1D'), facts())).toEqual(error)
  story.test(snapshot, '2026-11-04T03:00:00Z', 'PASSED', full)
  expect(fullHindrance(set('P1D'), facts())).toBeNull()
})

test('a full test that the way to the storage hindered is tried again as it was', () => {
  const story = new Story()
  const error = { code: 'RESTIC_REPOSITORY_UNREACHABLE', message: 'no route to host' }
  const snapshot = story.backup('2026-11-01T21:00:00Z')
  story.test(snapshot, '2026-11-02T03:00:00Z', 'INCONCLUSIVE', { mode: 'full', set: 'filer', error })
  expect(isFullDue(set('P1D'), story.facts as OwnRun[], at(3))).toBe(true)
})

test('a pass from a clock that was ahead keeps no full test from being due', () => {
  expect(isFullDue(set('P7D'), own('full', 'PASSED'), new Date('2026-10-01T03:00:00Z'))).toBe(true)
})
