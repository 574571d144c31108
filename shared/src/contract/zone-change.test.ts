/** Days and hours of zones whose clocks change by other steps, at other hours, or the other way round. */
import { expect, test } from 'vitest'
import { Story, contractOf, keeping, obligationIn, setAt, setOf, versionOf } from './story-for-tests.ts'

const silent = new Story()

function of(timezone: string, day: string, min: Record<string, unknown>[], more = {}) {
  const terms = { onboardedAt: day, retention: keeping(min), ...more }
  return contractOf([versionOf(1, day, { sets: [setOf(terms)] })], { timezone, holidays: 'none' })
}

test.each([
  ['America/St_Johns', '2025-03-09', '2025-03-09T03:30:00.000Z', '2025-03-10T02:30:00.000Z'],
  ['America/St_Johns', '2025-11-02', '2025-11-02T02:30:00.000Z', '2025-11-03T03:30:00.000Z'],
  ['America/St_Johns', '2010-11-07', '2010-11-07T02:30:00.000Z', '2010-11-08T03:30:00.000Z'],
  ['Africa/Casablanca', '2025-02-23', '2025-02-22T23:00:00.000Z', '2025-02-24T00:00:00.000Z'],
  ['Africa/Casablanca', '2025-04-06', '2025-04-06T00:00:00.000Z', '2025-04-06T23:00:00.000Z'],
  ['Australia/Lord_Howe', '2025-04-06', '2025-04-05T13:00:00.000Z', '2025-04-06T13:30:00.000Z'],
  ['Australia/Lord_Howe', '2025-10-05', '2025-10-04T13:30:00.000Z', '2025-10-05T13:00:00.000Z'],
  ['Europe/Dublin', '2025-03-30', '2025-03-30T00:00:00.000Z', '2025-03-30T23:00:00.000Z'],
  ['Europe/Dublin', '2025-10-26', '2025-10-25T23:00:00.000Z', '2025-10-27T00:00:00.000Z'],
  ['America/Nuuk', '2023-03-25', '2023-03-25T03:00:00.000Z', '2023-03-26T02:00:00.000Z'],
  ['America/Nuuk', '2024-03-30', '2024-03-30T02:00:00.000Z', '2024-03-31T01:00:00.000Z'],
  ['America/Nuuk', '2024-10-26', '2024-10-26T01:00:00.000Z', '2024-10-27T02:00:00.000Z'],
  ['America/Havana', '2025-11-02', '2025-11-02T04:00:00.000Z', '2025-11-03T05:00:00.000Z'],
  ['Pacific/Chatham', '2025-04-06', '2025-04-05T10:15:00.000Z', '2025-04-06T11:15:00.000Z'],
  ['Pacific/Kiritimati', '2025-01-01', '2024-12-31T10:00:00.000Z', '2025-01-01T10:00:00.000Z'],
  ['Asia/Kathmandu', '2025-03-05', '2025-03-04T18:15:00.000Z', '2025-03-05T18:15:00.000Z'],
])('%s, %s', (zone, day, from, to) => {
  const set = setAt(of(zone, day, [{ per: 'day', keep: 9 }]), silent, to)
  expect(obligationIn(set, day)).toMatchObject({ from, to })
})

test.each([
  ['America/St_Johns', '2025-03-09', '2025-03-09T04:40:00Z', ['00-03:30', '01-03:30']],
  ['America/St_Johns', '2025-03-09', '2025-03-09T06:00:00Z', ['00-03:30', '01-03:30', '03-02:30']],
  ['Europe/Dublin', '2025-03-30', '2025-03-30T01:30:00Z', ['00+00:00', '02+01:00']],
  ['Europe/Dublin', '2025-10-26', '2025-10-26T01:30:00Z', ['00+01:00', '01+01:00', '01+00:00']],
  [
    'Africa/Casablanca',
    '2025-02-23',
    '2025-02-23T02:30:00Z',
    ['00+01:00', '01+01:00', '02+01:00', '02+00:00'],
  ],
  ['America/Havana', '2025-11-02', '2025-11-02T05:30:00Z', ['00-04:00', '00-05:00']],
  ['Asia/Kathmandu', '2025-03-05', '2025-03-04T19:30:00Z', ['00+05:45', '01+05:45']],
])('hours of %s on %s until %s', (zone, day, at, hours) => {
  const contract = of(zone, day, [{ per: 'hour', keep: 9 }], { schedule: { every: 'PT1H' } })
  expect(setAt(contract, silent, at).obligations.map(({ bucket }) => bucket)).toEqual(
    hours.map((hour) => `${day}T${hour}`),
  )
})

test('Nuuk: the hour before midnight is there twice in October, and not at all in March', () => {
  const hours = (day: string, at: string) =>
    setAt(
      of('America/Nuuk', day, [{ per: 'hour', keep: 99 }], { schedule: { every: 'PT1H' } }),
      silent,
      at,
    ).obligations.map(({ bucket }) => bucket)
  expect(hours('2024-10-26', '2024-10-27T02:00:00Z').slice(-3)).toEqual([
    '2024-10-26T23-01:00',
    '2024-10-26T23-02:00',
    '2024-10-27T00-02:00',
  ])
  expect(hours('2024-03-30', '2024-03-31T01:00:00Z').slice(-2)).toEqual([
    '2024-03-30T22-02:00',
    '2024-03-31T00-01:00',
  ])
})

test('Apia: a week of six days, and a Friday that no anchor finds', () => {
  const contract = of('Pacific/Apia', '2011-12-19', [{ per: 'week', keep: 1, anchor: 'FRI' }])
  const story = new Story()
  story.backup('2011-12-30T08:00:00Z') // Thursday the 29th, 22:00
  story.backup('2011-12-30T12:00:00Z') // Saturday the 31st, 02:00
  story.inventory('2012-01-03T06:00:00Z')
  expect(obligationIn(setAt(contract, story, '2012-01-03T06:00:00Z'), '2011-W52')).toMatchObject({
    from: '2011-12-26T10:00:00.000Z',
    to: '2012-01-01T10:00:00.000Z',
    state: 'missed',
    keepUntil: '2012-01-08T10:00:00.000Z',
  })
})

test('Apia: a day after the 29th at 22:00 is the 31st at 22:00, and so are two', () => {
  const softOf = (age: string) => {
    const contract = of('Pacific/Apia', '2011-12-29', [], {
      retention: keeping([], { age, purgeGrace: 'PT0S' }),
    })
    const story = new Story()
    story.backup('2011-12-30T08:00:00Z')
    story.inventory('2011-12-30T09:00:00Z')
    return ['2011-12-31T07:59:59Z', '2011-12-31T08:00:00Z'].map(
      (at) => setAt(contract, story, at).snapshots?.[0]?.ceiling,
    )
  }
  expect(softOf('P1D')).toEqual(['within', 'over-retained'])
  expect(softOf('P2D')).toEqual(['within', 'over-retained'])
})

test('St. John’s, 2010: the clock is put back across midnight, and the day has begun', () => {
  const contract = of('America/St_Johns', '2010-11-05', [{ per: 'day', keep: 9 }])
  const story = new Story()
  story.backup('2010-11-07T03:00:00Z') // 23:30 of the 6th, for the second time
  story.inventory('2010-11-07T10:00:00Z')
  const set = setAt(contract, story, '2010-11-07T10:00:00Z')
  expect(obligationIn(set, '2010-11-06').state).toBe('missed')
  expect(obligationIn(set, '2010-11-07').state).toBe('met')
})
