/**
 * Two years of the bookkeeping (deploy/examples/contracts/bookkeeping.yaml), and what the contract says of them.
 *
 * Promised: every working day, which runs from 18:00 to 18:00, kept 30 days; every month, kept 13 months; every
 * fiscal year by a backup of the five months after it, kept 5 years; a copy elsewhere that cannot be deleted; a
 * restore test every three months, of everything every year. Backups at 21:30Z on working days (22:30 in winter,
 * 23:30 in summer); inventories at 06:00Z and 23:00Z; the copy follows a few minutes after each. On the first of each
 * month all goes that is over 62 days old, but the last of each month; those go after fourteen months, but what was
 * taken from January to May serves a fiscal year and stays.
 *
 *  1. 5 March 2025: the backup runs at half past midnight, on the 6th by the calendar, on the 5th by its 18:00. Met.
 *  2. Easter 2025: nothing is owed from Thursday 17 to Monday 21 April, and those days do not age the newest point:
 *     of 23:30 on the 16th with 30 hours, 18½ lie before 18:00 on the 17th, the rest after 18:00 on the 22nd.
 *  3. Friday 16 May 2025 was no Great Prayer Day any more: no backup, due on the 18th at midnight (22:00Z on the 17th).
 *     At noon on the 17th it is pending, but the newest point's 30 hours ended at 05:30 (03:30Z): breached by age. On
 *     the 18th it is missed, from the inventory of 23:00Z. On the 20th there are new points, and the missed day is
 *     owed on, for 30 days, to 18:00 on 16 June.
 *  4. 8 July 2025: three of 4,200 files unreadable, 0.07 %, none of the ledger's: accepted. 15 July: one of the ledger's:
 *     not accepted, due at 22:00Z on the 16th, missed on the 17th, owed to 18:00 on 15 August.
 *  5. October 2025: nobody tries to delete from the copy. The proof of 1 September serves 31 days; on the 10th it is
 *     unknown whether the copy can be deleted. Tried again on 1 November.
 *  6. The fiscal year 2025 ends at 18:00 on 1 January 2026. On that day at noon it still runs: pending. The first
 *     backup after it, of Friday the 2nd, serves it: kept to 18:00 on 1 January 2031, due with six hours' grace after
 *     18:00 on 1 June. 2024 had begun before the onboarding; 2026 is pending to the end.
 *  7. 17 March 2026: no backup. The provider excuses it on the day before, alone: missed on the 19th. The customer agrees
 *     on the 25th: excused.
 *  8. 5 May 2026: October's last backup is removed. It was owed through November 2026: lost from the inventory of
 *     23:00Z. Copied back from the copy on the 8th, under a new ID, with its first ID and its tree: met again.
 *  9. 3 August 2026: all is copied to a new repository. The provider says so, the customer not yet: the newest inventory
 *     of the lineage lists nothing that counts, and all is lost. What lies there would be young enough for the age of
 *     the newest point, only that no run reports it: unknown. On the 4th the customer agrees. But the day of Friday 3
 *     July was owed to 18:00 on the 3rd: it ended while it counted for lost, and stays so.
 * 10. 5 October 2026: a person's data are erased from February's last backup, which both have approved. Kept.
 * 11. The test of everything of 15 December 2025 is not repeated: at risk from 15 December 2026, breached from the 29th,
 *     mended on the 30th.
 * 12. Credits: the contract has no clause on them, and there are none. With those of CLAUSES below: 16 May and 15 July
 *     2025 are missed, 4 % each; 17 March 2026 is excused by both before the month is over. October 2025's month is
 *     lost in May 2026, 3 %. On 3 August 2026 all that is owed is lost: the 20 working days from 6 to 31 July and Friday
 *     the 3rd, whose day ended lost; the months from July 2025 to July 2026, 13; the fiscal year 2025: 35 of 3 %, capped
 *     at 15. At that day's end what lies in the new repository is reported by no run: points undecided on one day. The
 *     test of everything is overdue at the end of 29 December: 5 %. Nobody knows whether the copy can be deleted on 1
 *     January 2025, before the first try, and at the ends of 2 to 31 October, 30 days: no credit, and told.
 *
 * At the end, 31 December 2026 at noon: 2025 has 253 working days (261 Mondays to Fridays, less 1 January, 17, 18 and
 * 21 April, 29 May, 9 June, 25 and 26 December), 2026 has 254 (261 less 1 January, 2, 3 and 6 April, 14 and 25 May, 25
 * December), of which the last has not begun: 506 days, 2 missed, 1 lost, 1 excused, 502 kept. 24 months kept, 1
 * fiscal year kept, 1 pending. 527 of 530.
 */
