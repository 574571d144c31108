/**
 * Two years of the clinic (deploy/examples/contracts/clinic.yaml), and what the contract says of them.
 *
 * Promised: every hour, kept 48 hours; every day, kept 35 days, from 1 July 2025 60; every month, kept 6 months;
 * nothing older than 8 months; two hours of lost data at most; a copy elsewhere within 6 hours that cannot be deleted; a
 * restore test a month, of everything twice a year. A list of what is there is fresh for 3 hours and worth nothing
 * after 12. A backup at five past each hour, inventories at half past each odd hour, the copy ten minutes after. Each
 * night at 03:15Z, before the inventory, what is over 50 hours old goes but for noon's (12:05Z), which goes after 36
 * days (later 62), but for that of the 15th, which goes after 215. An even hour waits for its listing, and is late
 * from its end to half past; so the answers below are of ten to an even hour, when all has been listed and copied.
 *
 *  1. 10 February 2025: no backup from 10:00Z to 11:00Z, due at 12:00Z. Missed with the inventory of 13:30Z. The points
 *     of 09:05Z and 11:05Z are two hours apart: the age (two hours and one of grace) holds. Owed for 48 hours after
 *     11:00Z, to 11:00Z on the 12th.
 *  2. 30 March 2025 has 23 hours and 26 October 25, two of them called 02.
 *  3. 20 April 2025: the agent cannot reach the collector from midnight to 20:00Z. At ten to five the newest inventory known
 *     is of 23:30Z, over 3 hours old: stale. The hour of midnight was due at 02:00Z: unknown. At 13:00Z it is over 12 hours
 *     old: unknown. By 20:50Z all has come.
 *  4. 1 July 2025, 35 days become 60 for what is live. 26 May was kept through 30 June: it ends at the amendment, and
 *     is not owed more. 27 May is, through 26 July. The agent goes on with 36 days: the night to the 2nd removes 26 May,
 *     which is none's loss; those to the 3rd and 4th remove 27 and 28 May: lost, until 26 and 27 July are over. On 15
 *     July 50 days are owed (27 May to 15 July), 48 of them there.
 *  5. 10 September 2025: nothing is copied, though the copy is listed. The hour of midnight is due at 02:00Z and six
 *     hours later in the copy: at risk before two, breached before noon. Before two on the 11th all is there.
 *  6. 1 December 2025: the copy can be deleted. Breached until a try on the 3rd is refused.
 *  7. 3 February 2026: the clock runs twenty minutes fast, which its heartbeat measured: it is taken off.
 *  8. 10 March 2026: the provider states that nothing of February may be deleted. On the 12th somebody deletes noon's
 *     backup of 10 February: its day is owed for 60 days and is lost, and the hold is broken while it lasts. The day ends
 *     with 11 April, the hold on 1 May.
 *  9. 10 July 2026: the test of everything is forgotten: at risk, after the 24th breached, mended on the 26th.
 * 10. Credits: from 1 July 2025 each lost point is worth 2 % of the monthly fee, at most 15 %. 27 and 28 May, lost in
 *     July 2025: 4 %. 10 February, lost in March 2026: 2 %; that the hold was broken is another promise. Copies that
 *     could be deleted, as in December 2025, are no clause's measure.
 *
 * At the end, 31 January 2027 before noon: 730 days of 24 hours less the last 11 hours (to 23:00Z): 17,509 hours have
 * begun and are listed, 1 missed, 17,508 kept. 730 days, 3 lost, 727 kept. 24 months kept. 18,259 of 18,263.
 */
import { expect, test } from 'vitest'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { Story, repositoryOf } from '@bevis/shared/contract/story-for-tests'
import { Watch, creditLines, exampleContract, inShort, statesOf } from './kit/two-years.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const contract = exampleContract('clinic')
const mine = { contract: contract.id }
const away = repositoryOf('kfp-epj-offsite', 'kfp-epj-offsite')
const feb = { sets: ['epj-db'], covers: { from: '2026-02-01', to: '2026-02-28' }, authority: 'Klage 7' }

class Clinic {
  readonly story = new Story({ agent: 'epj01', host: 'epj01', lineage: 'kfp-epj' })
  readonly #snap = { paths: ['/var/backups/epj', '/etc/epj'] }
  readonly #home = this.story.repository

  tell(): Story {
    const from = Date.parse('2025-01-31T23:00:00Z')
    for (let hour = from; hour < Date.parse('2027-01-31T12:00:00Z'); hour += HOUR_MS) this.#pass(hour)
    return this.story
  }

