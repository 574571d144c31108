/**
 * Two years of the web shop (deploy/examples/contracts/web-shop.yaml), and what the contract says of them.
 *
 * Promised: every day, kept 14 days; every week by a Saturday's backup, kept 8 weeks; every month, kept 6 months;
 * nothing older than 7 months, with a fortnight to purge; a restore test each month, a fortnight late at most. A
 * backup at 01:30Z each night (02:30 in winter, 03:30 in summer), inventories at 06:00Z and 18:00Z, retention at
 * 17:00Z, which removes and prunes what will be seven months old within a day. Nothing is late by itself, then.
 *
 * What goes wrong, and what follows by the rules of the contract specification:
 *
 *  1. 10 March 2025, ramp-up. The days of 1 to 10 March are there (the tenth is met before it ends: row 3 comes
 *     before row 5), so is week 10 by Saturday the 8th, so is March. Week 9 began before the onboarding and is not
 *     owed; week 11 is pending. 12 met, 1 pending.
 *  2. 5 May 2025: no backup. The day ends at 22:00Z (summer time) and is due at 04:00Z on the 6th. At 03:00Z it is
 *     late, but the newest point is of 01:30Z on the 4th, good for 30 hours, to 07:30Z on the 5th, and the inventory
 *     of 18:00Z came after that: breached by its age already. At noon on the 6th, the inventory of 06:00Z says
 *     missed. It is owed through the 19th; on the 20th the view of now is clear, and the day stays missed in the list.
 *     By then 81 days, 11 weeks (10 to 20) and 3 months: 94 of 95 kept.
 *  3. 12 August 2025: 2,000 files where there were 4,200. The guard holds it, and the next night's as well, both
 *     measured against the 11th. The 12th is late after its due time of 04:00Z on the 13th; the age, past its limit
 *     since 07:30Z on the 12th, would be kept by what is held: at risk, not breached. Acknowledged at 09:00Z on the
 *     13th, the 12th satisfies, and is itself the measure of the 13th.
 *  4. September 2025: no restore test. The last passed on 15 August; due 15 September, breached after the 29th. One
 *     on 1 October mends it.
 *  5. 27 to 29 November 2025: agreed to be left out, and the hours of those days do not age the newest point. But the
 *     29th was a Saturday: week 48 is not covered by three days, has no Saturday's backup, and is missed when the
 *     inventory of 06:00Z on 1 December comes after its due time of 05:00Z. On the 2nd both parties excuse the whole
 *     week, as a correction.
 *  6. 10 January 2026, noon, to 14 January, noon: the agent cannot reach the collector; all goes on, and is spooled.
 *     On the 12th at noon the newest inventory known is 54 hours old: what it lists is stale (over 26 hours), the 11th
 *     is unknown after 05:00Z, and nothing shows that what has become seven months old is gone: purge due. On the 13th at noon it is 78 hours old: unknown (over 72). On the 14th at 13:00Z all has
 *     come and nothing was ever wrong.
 *  7. The hold of the contract's text covers May 2025 from 3 June 2025. Those 30 snapshots outlive their seven months
 *     and are held. The customer releases them on 1 February 2026 at 10:00Z: purge due until the 15th at 10:00Z, then
 *     over-retained. Gone and pruned on the 20th.
 *  8. 2 April 2026: somebody removes the backup of Saturday 14 March. Its day was owed through the 28th of March and
 *     is discharged; March has others; week 11 is owed through 10 May and lost, from the inventory of 18:00Z.
 *  9. 15 June 2026: a restore test fails; one of the same snapshot passes the day after. At risk between.
 * 10. 14 July 2026, a Tuesday: the host's clock runs two hours fast. What it says is quarantined; its own two
 *     inventories count for nothing. The day's snapshot is listed by the next sound inventory, and what it is worth
 *     stays unknown until nobody is owed it any more, after the 28th.
 * 11. 9 September 2026: the backup could not read everything, and the contract takes no partial ones: missed.
 * 12. Credits: the contract has no clause on them, and there are none. With those of CLAUSES below: 5 May 2025 and 9
 *     September 2026 are missed, 5 % each, and at the end of each the newest point is too old, by one day: 1 %. Week 48
 *     was missed on 1 December 2025 and excused by both in the same month: nothing. September 2025 ends without the
 *     test, 3 %; October begins with it. Over-retained at the ends of 15 to 19 February 2026: five days, capped at 4 %.
 *     In April 2026 one week is lost, 2 %: the day of 14 March was discharged. 14 July 2026 is unknown: by the age of
 *     the newest point at its own end, by its own state from its due time until it is owed no more at the end of the
 *     28th. Nobody can say for the ends of 14 to 27 July, 14 days, whether there was more to count.
 *
 * At the end, 28 February 2027 at noon: 730 days, of which 2 missed (5 May 2025, 9 September 2026), 1 unknown (14 July
 * 2026), 7 excused (24 to 30 November 2025): 720 kept. 104 weeks (10 of 2025 to 8 of 2027), 1 excused, 1 lost: 102
 * kept. 24 months kept. The rate leaves out what is unknown or excused: 846 of 849.
 */