import { expect, test } from 'vitest'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { Story, repositoryOf } from '@bevis/shared/contract/story-for-tests'
import {
  Watch,
  creditLines,
  datesFrom,
  exampleContract,
  inShort,
  statesOf,
  withPenalties,
} from './kit/two-years.ts'

const DAY_MS = 86_400_000
const contract = exampleContract('bookkeeping')
const mine = { contract: contract.id }
const away = repositoryOf('vts-01-offsite', 'vts-01-offsite')
const home = repositoryOf('vts-01', 'vts-01')
const moved = repositoryOf('vts-01 moved', 'vts-01')
const paths = ['/srv/c5/data', '/srv/c5/bilag']

/** Written out, not computed: the law's days. */
const HOLIDAYS = new Set([
  ...[
    '2025-01-01',
    '2025-04-17',
    '2025-04-18',
    '2025-04-21',
    '2025-05-29',
    '2025-06-09',
    '2025-12-25',
    '2025-12-26',
  ],
  ...['2026-01-01', '2026-04-02', '2026-04-03', '2026-04-06', '2026-05-14', '2026-05-25', '2026-12-25'],
])
const FORGOTTEN = new Set(['2025-05-16', '2026-03-17'])
const SAMPLES = new Set([
  '2025-03-15',
  '2025-06-10',
  '2025-09-05',
  '2025-12-01',
  '2026-03-10',
  '2026-06-05',
  '2026-09-01',
  '2026-11-25',
])
const FULL = new Set(['2025-12-15', '2026-12-30'])

/** What the two might have agreed on. */
const CLAUSES = [
  { measure: 'points.missed', per: 'obligation', pctOfMonthlyFee: 4, capPct: 10 },
  { measure: 'retention.lost', per: 'obligation', pctOfMonthlyFee: 3, capPct: 15 },
  { measure: 'copies.deletion-allowed', per: 'day', pctOfMonthlyFee: 1, capPct: null },
  { measure: 'proof', per: 'month', pctOfMonthlyFee: 5, capPct: null },
] as const

function isWorkday(date: string): boolean {
  return new Date(date).getUTCDay() % 6 !== 0 && !HOLIDAYS.has(date)
}

class Books {
  readonly story = new Story({ agent: 'srv-c5', host: 'srv-c5', lineage: 'vts-01' })
  #october: Snap | undefined

  tell(): Story {
    for (const date of datesFrom('2025-01-01', '2026-12-31')) {
      this.#inventories(date, '06')
      this.#happen(date)
      if (isWorkday(date) && !FORGOTTEN.has(date)) this.#backUp(date)
      if (date === '2026-05-08') this.#copyBack()
      this.#inventories(date, '23')
    }
    return this.story
  }