  #pass(hour: number): void {
    const { story } = this
    const text = new Date(hour).toISOString().slice(0, 13)
    /** As the agent's clock says, and when it is received. */
    const fastMs = text.startsWith('2026-02-03') ? 20 * MINUTE_MS : 0
    const told = (minute: number) => new Date(hour + minute * MINUTE_MS + fastMs).toISOString()
    const sent = (minute: number) => {
      if (text.startsWith('2025-04-20') && text < '2025-04-20T20')
        return { receivedAt: '2025-04-20T20:00:05Z' }
      return { receivedAt: new Date(hour + minute * MINUTE_MS + 5000).toISOString() }
    }
    if (text !== '2025-02-10T10') story.backup(told(5), { set: 'epj-db', snap: this.#snap, ...sent(14) })
    if (text.endsWith('T03')) this.#retain(hour, told(15), sent(15))
    if (text.endsWith('T08')) this.#happen(text.slice(0, 10), told(45), sent(50))
    if (new Date(hour).getUTCHours() % 2 === 1) {
      story.inventory(told(30), sent(30))
      if (!text.startsWith('2025-09-10')) story.copyAll(away)
      story.repository = away
      story.inventory(told(40), sent(40))
      story.repository = this.#home
    }
    if (text === '2026-02-02T23') story.heartbeat(told(50), 20 * MINUTE_MS)
    if (text === '2026-02-03T23') story.heartbeat(told(50), 0, sent(50))
  }

  #retain(hour: number, at: string, sent: object): void {
    const { story } = this
    const days = hour < Date.parse('2025-07-04T04:00:00Z') ? 36 : 62
    const isHeld = (time: string) =>
      time.startsWith('2026-02') &&
      hour > Date.parse('2026-03-10T09:00:00Z') &&
      hour < Date.parse('2026-05-01T09:00:00Z')
    const go = story.contents().filter(({ time }) => {
      const ageMs = hour + 15 * MINUTE_MS - Date.parse(time)
      if (time.slice(11, 13) !== '12') return ageMs > 50 * HOUR_MS
      return ageMs > (time.slice(8, 10) === '15' ? 215 : days) * DAY_MS && !isHeld(time)
    })
    if (go.length > 0) story.forget(go, at, sent)
    // The copy is thinned out likewise, by its own rules.
    const gone = new Set(go.map(({ id }) => id))
    story.repository = away
    story.drop(...story.contents().filter(({ original }) => gone.has(original ?? '')))
    story.repository = this.#home
  }

  #happen(date: string, at: string, sent: object): void {
    const { story } = this
    const newest = story.contents().at(-1)!
    if (date.endsWith('-01') || date === '2025-12-03') {
      story.probe(at, date === '2025-12-01' ? 'allowed' : 'refused', away)
    }
    if (date.endsWith('-10')) {
      const isFull = date === '2025-07-10' || date === '2026-01-10' || date === '2027-01-10'
      story.test(newest, at, 'PASSED', { set: 'epj-db', mode: isFull ? 'full' : 'sample', ...sent })
    }
    if (date === '2026-07-26') story.test(newest, at, 'PASSED', { set: 'epj-db', mode: 'full', ...sent })
    if (date === '2026-03-10') story.event(`${date}T09:00:00Z`, 'hold-started', 'provider', feb, mine)
    if (date === '2026-05-01') story.event(`${date}T09:00:00Z`, 'hold-released', 'provider', feb, mine)
    const noon = (day: string): Snap => story.contents().find(({ time }) => time.startsWith(`${day}T12`))!
    if (date === '2026-03-12') story.forget([noon('2026-02-10')], `${date}T08:55:00Z`)
  }
}

