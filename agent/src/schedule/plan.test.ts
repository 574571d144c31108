import { expect, test } from 'vitest'
import type { Mark } from './mark.ts'
import { plansOf } from './plan.ts'
import type { Plan, Scheduled } from './plan.ts'

const set = (change: Partial<Scheduled> = {}): Scheduled => ({
  id: 'shop',
  repository: { url: '/repo' },
  backup: { cron: '30 2 * * *', timezone: 'Europe/Copenhagen', jitter: 'PT0S' },
  restoreTest: { jitter: 'PT0S', files: 50 },
  inventory: { every: 'PT12H' },
  ...change,
})
const mark = (startedAt: string, outcome = 'passed'): Mark => ({
  startedAt,
  endedAt: startedAt,
  outcome,
  code: null,
})
const at = (text: string): Date => new Date(text)
const planOf = (what: Plan['what'], ...sets: Scheduled[]): Plan => {
  const plan = plansOf(sets).find((candidate) => candidate.what === what)
  if (plan === undefined) throw new Error(`no plan for ${what}`)
  return plan
}

test('what ran since its time is not owed; what did not is, once, however often it was missed', () => {
  const plan = planOf('backup', set())
  const now = at('2026-11-23T12:00:00.000Z')
  expect(plan.owedSince(mark('2026-11-23T01:30:01.000Z'), now)).toBeNull()
  expect(plan.owedSince(mark('2026-11-22T01:30:01.000Z'), now)).toEqual(at('2026-11-23T01:30:00.000Z'))
  expect(plan.owedSince(mark('2026-09-01T01:30:00.000Z'), now)).toEqual(at('2026-11-23T01:30:00.000Z'))
  expect(plan.next(mark('2026-09-01T01:30:00.000Z'), now)).toEqual(at('2026-11-24T01:30:00.000Z'))
})

test('a mark from a time that has not come, by a clock that was wrong, keeps nothing from being run', () => {
  const now = at('2026-11-23T12:00:00.000Z')
  const backup = planOf('backup', set())
  expect(backup.owedSince(mark('2030-01-01T00:00:00.000Z'), now)).toEqual(at('2026-11-23T01:30:00.000Z'))
  expect(backup.owedSince(mark('2026-11-24T11:00:00.000Z'), now)).not.toBeNull()
  expect(backup.owedSince(mark('2030-01-01T00:00:00.000Z', 'new'), now)).not.toBeNull()
  const inventory = planOf('inventory', set())
  expect(inventory.owedSince(mark('2030-01-01T00:00:00.000Z'), now)).toEqual(now)
  expect(inventory.next(mark('2030-01-01T00:00:00.000Z'), now)).toEqual(now)
  // A clock that was put back by seconds is no reason to run twice.
  expect(backup.owedSince(mark('2026-11-23T12:00:20.000Z'), now)).toBeNull()
})

test('a set that is only seen owes nothing of the past', () => {
  expect(
    planOf('backup', set()).owedSince(
      mark('2026-11-23T11:59:00.000Z', 'new'),
      at('2026-11-23T12:00:00.000Z'),
    ),
  ).toBeNull()
})

test('the night on which clocks skip the time has its backup too, and the one that repeats it has one', () => {
  const plan = planOf('backup', set())
  const before = mark('2027-03-27T01:30:00.000Z')
  expect(plan.owedSince(before, at('2027-03-28T01:29:59.000Z'))).toBeNull()
  expect(plan.owedSince(before, at('2027-03-28T01:30:00.000Z'))).toEqual(at('2027-03-28T01:30:00.000Z'))
  expect(plan.owedSince(mark('2027-10-31T00:30:00.000Z'), at('2027-10-31T12:00:00.000Z'))).toBeNull()
})

