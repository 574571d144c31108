/** Weeks, months, years and fiscal years where they are least like each other. */
import { describe, expect, test } from 'vitest'
import { Story, contractOf, keeping, obligationIn, setAt, setOf, versionOf } from './story-for-tests.ts'

const silent = new Story()
const LONG = { freshFor: 'P900D', unknownAfter: 'P901D', silenceBreachAfter: 'P902D' }

function from(day: string, min: Record<string, unknown>[], set: Record<string, unknown> = {}, more = {}) {
  const terms = { onboardedAt: day, retention: keeping(min), evidence: LONG, ...set }
  return contractOf([versionOf(1, day, { sets: [setOf(terms)] })], more)
}

describe('weeks', () => {
  const weekly = (keep: number, day: string, set = {}) => from(day, [{ per: 'week', keep }], set)

  test('2020 ends with week 53, and one week kept from week 52 is kept through it', () => {
    const set = setAt(weekly(1, '2020-12-21'), silent, '2021-01-12T00:00:00Z')
    expect(set.obligations.map(({ bucket, from, keepUntil }) => [bucket, from, keepUntil])).toEqual([
      ['2020-W52', '2020-12-20T23:00:00.000Z', '2021-01-03T23:00:00.000Z'],
      ['2020-W53', '2020-12-27T23:00:00.000Z', '2021-01-10T23:00:00.000Z'],
      ['2021-W01', '2021-01-03T23:00:00.000Z', '2021-01-17T23:00:00.000Z'],
      ['2021-W02', '2021-01-10T23:00:00.000Z', '2021-01-24T23:00:00.000Z'],
    ])
  })

  test('30 December 2024 begins week 1 of 2025, though the day starts in the evening', () => {
    const story = new Story()
    story.backup('2024-12-30T17:30:00Z') // 18:30
    story.inventory('2025-01-07T06:00:00Z')
    const set = setAt(
      weekly(4, '2024-12-23', { schedule: { dayStartsAt: '18:00' } }),
      story,
      '2025-01-07T06:00:00Z',
    )
    expect(obligationIn(set, '2024-W52')).toMatchObject({ state: 'missed', to: '2024-12-30T17:00:00.000Z' })
    expect(obligationIn(set, '2025-W01')).toMatchObject({
      state: 'met',
      from: '2024-12-30T17:00:00.000Z',
      to: '2025-01-06T17:00:00.000Z',
      due: '2025-01-06T23:00:00.000Z',
      keepUntil: '2025-02-03T17:00:00.000Z',
    })
  })

  test('a snapshot on New Year’s Day is of the old year’s last week', () => {
    const story = new Story()
    story.backup('2021-01-01T12:00:00Z')
    story.inventory('2021-01-05T06:00:00Z')
    const contract = from('2020-12-28', [
      { per: 'week', keep: 2 },
      { per: 'month', keep: 2 },
      { per: 'day', keep: 9 },
    ])
    const set = setAt(contract, story, '2021-01-05T06:00:00Z')
    expect(obligationIn(set, '2020-W53').state).toBe('met')
    expect(obligationIn(set, '2021-W01').state).toBe('pending')
    expect(obligationIn(set, '2021-01').state).toBe('met')
    expect(obligationIn(set, '2021-01-01').state).toBe('met')
    expect(obligationIn(set, '2020-12-31').state).toBe('missed')
  })

  test('the week of the change in March is an hour short', () => {
    expect(
      obligationIn(setAt(weekly(1, '2025-03-24'), silent, '2025-03-25T00:00:00Z'), '2025-W13'),
    ).toMatchObject({
      from: '2025-03-23T23:00:00.000Z',
      to: '2025-03-30T22:00:00.000Z',
      keepUntil: '2025-04-06T22:00:00.000Z',
    })
  })
})