test('two years of the clinic', () => {
  const { facts } = new Clinic().tell()
  const watch = new Watch(contract, facts)
  const at = (instant: string) => {
    const answer = watch.at(instant)
    return { answer, set: answer.sets[0]!, short: inShort(answer.sets[0]!) }
  }

  // 1. A missed hour.
  const missed = at('2025-02-10T13:50:00Z')
  expect(missed.short).toBe('breached, points breached')
  expect(statesOf(missed.set, '2025-02-10T11+01:00')).toEqual({ hourx48: 'missed' })
  expect(missed.answer.findings.map(({ code }) => code)).toEqual(['missed'])
  expect(at('2025-02-12T09:50:00Z').short).toBe('breached, points breached')
  expect(at('2025-02-12T11:50:00Z').short).toBe('compliant')

  // 2. 23 hours.
  const spring = at('2025-03-31T11:50:00Z')
  const hoursOf = (set: typeof spring.set, date: string) =>
    set.obligations.filter(({ tier, bucket }) => tier === 'hourx48' && bucket.startsWith(`${date}T`))
  expect(hoursOf(spring.set, '2025-03-30')).toHaveLength(23)
  expect(spring.short).toBe('compliant')

  // 3. Silence.
  expect(at('2025-04-20T04:50:00Z').short).toBe(
    'unknown, points unknown, retention at-risk, copies at-risk, evidence at-risk',
  )
  expect(at('2025-04-20T13:00:00Z').short).toBe(
    'unknown, points unknown, retention unknown, copies unknown, evidence at-risk',
  )
  expect(at('2025-04-20T21:50:00Z').short).toBe('compliant')

  // 4. An amendment, and a policy that did not follow.
  expect(at('2025-07-02T11:50:00Z').short).toBe('compliant')
  const amended = at('2025-07-15T11:50:00Z')
  expect(amended.short).toBe('breached, retention breached')
  const live = amended.set.obligations.filter(
    ({ tier, keepUntil }) => tier === 'dayx60' && keepUntil! > '2025-07-15T12:00',
  )
  expect(live).toHaveLength(50)
  expect(live.filter(({ state }) => state === 'met')).toHaveLength(48)
  expect(live.filter(({ state }) => state === 'lost')).toMatchObject([
    { bucket: '2025-05-27', since: '2025-07-03T03:30:00.000Z', keepUntil: '2025-07-26T22:00:00.000Z' },
    { bucket: '2025-05-28', since: '2025-07-04T03:30:00.000Z', keepUntil: '2025-07-27T22:00:00.000Z' },
  ])
  expect(statesOf(amended.set, '2025-05-26')).toEqual({ dayx35: 'discharged' })
  expect(at('2025-07-28T11:50:00Z').short).toBe('compliant')

  // 5. A copy that does not follow.
  expect(at('2025-09-10T01:50:00Z').short).toBe('at-risk, copies at-risk')
  expect(at('2025-09-10T11:50:00Z').short).toBe('breached, copies breached')
  expect(at('2025-09-11T01:50:00Z').short).toBe('compliant')

  // 2. 25 hours.
  const autumn = at('2025-10-27T11:50:00Z')
  expect(hoursOf(autumn.set, '2025-10-26')).toHaveLength(25)
  expect(hoursOf(autumn.set, '2025-10-26').filter(({ bucket }) => bucket.includes('T02'))).toHaveLength(2)

  // 6. A copy that can be deleted.
  expect(at('2025-12-02T11:50:00Z').short).toBe('breached, copies breached')
  expect(at('2025-12-03T11:50:00Z').short).toBe('compliant')

  // 7. Twenty minutes fast.
  expect(at('2026-02-03T11:50:00Z').short).toBe('compliant')
  expect(at('2026-02-04T11:50:00Z').short).toBe('compliant')

  // 8. A hold, broken.
  const broken = at('2026-03-12T11:50:00Z')
  expect(broken.short).toBe('breached, retention breached, ceiling breached')
  expect(broken.answer.findings.map(({ code }) => code)).toEqual(['lost', 'hold-broken'])
  expect(at('2026-04-20T11:50:00Z').short).toBe('breached, ceiling breached')
  expect(at('2026-05-01T11:50:00Z').short).toBe('compliant')

  // 9. The test of everything.
  expect(at('2026-07-20T11:50:00Z').short).toBe('at-risk, proof at-risk')
  expect(at('2026-07-25T11:50:00Z').short).toBe('breached, proof breached')
  expect(at('2026-07-26T11:50:00Z').short).toBe('compliant')

  const last = at('2027-01-31T11:50:00Z')
  expect(last.short).toBe('compliant')
  expect(last.set.rate).toBeCloseTo(18_259 / 18_263, 10)

  // 10. Credits.
  expect(creditLines(contract, facts, '2025-07', '2025-07')).toEqual(['2025-07: retention.lost 2, 4 %'])
  expect(creditLines(contract, facts, '2025-12', '2025-12')).toEqual([])
  expect(creditLines(contract, facts, '2026-03', '2026-03')).toEqual(['2026-03: retention.lost 1, 2 %'])
})