  #backUp(date: string): void {
    const run = { set: 'regnskab', snap: { paths } }
    const partial = (path: string) => ({
      outcome: 'partial' as const,
      failed: { count: 3, paths: [path, `${paths[1]}/b`, `${paths[1]}/c`] },
    })
    const failed =
      date === '2025-07-08' ? partial(`${paths[1]}/a`) : date === '2025-07-15' ? partial(`${paths[0]}/a`) : {}
    const snapshot = this.story.backup(date === '2025-03-05' ? `${date}T23:30:00Z` : `${date}T21:30:00Z`, {
      ...run,
      ...failed,
    })
    if (date === '2025-10-31') this.#october = snapshot
  }

  #inventories(date: string, hour: string): void {
    // The night of 5 March, the backup came after the evening's inventory.
    const isBusy = date === '2025-03-05' && hour === '23'
    if (isBusy) return
    const { story } = this
    const own = story.repository
    story.inventory(`${date}T${hour}:00:00Z`)
    story.copyAll(away)
    story.repository = away
    story.inventory(`${date}T${hour}:15:00Z`)
    story.repository = own
  }

  #copyBack(): void {
    const copy = this.story.contents(away).find(({ original }) => original === this.#october?.id)
    this.story.copyAll(this.story.repository, [copy!])
  }

  #happen(date: string): void {
    const { story } = this
    if ((date.endsWith('-01') && date !== '2025-01-01' && date !== '2025-10-01') || date === '2025-01-02') {
      story.probe(`${date}T08:00:00Z`, 'refused', away)
    }
    const newest = story.contents().at(-1)
    if (SAMPLES.has(date)) story.test(newest!, `${date}T09:00:00Z`, 'PASSED', { set: 'regnskab' })
    if (FULL.has(date)) story.test(newest!, `${date}T09:00:00Z`, 'PASSED', { set: 'regnskab', mode: 'full' })
    if (date.endsWith('-01')) this.#retain(date)
    const day = { sets: ['regnskab'], from: '2026-03-17', to: '2026-03-17' }
    if (date === '2026-03-16') story.event(`${date}T09:00:00Z`, 'exclusion-approved', 'provider', day, mine)
    if (date === '2026-03-25') story.event(`${date}T09:00:00Z`, 'exclusion-approved', 'customer', day, mine)
    if (date === '2026-05-05') story.forget([this.#october!], `${date}T10:00:00Z`)
    const succession = { from: home.id, to: moved.id }
    if (date === '2026-08-03') {
      story.event(`${date}T11:00:00Z`, 'repository-succession', 'provider', succession, mine)
      story.copyAll(moved)
      story.repository = moved
      story.inventory(`${date}T12:00:00Z`)
    }
    if (date === '2026-08-04')
      story.event(`${date}T09:00:00Z`, 'repository-succession', 'customer', succession, mine)
    if (date === '2026-10-05') {
      const february = story.contents().find(({ time }) => time.startsWith('2026-02-27'))!
      for (const party of ['provider', 'customer'] as const) {
        story.event(`${date}T08:00:00Z`, 'erasure-approved', party, { original: february.id }, mine)
      }
      story.rename(february, { tree: 'e'.repeat(64) })
    }
  }

  #retain(date: string): void {
    const now = Date.parse(`${date}T12:00:00Z`)
    const lastOfMonth = new Map(this.story.contents().map(({ time, id }) => [time.slice(0, 7), id]))
    const go = this.story.contents().filter(({ id, time }) => {
      const ageMs = now - Date.parse(time)
      if (lastOfMonth.get(time.slice(0, 7)) !== id) return ageMs > 62 * DAY_MS
      return ageMs > 427 * DAY_MS && !/^2026-0[1-5]/.test(time)
    })
    if (go.length > 0) this.story.forget(go, `${date}T12:00:00Z`)
  }
}