describe('months and years', () => {
  test.each([
    ['00:00', '2024-01-31T23:00:00.000Z', '2024-02-29T23:00:00.000Z', '2025-03-31T22:00:00.000Z'],
    ['18:00', '2024-02-01T17:00:00.000Z', '2024-03-01T17:00:00.000Z', '2025-04-01T16:00:00.000Z'],
  ])(
    'February 2024 where the day starts at %s, kept thirteen months',
    (dayStartsAt, start, end, keepUntil) => {
      const contract = from('2024-02-01', [{ per: 'month', keep: 13 }], { schedule: { dayStartsAt } })
      expect(obligationIn(setAt(contract, silent, '2024-02-05T00:00:00Z'), '2024-02')).toMatchObject({
        from: start,
        to: end,
        keepUntil,
      })
    },
  )

  test('years', () => {
    const years = (day: string, dayStartsAt = '00:00') =>
      setAt(
        from(day, [{ per: 'year', keep: 5 }], { schedule: { dayStartsAt } }),
        silent,
        '2026-01-02T00:00:00Z',
      ).obligations.map(({ bucket, from, keepUntil }) => [bucket, from, keepUntil])
    expect(years('2025-01-01')).toEqual([
      ['2025', '2024-12-31T23:00:00.000Z', '2030-12-31T23:00:00.000Z'],
      ['2026', '2025-12-31T23:00:00.000Z', '2031-12-31T23:00:00.000Z'],
    ])
    expect(years('2025-01-02')).toEqual([['2026', '2025-12-31T23:00:00.000Z', '2031-12-31T23:00:00.000Z']])
    expect(years('2025-01-01', '06:00')[0]).toEqual([
      '2025',
      '2025-01-01T05:00:00.000Z',
      '2031-01-01T05:00:00.000Z',
    ])
  })

  test('a month of which any Sunday will do', () => {
    const story = new Story()
    const contract = from('2025-03-01', [{ per: 'month', keep: 3, anchor: 'SUN' }])
    story.backup('2025-03-31T21:00:00Z') // Monday 23:00
    story.inventory('2025-04-02T06:00:00Z')
    expect(obligationIn(setAt(contract, story, '2025-04-02T06:00:00Z'), '2025-03').state).toBe('missed')
    const sunday = new Story()
    sunday.backup('2025-03-08T23:00:00Z') // Sunday 00:00 exactly
    sunday.inventory('2025-04-02T06:00:00Z')
    expect(obligationIn(setAt(contract, sunday, '2025-04-02T06:00:00Z'), '2025-03').state).toBe('met')
  })
})

describe('fiscal years', () => {
  const fiscal = (day: string, tier: Record<string, unknown>, set = {}) =>
    from(day, [{ per: 'fiscalYear', keep: 5, ...tier }], set)

  test('to 28 February: the next one begins on the leap day', () => {
    const contract = fiscal('2023-03-01', { fyEnd: '02-28', closeAfter: 'P1M' })
    const { obligations } = setAt(contract, silent, '2025-03-02T00:00:00Z')
    expect(obligations.map(({ bucket, to, due, keepUntil }) => [bucket, to, due, keepUntil])).toEqual([
      ['2023-03-01', '2024-02-28T23:00:00.000Z', '2024-03-29T05:00:00.000Z', '2029-02-28T23:00:00.000Z'],
      ['2024-02-29', '2025-02-28T23:00:00.000Z', '2025-04-01T04:00:00.000Z', '2030-02-28T23:00:00.000Z'],
      ['2025-03-01', '2026-02-28T23:00:00.000Z', '2026-04-01T04:00:00.000Z', '2031-02-28T23:00:00.000Z'],
    ])
  })

  test('to 30 September, with days from six in the evening', () => {
    const contract = fiscal(
      '2024-10-01',
      { fyEnd: '09-30', closeAfter: 'P5M' },
      { schedule: { dayStartsAt: '18:00' } },
    )
    expect(obligationIn(setAt(contract, silent, '2025-10-02T00:00:00Z'), '2024-10-01')).toMatchObject({
      from: '2024-10-01T16:00:00.000Z',
      to: '2025-10-01T16:00:00.000Z',
      due: '2026-03-01T23:00:00.000Z',
      keepUntil: '2030-10-01T16:00:00.000Z',
    })
  })

  test('the calendar year: met from the listing on, lost when that goes, another in the window does as well', () => {
    const contract = fiscal('2024-01-01', { fyEnd: '12-31', closeAfter: 'P5M' })
    const story = new Story()
    const early = story.backup('2024-12-31T22:59:59Z')
    story.inventory('2025-01-01T06:00:00Z')
    const stateAt = (at: string) => obligationIn(setAt(contract, story, at), '2024-01-01').state
    expect(stateAt('2025-01-01T06:00:00Z')).toBe('pending') // a second too early
    const first = story.backup('2025-01-02T21:00:00Z')
    story.inventory('2025-01-03T06:00:00Z')
    expect(stateAt('2025-01-03T06:00:00Z')).toBe('met')
    story.drop(first)
    story.inventory('2025-05-31T21:59:00Z')
    expect(stateAt('2025-05-31T21:59:59Z')).toBe('pending')
    expect(stateAt('2025-05-31T22:00:00Z')).toBe('late')
    expect(stateAt('2025-06-01T03:59:59Z')).toBe('late')
    expect(stateAt('2025-06-01T04:00:00Z')).toBe('lost')
    expect(story.contents()).toEqual([early])
  })
})
