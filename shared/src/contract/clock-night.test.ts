/** Terms that are added across the nights on which Danish clocks change, and month ends that are clamped. */
import { describe, expect, test } from 'vitest'
import {
  Story,
  contractOf,
  keeping,
  obligationIn,
  repositoryOf,
  setAt,
  setOf,
  versionOf,
} from './story-for-tests.ts'

const silent = new Story()

/** One version, whose set is onboarded the day it takes effect. */
function from(day: string, set: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return contractOf([versionOf(1, day, { sets: [setOf({ onboardedAt: day, ...set })] })], more)
}

function justAfter(instant: string): string {
  return new Date(Date.parse(instant) + 1).toISOString()
}

describe('the age of the newest recovery point: a day is a day of the calendar, six hours are elapsed', () => {
  const weekly = (day: string) => from(day, { retention: keeping([{ per: 'week', keep: 4 }]) })

  test('in March it is reached an hour sooner', () => {
    const story = new Story()
    story.backup('2025-03-29T21:00:00Z') // 22:00; a day later it is 22:00 summer time, 20:00Z
    story.inventory('2025-03-29T22:00:00Z')
    story.inventory('2025-03-30T20:00:00Z')
    const pointsAt = (at: string) => setAt(weekly('2025-03-24'), story, at).dimensions.points
    expect(pointsAt('2025-03-31T02:00:00Z')).toBe('compliant')
    expect(pointsAt('2025-03-31T02:00:00.001Z')).toBe('unknown')
    story.inventory('2025-03-31T02:00:00Z') // not after the limit
    expect(pointsAt('2025-03-31T02:00:00.001Z')).toBe('unknown')
    story.inventory('2025-03-31T02:30:00Z')
    expect(pointsAt('2025-03-31T02:30:00Z')).toBe('breached')
  })

  test('in October an hour later', () => {
    const story = new Story()
    story.backup('2025-10-25T20:00:00Z')
    story.inventory('2025-10-25T21:00:00Z')
    story.inventory('2025-10-27T02:30:00Z')
    const pointsAt = (at: string) => setAt(weekly('2025-10-20'), story, at).dimensions.points
    expect(pointsAt('2025-10-27T02:30:00Z')).toBe('compliant')
    expect(pointsAt('2025-10-27T03:00:00Z')).toBe('compliant')
    story.inventory('2025-10-27T03:10:00Z')
    expect(pointsAt('2025-10-27T03:10:00Z')).toBe('breached')
  })
})

describe('the ceiling', () => {
  const ceilingOf = (start: string, max: Record<string, string>) => {
    const story = new Story()
    story.backup(start)
    story.inventory(justAfter(start))
    const contract = from(start.slice(0, 10), { retention: keeping([{ per: 'day', keep: 2 }], max) })
    return (at: string) => setAt(contract, story, at).snapshots?.[0]?.ceiling
  }

  test('ends in the first of a repeated hour, though it began in the second of one', () => {
    const ceilingAt = ceilingOf('2024-10-27T01:30:00Z', { age: 'P364D', purgeGrace: 'PT1H' })
    expect(ceilingAt('2025-10-26T00:29:59Z')).toBe('within')
    expect(ceilingAt('2025-10-26T00:30:00Z')).toBe('purge-due')
    expect(ceilingAt('2025-10-26T01:29:59Z')).toBe('purge-due')
    expect(ceilingAt('2025-10-26T01:30:00Z')).toBe('over-retained')
  })

  test('ends an hour later in a skipped hour, and the grace is added to that', () => {
    const ceilingAt = ceilingOf('2025-02-28T01:30:00Z', { age: 'P30D', purgeGrace: 'P1D' })
    expect(ceilingAt('2025-03-30T01:29:59Z')).toBe('within')
    expect(ceilingAt('2025-03-30T01:30:00Z')).toBe('purge-due')
    expect(ceilingAt('2025-03-31T01:29:59Z')).toBe('purge-due') // 03:30, not 02:30
    expect(ceilingAt('2025-03-31T01:30:00Z')).toBe('over-retained')
  })

  test.each([
    ['2024-02-29T12:00:00Z', 'P1Y', '2025-02-28T12:00:00Z'],
    ['2024-01-31T21:00:00Z', 'P13M', '2025-02-28T21:00:00Z'],
    ['2024-01-31T21:00:00Z', 'P1M', '2024-02-29T21:00:00Z'],
    ['2025-08-31T20:00:00Z', 'P6M', '2026-02-28T21:00:00Z'],
    ['2024-12-31T23:30:00Z', 'P2M', '2025-02-28T23:30:00Z'], // 1 January at 00:30, so 1 March at 00:30
    ['2025-01-30T23:30:00Z', 'P1M1D', '2025-02-28T23:30:00Z'], // the 31st: clamped to the 28th, then a day
  ])('of %s after %s', (start, age, soft) => {
    const ceilingAt = ceilingOf(start, { age })
    expect(ceilingAt(new Date(Date.parse(soft) - 1).toISOString())).toBe('within')
    expect(ceilingAt(soft)).toBe('purge-due')
  })
})

