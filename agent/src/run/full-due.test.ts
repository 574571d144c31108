import { Story } from '../../../shared/src/contract/story-for-tests.ts'
import { expect, test } from 'vitest'
import type { OwnRun } from '../evidence/own-runs.ts'
import { isFullDue } from './full-due.ts'

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