import { expect, test } from 'vitest'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { Story, sourceOf } from '@bevis/shared/contract/story-for-tests'
import {
  Watch,
  creditLines,
  agedAt,
  datesFrom,
  exampleContract,
  inShort,
  statesOf,
  withPenalties,
} from './kit/two-years.ts'

const HOUR_MS = 3_600_000
const contract = exampleContract('web-shop')
const mine = { contract: contract.id }
const heldMay = {
  sets: ['shop'],
  covers: { from: '2025-05-01', to: '2025-05-31' },
  authority: 'Tvist 2025-88',
}

/** What the two might have agreed on. */
const CLAUSES = [
  { measure: 'points.missed', per: 'obligation', pctOfMonthlyFee: 5, capPct: 10 },
  { measure: 'points.recovery-point-age', per: 'day', pctOfMonthlyFee: 1, capPct: null },
  { measure: 'retention.lost', per: 'obligation', pctOfMonthlyFee: 2, capPct: null },
  { measure: 'ceiling', per: 'day', pctOfMonthlyFee: 1, capPct: 4 },
  { measure: 'proof', per: 'month', pctOfMonthlyFee: 3, capPct: null },
] as const

function tell(): Story {
  const story = new Story({ agent: 'web1', host: 'web1', lineage: 'hfk-web' })
  const byDate = new Map<string, Snap>()
  const paths = ['/srv/shop/dump', '/srv/shop/media']
  for (const date of datesFrom('2025-03-01', '2027-02-28')) {
    const isSpooled = date >= '2026-01-10' && date <= '2026-01-14'
    const spooled = (hour: string) =>
      isSpooled && `${date}T${hour}` > '2026-01-10T12' && `${date}T${hour}` < '2026-01-14T12'
        ? { receivedAt: '2026-01-14T12:00:05Z' }
        : {}
    const files = date >= '2025-08-12' ? 2000 : 4200
    const run = { set: 'shop', snap: { paths }, source: sourceOf(files), ...spooled('01') }
    if (date === '2026-07-14') {
      // Its own clock says 03:30; the collector's says when it came.
      run.snap = { paths }
      byDate.set(date, story.backup(`${date}T03:30:00Z`, { ...run, receivedAt: `${date}T01:39:05Z` }))
      story.inventory(`${date}T08:00:00Z`, { receivedAt: `${date}T06:00:05Z` })
      retain(story, date, { receivedAt: `${date}T17:00:05Z` }, '19:00')
      story.inventory(`${date}T20:00:00Z`, { receivedAt: `${date}T18:00:05Z` })
      story.heartbeat(`${date}T20:00:00Z`, 0)
      continue
    }
    if (date === '2026-09-09') {
      story.backup(`${date}T01:30:00Z`, {
        ...run,
        outcome: 'partial',
        failed: { count: 1, paths: ['/srv/shop/media/a'] },
      })
    } else if (date !== '2025-05-05' && (date < '2025-11-27' || date > '2025-11-29')) {
      byDate.set(date, story.backup(`${date}T01:30:00Z`, run))
    }
    story.inventory(`${date}T06:00:00Z`, spooled('06'))
    happen(story, date, byDate)
    retain(story, date, spooled('17'))
    story.inventory(`${date}T18:00:00Z`, spooled('18'))
    if (date === '2026-07-13') story.heartbeat(`${date}T20:00:00Z`, 2 * HOUR_MS)
  }
  return story
}