test.each([
  ['2025-03-28T06:00:00Z', '2025-04-04T05:00:00Z'],
  ['2025-10-24T06:00:00Z', '2025-10-31T07:00:00Z'],
])('seven days of silence since %s are over at the same local time, %s', (taken, limit) => {
  const story = new Story()
  story.inventory(taken)
  const contract = from(taken.slice(0, 10), {})
  expect(setAt(contract, story, limit).dimensions.evidence).toBe('at-risk')
  expect(setAt(contract, story, justAfter(limit)).dimensions.evidence).toBe('breached')
})

test('an inventory that is fresh for a day is so for 23 hours in March', () => {
  const story = new Story()
  story.backup('2025-03-29T20:00:00Z')
  story.inventory('2025-03-29T21:00:00Z')
  const contract = from('2025-03-29', { evidence: { freshFor: 'P1D' } })
  const stateAt = (at: string) => obligationIn(setAt(contract, story, at), '2025-03-29').state
  expect(stateAt('2025-03-30T20:00:00Z')).toBe('met')
  expect(stateAt('2025-03-30T20:00:00.001Z')).toBe('stale')
})

describe('a day that starts at half past two', () => {
  const at0230 = (day: string) => from(day, { schedule: { dayStartsAt: '02:30', lateGrace: 'PT6H' } })

  test('in March starts at half past three, and the day before it has its 24 hours', () => {
    const story = new Story()
    const [contract, end] = [at0230('2025-03-28'), '2025-03-31T06:00:00Z']
    expect(obligationIn(setAt(contract, story, end), '2025-03-29')).toMatchObject({
      from: '2025-03-29T01:30:00.000Z',
      to: '2025-03-30T01:30:00.000Z',
      due: '2025-03-30T07:30:00.000Z',
    })
    expect(obligationIn(setAt(contract, story, end), '2025-03-30')).toMatchObject({
      from: '2025-03-30T01:30:00.000Z',
      to: '2025-03-31T00:30:00.000Z',
      due: '2025-03-31T06:30:00.000Z',
    })
    story.backup('2025-03-30T01:10:00Z') // 03:10, later than 02:30 by the wall
    story.inventory('2025-03-30T08:00:00Z')
    expect(obligationIn(setAt(contract, story, '2025-03-30T08:00:00Z'), '2025-03-29').state).toBe('met')
    expect(obligationIn(setAt(contract, story, '2025-03-30T08:00:00Z'), '2025-03-30').state).toBe('pending')
  })

  test('in October starts at the first half past two: 02:10 after it is the same day', () => {
    const story = new Story()
    const contract = at0230('2025-10-25')
    story.backup('2025-10-26T01:10:00Z') // 02:10+01:00
    story.inventory('2025-10-26T02:00:00Z')
    const set = setAt(contract, story, '2025-10-26T02:00:00Z')
    expect(obligationIn(set, '2025-10-25')).toMatchObject({ state: 'late', to: '2025-10-26T00:30:00.000Z' })
    expect(obligationIn(set, '2025-10-26')).toMatchObject({
      state: 'met',
      from: '2025-10-26T00:30:00.000Z',
      to: '2025-10-27T01:30:00.000Z',
    })
  })
})