test('jitter lies in its span, is the same each time, and is not the same each night', () => {
  const backup = { cron: '30 2 * * *', timezone: 'UTC', jitter: 'PT30M' }
  const plan = planOf('backup', set({ backup }))
  const delays = Array.from({ length: 50 }, (_, day) => {
    const eve = at(new Date(Date.UTC(2026, 10, 1 + day, 2, 0)).toISOString())
    const next = plan.next(mark(eve.toISOString()), eve)
    expect(planOf('backup', set({ backup })).next(mark(eve.toISOString()), eve)).toEqual(next)
    return ((next?.getTime() ?? 0) - eve.getTime()) / 60_000 - 30
  })
  expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...delays)).toBeLessThan(30)
  expect(new Set(delays).size).toBeGreaterThan(40)
})

test('a run inside its jitter is owed when the jitter is over, not before', () => {
  const plan = planOf('backup', set({ backup: { cron: '0 3 * * *', timezone: 'UTC', jitter: 'PT50M' } }))
  const last = mark('2026-11-22T03:10:00.000Z')
  const due = plan.next(last, at('2026-11-23T02:59:59.000Z'))
  expect(plan.owedSince(last, at('2026-11-23T03:00:00.000Z'))).toBeNull()
  expect(plan.owedSince(last, due ?? at('1970-01-01T00:00:00.000Z'))).toEqual(due)
})

test('an inventory is due at once when there is none, then at its interval, and once for sets that share a repository', () => {
  const other = set({ id: 'media', inventory: { every: 'PT6H' } })
  expect(plansOf([set(), other]).filter(({ what }) => what === 'inventory')).toHaveLength(1)
  const plan = planOf('inventory', set(), other)
  const now = at('2026-11-23T12:00:00.000Z')
  expect(plan.owedSince(mark('2026-11-23T12:00:00.000Z', 'new'), now)).toEqual(now)
  expect(plan.owedSince(mark('2026-11-23T06:00:01.000Z'), now)).toBeNull()
  expect(plan.owedSince(mark('2026-11-23T05:00:00.000Z'), now)).toEqual(at('2026-11-23T11:00:00.000Z'))
})

test('one repository has one inventory, however its sets spell it, and no two runs at once', () => {
  const other = set({ id: 'media', repository: { url: 'local:/repo/' }, inventory: { every: 'PT6H' } })
  const plans = plansOf([set(), other])
  const [inventory, ...more] = plans.filter(({ what }) => what === 'inventory')
  expect(more).toEqual([])
  expect(inventory?.next(mark('2026-11-23T10:00:00.000Z'), at('2026-11-23T12:00:00.000Z'))).toEqual(
    at('2026-11-23T16:00:00.000Z'),
  )
  expect(new Set(plans.map(({ repository }) => repository)).size).toBe(1)
})

test('what has no cron expression is only done by hand', () => {
  expect(plansOf([set({ backup: { timezone: 'UTC', jitter: 'PT0S' } })]).map(({ what }) => what)).toEqual([
    'inventory',
  ])
})

test('data checks follow their cron, deletion probes their interval, and neither is done unless it is asked for', () => {
  expect(plansOf([set()]).map(({ what }) => what)).toEqual(['backup', 'inventory'])
  const asked = set({ dataCheck: { cron: '0 12 * * *', jitter: 'PT0S' }, deletionProbe: { every: 'P7D' } })
  const now = at('2026-11-23T12:00:00.000Z')
  expect(planOf('data-check', asked).next(mark('2026-11-23T00:00:00.000Z'), now)).toEqual(
    at('2026-11-24T11:00:00.000Z'),
  )
  const probe = planOf('deletion-probe', asked)
  expect(probe.owedSince(mark('2026-11-23T12:00:00.000Z', 'new'), now)).toEqual(now)
  expect(probe.owedSince(mark('2026-11-16T12:00:01.000Z'), now)).toBeNull()
  expect(probe.owedSince(mark('2026-11-16T11:00:00.000Z'), now)).toEqual(at('2026-11-23T11:00:00.000Z'))
  // Another set may have other credentials for the same repository.
  const two = [asked, { ...asked, id: 'media' }]
  expect(plansOf(two).filter(({ what }) => what === 'deletion-probe')).toHaveLength(2)
})