/** What people do, and the monthly restore test. */
function happen(story: Story, date: string, byDate: Map<string, Snap>): void {
  const newest = byDate.get(date)
  if (newest !== undefined && date.endsWith('-15') && date !== '2025-09-15') {
    story.test(newest, `${date}T09:00:00Z`, date === '2026-06-15' ? 'FAILED' : 'PASSED', { set: 'shop' })
  }
  if (date === '2025-10-01') story.test(newest!, `${date}T09:00:00Z`, 'PASSED', { set: 'shop' })
  if (date === '2026-06-16')
    story.test(byDate.get('2026-06-15')!, `${date}T09:00:00Z`, 'PASSED', { set: 'shop' })
  if (date === '2025-08-13') {
    const snapshot = byDate.get('2025-08-12')!.id
    story.event(`${date}T09:00:00Z`, 'finding-acknowledged', 'customer', { snapshot }, mine)
  }
  if (date === '2025-12-02') {
    const week = { sets: ['shop'], from: '2025-11-24', to: '2025-11-30' }
    story.event(`${date}T09:00:00Z`, 'exclusion-approved', 'provider', week, mine)
    story.event(`${date}T10:00:00Z`, 'exclusion-approved', 'customer', week, mine)
  }
  if (date === '2026-02-01') story.event(`${date}T10:00:00Z`, 'hold-released', 'customer', heldMay, mine)
  if (date === '2026-04-02') story.forget([byDate.get('2026-03-14')!], `${date}T10:00:00Z`)
}

/** What will be seven months old within a day goes, but what is held; that goes on 20 February 2026. */
function retain(story: Story, date: string, sent: { receivedAt?: string }, time = '17:00'): void {
  const soon = Date.parse(`${date}T17:00:00Z`) + 24 * HOUR_MS
  const isHeld = ({ time }: Snap) => time.startsWith('2025-05') && date < '2026-02-20'
  const due = story.contents().filter((snapshot) => agedAt(snapshot.time, 'P7M') <= soon && !isHeld(snapshot))
  if (due.length > 0) story.forget(due, `${date}T${time}:00Z`, sent)
}