test.each([
  ['PT6H', '2025-03-29', '2025-03-30T05:00:00.000Z'],
  ['P1D', '2025-03-29', '2025-03-30T22:00:00.000Z'],
  ['P1DT2H', '2025-03-29', '2025-03-31T00:00:00.000Z'],
  ['PT6H', '2025-10-25', '2025-10-26T04:00:00.000Z'],
  ['P1D', '2025-10-25', '2025-10-26T23:00:00.000Z'],
  ['P1M', '2025-12-30', '2026-01-30T23:00:00.000Z'], // from the 31st at 00:00 to the 31st at 00:00
  ['P2M', '2025-12-30', '2026-02-27T23:00:00.000Z'], // clamped to 28 February at 00:00
])('a grace of %s after %s', (lateGrace, day, due) => {
  const set = setAt(from(day, { schedule: { lateGrace } }), silent, `${day}T12:00:00Z`)
  expect(obligationIn(set, day).due).toBe(due)
})

describe('proof', () => {
  const proofAt = (contract: ReturnType<typeof from>, story: Story) => (at: string) =>
    setAt(contract, story, at).dimensions.proof

  test('from an onboarding on the 31st: clamped to 28 February, and the grace is added to that', () => {
    const at = proofAt(from('2025-01-31', { restoreTest: { every: 'P1M', grace: 'P1M' } }), silent)
    expect(at('2025-02-27T23:00:00Z')).toBe('compliant')
    expect(at('2025-02-27T23:00:00.001Z')).toBe('at-risk')
    expect(at('2025-03-27T23:00:00Z')).toBe('at-risk')
    expect(at('2025-03-27T23:00:00.001Z')).toBe('breached')
  })

  test('from a test that ended a second before the change: the same local time a month on', () => {
    const story = new Story()
    const snapshot = story.backup('2025-03-29T21:00:00Z')
    story.inventory('2025-03-29T22:00:00Z')
    const endedAt = '2025-03-30T00:59:59.000Z' // 01:59:59
    story.test(snapshot, '2025-03-30T00:30:00Z', 'PASSED', { endedAt })
    const evidence = { freshFor: 'P90D', unknownAfter: 'P91D', silenceBreachAfter: 'P92D' }
    const at = proofAt(from('2025-03-01', { restoreTest: { every: 'P1M', grace: 'P14D' }, evidence }), story)
    expect(at('2025-04-29T23:59:59Z')).toBe('compliant')
    expect(at('2025-04-29T23:59:59.001Z')).toBe('at-risk')
    expect(at('2025-05-13T23:59:59Z')).toBe('at-risk')
    expect(at('2025-05-13T23:59:59.001Z')).toBe('breached')
  })
})

test('a copy’s lag of a day is 23 hours, and what is not there at its end is breached', () => {
  const contract = from('2025-03-29', {
    schedule: { lateGrace: 'PT0S', rpo: 'P9D' },
    copies: [{ role: 'offsite', repository: 'vts-off', region: 'DK' }],
  })
  const story = new Story()
  story.backup('2025-03-29T21:00:00Z')
  story.inventory('2025-03-29T22:00:00Z')
  story.repository = repositoryOf('off', 'vts-off')
  story.inventory('2025-03-30T20:00:00Z')
  const copiesAt = (at: string) => setAt(contract, story, at).dimensions.copies
  expect(copiesAt('2025-03-30T21:59:59.999Z')).toBe('at-risk')
  expect(copiesAt('2025-03-30T22:00:00Z')).toBe('breached')
})