test('two years of the bookkeeping', () => {
  const { facts } = new Books().tell()
  const watch = new Watch(contract, facts)
  const at = (instant: string) => {
    const answer = watch.at(instant)
    return { answer, set: answer.sets[0]!, short: inShort(answer.sets[0]!) }
  }

  // 1. Half past midnight.
  const night = at('2025-03-06T12:00:00Z')
  expect(night.short).toBe('compliant')
  expect(statesOf(night.set, '2025-03-05')).toEqual({ dayx30: 'met' })

  // 2. Easter.
  const easter = at('2025-04-21T12:00:00Z')
  expect(easter.short).toBe('compliant')
  expect(statesOf(easter.set, '2025-04-18')).toEqual({})

  // 3. A holiday that is none.
  const friday = at('2025-05-17T12:00:00Z')
  expect(friday.short).toBe('breached, points breached')
  expect(statesOf(friday.set, '2025-05-16')).toEqual({ dayx30: 'pending' })
  expect(statesOf(at('2025-05-18T12:00:00Z').set, '2025-05-16')).toEqual({ dayx30: 'missed' })
  const tuesday = at('2025-05-20T12:00:00Z')
  expect(tuesday.short).toBe('breached, points breached')
  expect(tuesday.answer.findings.map(({ code }) => code)).toEqual(['missed'])
  expect(at('2025-06-16T15:59:59Z').short).toBe('breached, points breached')
  expect(at('2025-06-16T16:00:00Z').short).toBe('compliant')

  // 4. Partial runs.
  expect(statesOf(at('2025-07-10T12:00:00Z').set, '2025-07-08')).toEqual({ dayx30: 'met' })
  const ledger = at('2025-07-17T12:00:00Z')
  expect(ledger.short).toBe('breached, points breached')
  expect(statesOf(ledger.set, '2025-07-15')).toEqual({ dayx30: 'missed' })
  expect(at('2025-08-15T16:00:00Z').short).toBe('compliant')

  // 5. A copy that nobody tries.
  expect(at('2025-10-10T12:00:00Z').short).toBe('unknown, copies unknown')
  expect(at('2025-11-01T12:00:00Z').short).toBe('compliant')

  // 6. A fiscal year.
  expect(statesOf(at('2026-01-01T12:00:00Z').set, '2025-01-01')).toMatchObject({ fiscalYearx5: 'pending' })
  const year = at('2026-01-05T12:00:00Z')
  expect(year.short).toBe('compliant')
  expect(year.set.obligations.filter(({ tier }) => tier === 'fiscalYearx5')).toMatchObject([
    {
      bucket: '2025-01-01',
      state: 'met',
      due: '2026-06-01T22:00:00.000Z',
      keepUntil: '2031-01-01T17:00:00.000Z',
    },
    { bucket: '2026-01-01', state: 'pending' },
  ])

  // 7. What one party excuses.
  expect(at('2026-03-19T12:00:00Z').short).toBe('breached, points breached')
  expect(statesOf(at('2026-03-25T12:00:00Z').set, '2026-03-17')).toEqual({ dayx30: 'excused' })
  expect(at('2026-03-25T12:00:00Z').short).toBe('compliant')

  // 8. Lost, and found in the copy.
  const lost = at('2026-05-06T12:00:00Z')
  expect(lost.short).toBe('breached, retention breached')
  expect(lost.set.obligations.filter(({ state }) => state === 'lost')).toMatchObject([
    {
      tier: 'monthx13',
      bucket: '2025-10',
      since: '2026-05-05T23:00:00.000Z',
      keepUntil: '2026-12-01T17:00:00.000Z',
    },
  ])
  expect(at('2026-05-09T12:00:00Z').short).toBe('compliant')

  // 9. A new repository.
  expect(at('2026-08-03T13:00:00Z').short).toBe('breached, points unknown, retention breached')
  expect(at('2026-08-04T12:00:00Z').short).toBe('compliant')

  // 10. An erasure.
  const erased = at('2026-10-06T12:00:00Z')
  expect(erased.short).toBe('compliant')
  expect(statesOf(erased.set, '2026-02')).toEqual({ monthx13: 'met' })

  // 11. The test of everything.
  expect(at('2026-12-20T12:00:00Z').short).toBe('at-risk, proof at-risk')
  expect(at('2026-12-30T08:00:00Z').short).toBe('breached, proof breached')

  const last = at('2026-12-31T12:00:00Z')
  expect(last.short).toBe('compliant')
  expect(last.set.obligations).toHaveLength(506 + 24 + 2)
  expect(last.set.rate).toBeCloseTo(527 / 530, 10)
  expect(last.set.obligations.filter(({ state }) => state === 'lost')).toMatchObject([
    { bucket: '2026-07-03', since: '2026-08-03T12:00:00.000Z', keepUntil: '2026-08-03T16:00:00.000Z' },
  ])

  // 12. Credits.
  expect(creditLines(contract, facts, '2025-01', '2026-12')).toEqual([])
  expect(creditLines(withPenalties(contract, CLAUSES), facts, '2025-01', '2026-12')).toEqual([
    '2025-01: copies.deletion-allowed undecided on 1 days',
    '2025-05: points.missed 1, 4 %',
    '2025-07: points.missed 1, 4 %',
    '2025-10: copies.deletion-allowed undecided on 30 days',
    '2026-05: retention.lost 1, 3 %',
    '2026-08: points.missed undecided on 1 days',
    '2026-08: retention.lost 35, 15 %',
    '2026-12: proof 1, 5 %',
  ])
})