test('two years of the web shop', () => {
  const { facts } = tell()
  const watch = new Watch(contract, facts)
  const at = (instant: string) => {
    const answer = watch.at(instant)
    return { answer, set: answer.sets[0]!, short: inShort(answer.sets[0]!) }
  }

  // 1. Ramp-up.
  const early = at('2025-03-10T12:00:00Z')
  expect(early.short).toBe('compliant')
  expect(early.set.counts).toMatchObject({ met: 12, pending: 1, missed: 0 })

  // 2. A missed day.
  const late = at('2025-05-06T03:00:00Z')
  expect(statesOf(late.set, '2025-05-05')).toEqual({ dayx14: 'late' })
  expect(late.short).toBe('breached, points breached')
  expect(late.answer.findings.map(({ code }) => code)).toEqual(['late', 'recovery-point-age'])
  const missed = at('2025-05-06T12:00:00Z')
  expect(statesOf(missed.set, '2025-05-05')).toEqual({ dayx14: 'missed' })
  expect(missed.short).toBe('breached, points breached')
  const cleared = at('2025-05-20T12:00:00Z')
  expect(cleared.short).toBe('compliant')
  expect(statesOf(cleared.set, '2025-05-05')).toEqual({ dayx14: 'missed' })
  expect(cleared.set.rate).toBeCloseTo(94 / 95, 10)

  // 3. Half the files are gone.
  const dropped = at('2025-08-13T08:00:00Z')
  expect(dropped.short).toBe('at-risk, points at-risk')
  expect(statesOf(dropped.set, '2025-08-12')).toEqual({ dayx14: 'late' })
  expect(at('2025-08-13T12:00:00Z').short).toBe('compliant')

  // 4. A restore test is forgotten.
  expect(at('2025-09-20T12:00:00Z').short).toBe('at-risk, proof at-risk')
  expect(at('2025-09-30T12:00:00Z').short).toBe('breached, proof breached')
  expect(at('2025-10-01T12:00:00Z').short).toBe('compliant')

  // 5. Three days left out, one of them a Saturday.
  const excused = at('2025-11-29T12:00:00Z')
  expect(excused.short).toBe('compliant')
  expect(excused.set.counts.excused).toBe(3)
  const week = at('2025-12-01T12:00:00Z')
  expect(week.short).toBe('breached, points breached')
  expect(statesOf(week.set, '2025-W48')).toEqual({ weekx8: 'missed' })
  const mended = at('2025-12-02T12:00:00Z')
  expect(mended.short).toBe('compliant')
  expect(statesOf(mended.set, '2025-W48')).toEqual({ weekx8: 'excused' })

  // 6. Silence.
  expect(at('2026-01-12T12:00:00Z').short).toBe(
    'unknown, points unknown, retention at-risk, ceiling at-risk, evidence at-risk',
  )
  expect(at('2026-01-13T12:00:00Z').short).toBe(
    'unknown, points unknown, retention unknown, ceiling at-risk, evidence at-risk',
  )
  expect(at('2026-01-14T13:00:00Z').short).toBe('compliant')

  // 7. A hold, and its release.
  const held = at('2026-01-31T12:00:00Z')
  expect(held.short).toBe('compliant')
  expect(held.set.snapshots?.filter(({ ceiling }) => ceiling === 'held')).toHaveLength(30)
  expect(at('2026-02-10T12:00:00Z').short).toBe('at-risk, ceiling at-risk')
  expect(at('2026-02-16T12:00:00Z').short).toBe('breached, ceiling breached')
  expect(at('2026-02-20T19:00:00Z').short).toBe('compliant')

  // 8. A Saturday is removed too early.
  const lost = at('2026-04-02T19:00:00Z')
  expect(lost.short).toBe('breached, retention breached')
  expect(statesOf(lost.set, '2026-03-14')).toEqual({ dayx14: 'discharged' })
  expect(lost.set.obligations.find(({ bucket }) => bucket === '2026-W11')).toMatchObject({
    state: 'lost',
    since: '2026-04-02T18:00:00.000Z',
    keepUntil: '2026-05-10T22:00:00.000Z',
  })
  expect(at('2026-05-11T12:00:00Z').short).toBe('compliant')

  // 9. A restore test fails, and passes.
  expect(at('2026-06-15T12:00:00Z').short).toBe('at-risk, proof at-risk')
  expect(at('2026-06-16T12:00:00Z').short).toBe('compliant')

  // 10. A clock two hours off.
  const fast = at('2026-07-15T12:00:00Z')
  expect(fast.short).toBe('unknown, points unknown')
  expect(statesOf(fast.set, '2026-07-14')).toEqual({ dayx14: 'unknown' })
  expect(fast.answer.findings.filter(({ code }) => code === 'quarantined')).toHaveLength(3)
  expect(at('2026-07-29T12:00:00Z').short).toBe('compliant')

  // 11. A partial run.
  const partial = at('2026-09-10T12:00:00Z')
  expect(partial.short).toBe('breached, points breached')
  expect(statesOf(partial.set, '2026-09-09')).toEqual({ dayx14: 'missed' })

  const last = at('2027-02-28T12:00:00Z')
  expect(last.short).toBe('compliant')
  expect(last.set.rate).toBeCloseTo(846 / 849, 10)

  // 12. Credits.
  expect(creditLines(contract, facts, '2025-03', '2027-02')).toEqual([])
  expect(creditLines(withPenalties(contract, CLAUSES), facts, '2025-03', '2027-02')).toEqual([
    '2025-05: points.missed 1, 5 %',
    '2025-05: points.recovery-point-age 1, 1 %',
    '2025-09: proof 1, 3 %',
    '2026-02: ceiling 5, 4 %',
    '2026-04: retention.lost 1, 2 %',
    '2026-07: points.missed undecided on 14 days',
    '2026-07: points.recovery-point-age undecided on 14 days',
    '2026-09: points.missed 1, 5 %',
    '2026-09: points.recovery-point-age 1, 1 %',
  ])
})
