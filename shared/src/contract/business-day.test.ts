/** Business days: what is closed is not owed, and not counted where only expected days count. */
import { expect, test } from 'vitest'
import { Story, contractOf, keeping, obligationIn, setAt, setOf, versionOf } from './story-for-tests.ts'

const silent = new Story()

function business(day: string, min: Record<string, unknown>[], schedule = {}, more = {}, set = {}) {
  const terms = {
    onboardedAt: day,
    retention: keeping(min),
    schedule: { days: 'business', ...schedule },
    ...set,
  }
  return contractOf([versionOf(1, day, { sets: [setOf(terms)] })], more)
}

const daily = [{ per: 'day', keep: 40 }]

test.each([
  [
    'Easter, 5 June, Ascension and Whitsun',
    '2025-05-26',
    '2025-06-11T00:00:00Z',
    ['05-26', '05-27', '05-28', '05-30', '06-02', '06-03', '06-04', '06-05', '06-06', '06-10', '06-11'],
  ],
  [
    'Christmas',
    '2025-12-22',
    '2026-01-02T12:00:00Z',
    ['12-22', '12-23', '12-24', '12-29', '12-30', '12-31', '01-02'],
  ],
  ['the last Great Prayer Day', '2023-05-03', '2023-05-09T12:00:00Z', ['05-03', '05-04', '05-08', '05-09']],
  [
    'what it would have been in 2024',
    '2024-04-24',
    '2024-04-29T12:00:00Z',
    ['04-24', '04-25', '04-26', '04-29'],
  ],
  ['an early Easter', '2008-03-19', '2008-03-25T12:00:00Z', ['03-19', '03-25']],
  ['a late Easter', '2011-04-20', '2011-04-26T12:00:00Z', ['04-20', '04-26']],
])('%s', (_, day, at, days) => {
  const { obligations } = setAt(business(day, daily), silent, at)
  expect(obligations.map(({ bucket }) => bucket.slice(5))).toEqual(days)
})

test('without holidays only weekends are closed', () => {
  const { obligations } = setAt(
    business('2025-12-24', daily, {}, { holidays: 'none' }),
    silent,
    '2025-12-29T12:00:00Z',
  )
  expect(obligations.map(({ bucket }) => bucket.slice(5))).toEqual(['12-24', '12-25', '12-26', '12-29'])
})

test.each([
  ['2025-12-23', 3, '2025-12-30T23:00:00.000Z'],
  ['2024-04-25', 1, '2024-04-26T22:00:00.000Z'],
  ['2023-05-04', 1, '2023-05-08T22:00:00.000Z'],
  ['2025-05-28', 1, '2025-05-30T22:00:00.000Z'],
  ['2025-06-06', 1, '2025-06-10T22:00:00.000Z'],
])('%s is kept %i expected days', (day, keep, keepUntil) => {
  const contract = business(day, [{ per: 'day', keep, countBasis: 'expected' }])
  expect(obligationIn(setAt(contract, silent, `${day}T12:00:00Z`), day).keepUntil).toBe(keepUntil)
})

test('on the calendar the closed days count', () => {
  const contract = business('2025-12-23', [{ per: 'day', keep: 3 }])
  expect(obligationIn(setAt(contract, silent, '2025-12-23T12:00:00Z'), '2025-12-23').keepUntil).toBe(
    '2025-12-26T23:00:00.000Z',
  )
})

test('the hours of a business day are those from dayStartsAt, and two expected hours reach over Easter', () => {
  const contract = business('2025-04-16', [{ per: 'hour', keep: 2, countBasis: 'expected' }], {
    dayStartsAt: '18:00',
    every: 'PT1H',
  })
  const { obligations } = setAt(contract, silent, '2025-04-22T17:30:00Z')
  // From Wednesday at 18:00 to Maundy Thursday at 18:00, then from Tuesday at 18:00.
  expect(obligations[0]?.bucket).toBe('2025-04-16T18+02:00')
  expect(obligations[23]?.bucket).toBe('2025-04-17T17+02:00')
  expect(obligations[24]?.bucket).toBe('2025-04-22T18+02:00')
  expect(obligations[23]?.keepUntil).toBe('2025-04-22T18:00:00.000Z')
})

test('a week and a month are owed though some of their days are closed', () => {
  const contract = business('2025-12-01', [
    { per: 'week', keep: 2, countBasis: 'expected' },
    { per: 'month', keep: 1 },
  ])
  const set = setAt(contract, silent, '2025-12-29T12:00:00Z')
  expect(obligationIn(set, '2025-W52').keepUntil).toBe('2026-01-11T23:00:00.000Z')
  expect(obligationIn(set, '2025-12').keepUntil).toBe('2026-01-31T23:00:00.000Z')
})

test('a backup on a closed day keeps the recovery point young, but meets nothing', () => {
  const story = new Story()
  story.backup('2025-03-08T21:00:00Z') // Saturday
  story.inventory('2025-03-10T06:00:00Z')
  const set = setAt(business('2025-03-08', daily), story, '2025-03-10T07:00:00Z')
  expect(set.obligations.map(({ bucket, state }) => [bucket, state])).toEqual([['2025-03-10', 'pending']])
  expect(set.dimensions.points).toBe('compliant')
})

/** The limit of a day and six hours, closed days left out. */
test.each([
  ['2025-03-24', '2025-03-28T21:00:00Z', '2025-04-01T02:00:00Z'], // Friday 22:00, so Monday 22:00 and six hours
  ['2025-10-20', '2025-10-24T20:00:00Z', '2025-10-28T03:00:00Z'], // likewise over the Sunday of 25 hours
  ['2025-03-03', '2025-03-08T21:00:00Z', '2025-03-11T05:00:00Z'], // a Saturday’s is as young on Monday at midnight
  ['2025-03-24', '2025-03-29T21:00:00Z', '2025-04-01T04:00:00Z'], // so is one from the Saturday before the change
  ['2025-10-20', '2025-10-25T20:00:00Z', '2025-10-28T05:00:00Z'],
  ['2025-12-22', '2025-12-23T21:00:00Z', '2025-12-29T03:00:00Z'], // two of the six hours before Christmas, four after
])('onboarded %s, the recovery point of %s serves until %s', (day, start, limit) => {
  const weekly = [{ per: 'week', keep: 9 }]
  const evidence = { freshFor: 'P90D', unknownAfter: 'P91D', silenceBreachAfter: 'P92D' }
  const contract = business(day, weekly, {}, {}, { evidence })
  const story = new Story()
  story.backup(start)
  story.inventory(new Date(Date.parse(start) + 3_600_000).toISOString())
  expect(setAt(contract, story, limit).dimensions.points).toBe('compliant')
  const after = new Date(Date.parse(limit) + 1).toISOString()
  expect(setAt(contract, story, after).dimensions.points).toBe('unknown')
})
