import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketsOf } from './bucket.ts'
import { Calendar } from './calendar.ts'
import { DAY_MS, HOUR_MS, formatDay, isZone, parseDay } from './local.ts'
import type { Per } from './schema.ts'
import { zoneOf } from './zone.ts'

const ZONES = Intl.supportedValuesOf('timeZone')
const FIRST = Date.UTC(2000, 0, 1)
const LAST = Date.UTC(2100, 11, 31)

function calendarOf(timezone: string, dayStartsAt = '00:00', days: 'all' | 'business' = 'all'): Calendar {
  return new Calendar({ timezone, holidays: 'DK' }, { every: 'P1D', dayStartsAt, days, lateGrace: 'PT6H' })
}

function list(per: Per, calendar: Calendar, from: string, count: number, fyEnd?: string) {
  const buckets = bucketsOf(fyEnd === undefined ? { per } : { per, fyEnd }, calendar)
  let bucket = buckets.bucketOf(Date.parse(from))
  return Array.from({ length: count }, () => {
    const told = { label: buckets.label(bucket), hours: (bucket.to - bucket.from) / HOUR_MS }
    bucket = buckets.next(bucket)
    return told
  })
}

const anyBuckets = fc.record({
  zone: fc.constantFrom(...ZONES),
  per: fc.constantFrom<Per>('hour', 'day', 'week', 'month', 'year', 'fiscalYear'),
  dayStartsAt: fc.constantFrom('00:00', '00:30', '02:30', '06:00', '18:00', '23:59'),
  fyEnd: fc.constantFrom('12-31', '06-30', '02-28', '02-29', '09-30'),
  instant: fc.integer({ min: FIRST, max: LAST }),
})

test('every instant lies in exactly one bucket of every tier, in every zone', () => {
  fc.assert(
    fc.property(anyBuckets, ({ zone, per, dayStartsAt, fyEnd, instant }) => {
      const buckets = bucketsOf({ per, fyEnd }, calendarOf(zone, dayStartsAt))
      const own = buckets.bucketOf(instant)
      const next = buckets.next(own)
      expect(own.from).toBeLessThanOrEqual(instant)
      expect(own.to).toBeGreaterThan(instant)
      expect(next.from).toBe(own.to)
      expect(next.index).toBeGreaterThan(own.index)
      expect(buckets.label(next)).not.toBe(buckets.label(own))
      // Both edges belong to the bucket that they begin.
      expect(buckets.bucketOf(own.from)).toEqual(own)
      expect(buckets.bucketOf(own.to - 1)).toEqual(own)
      expect(buckets.bucketOf(own.to)).toEqual(next)
    }),
    { numRuns: 3000 },
  )
})

const WALKED = [
  { per: 'day' },
  { per: 'week' },
  { per: 'month' },
  { per: 'year' },
  { per: 'fiscalYear', fyEnd: '06-30' },
] as const

test('from 2000 to 2100, in every zone, each bucket begins where the one before it ends', () => {
  const failing: string[] = []
  for (const zone of ZONES) {
    for (const dayStartsAt of ['00:00', '02:30']) {
      for (const tier of WALKED) {
        const buckets = bucketsOf(tier, calendarOf(zone, dayStartsAt))
        let bucket = buckets.bucketOf(FIRST)
        while (bucket.from < LAST) {
          const next = buckets.next(bucket)
          if (next.from !== bucket.to || next.to <= next.from || next.index <= bucket.index)
            failing.push(`${zone} ${dayStartsAt} ${tier.per} ${new Date(bucket.from).toISOString()}`)
          bucket = next
        }
      }
    }
  }
  expect(failing).toEqual([])
})

test('around every change of every zone until 2100, hours still follow each other', () => {
  const failing: string[] = []
  for (const zone of ZONES) {
    const buckets = bucketsOf({ per: 'hour' }, calendarOf(zone))
    let change = Temporal.Instant.fromEpochMilliseconds(FIRST)
      .toZonedDateTimeISO(zone)
      .getTimeZoneTransition('next')
    while (change !== null && change.epochMilliseconds < LAST) {
      let bucket = buckets.bucketOf(change.epochMilliseconds - DAY_MS / 4)
      while (bucket.from < change.epochMilliseconds + DAY_MS / 4) {
        const next = buckets.next(bucket)
        const isWhole = [next.from, next.to - 1].every((at) => buckets.bucketOf(at).from === next.from)
        if (next.from !== bucket.to || next.to <= next.from || !isWhole)
          failing.push(`${zone} ${change.toString()}`)
        bucket = next
      }
      change = change.getTimeZoneTransition('next')
    }
  }
  expect(failing).toEqual([])
})

test('local times and durations are those of Temporal, `compatible` and clamped', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.integer({ min: FIRST, max: LAST }),
      fc.record({ months: fc.nat(60), days: fc.nat(400), hours: fc.nat(200) }),
      (id, instant, { months, days, hours }) => {
        const zone = zoneOf(id)
        const here = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(id)
        expect(zone.offsetMsAt(instant)).toBe(here.offsetNanoseconds / 1e6)
        expect(zone.add(instant, { months, days, elapsedMs: hours * HOUR_MS })).toBe(
          here.add({ months, days, hours }).epochMilliseconds,
        )
        const local = new Temporal.PlainDateTime(1970, 1, 1).add({ milliseconds: instant })
        expect(zone.instantOf(instant)).toBe(local.toZonedDateTime(id).epochMilliseconds)
      },
    ),
    { numRuns: 3000 },
  )
})

describe('Danish clock changes', () => {
  const calendar = calendarOf('Europe/Copenhagen')

  test('30 March 2025 has 23 hours, the hour after 01 is 03', () => {
    expect(list('day', calendar, '2025-03-29T12:00:00Z', 3).map(({ hours }) => hours)).toEqual([24, 23, 24])
    expect(list('hour', calendar, '2025-03-30T00:10:00Z', 2).map(({ label }) => label)).toEqual([
      '2025-03-30T01+01:00',
      '2025-03-30T03+02:00',
    ])
  })

  test('26 October 2025 has 25 hours, two of them called 02', () => {
    expect(list('day', calendar, '2025-10-26T12:00:00Z', 1)).toEqual([{ label: '2025-10-26', hours: 25 }])
    expect(list('hour', calendar, '2025-10-26T00:10:00Z', 2).map(({ label }) => label)).toEqual([
      '2025-10-26T02+02:00',
      '2025-10-26T02+01:00',
    ])
  })

  test('a day that starts in the skipped hour starts at the hour after, in the repeated one at its first', () => {
    const early = calendarOf('Europe/Copenhagen', '02:30')
    expect(new Date(early.startOf(parseDay('2025-03-30'))).toISOString()).toBe('2025-03-30T01:30:00.000Z')
    expect(new Date(early.startOf(parseDay('2025-10-26'))).toISOString()).toBe('2025-10-26T00:30:00.000Z')
  })

  test('forty-eight hours are elapsed time across both changes', () => {
    const buckets = bucketsOf({ per: 'hour' }, calendar)
    for (const at of ['2025-03-29T10:00:00Z', '2025-10-25T10:00:00Z']) {
      const bucket = buckets.bucketOf(Date.parse(at))
      expect(buckets.keptUntil(bucket, 48, 'calendar') - bucket.to).toBe(48 * HOUR_MS)
    }
  })
})

describe('names', () => {
  const calendar = calendarOf('Europe/Copenhagen')

  test('ISO weeks: the year of the Thursday, 53 where there is one', () => {
    const labels = (from: string, count: number) =>
      list('week', calendar, from, count).map(({ label }) => label)
    expect(labels('2020-12-28T00:00:00Z', 2)).toEqual(['2020-W53', '2021-W01'])
    expect(labels('2026-12-31T00:00:00Z', 2)).toEqual(['2026-W53', '2027-W01'])
    expect(labels('2024-12-29T12:00:00Z', 2)).toEqual(['2024-W52', '2025-W01'])
  })

  test('months, years, and fiscal years by their first day', () => {
    expect(list('month', calendar, '2025-12-15T00:00:00Z', 2).map(({ label }) => label)).toEqual([
      '2025-12',
      '2026-01',
    ])
    expect(list('year', calendar, '2025-12-31T23:00:00Z', 1)[0]?.label).toBe('2026')
    expect(
      list('fiscalYear', calendar, '2025-06-30T12:00:00Z', 2, '06-30').map(({ label }) => label),
    ).toEqual(['2024-07-01', '2025-07-01'])
    expect(
      list('fiscalYear', calendar, '2024-02-29T12:00:00Z', 2, '02-29').map(({ label }) => label),
    ).toEqual(['2023-03-01', '2024-03-01'])
  })

  test('hours of other zones', () => {
    const first = (zone: string, at: string) => list('hour', calendarOf(zone), at, 1)[0]?.label
    expect(first('Asia/Kolkata', '2025-03-05T10:00:00Z')).toBe('2025-03-05T15+05:30')
    expect(first('Asia/Kathmandu', '2025-03-05T10:00:00Z')).toBe('2025-03-05T15+05:45')
    expect(first('America/New_York', '2025-07-01T00:30:00Z')).toBe('2025-06-30T20-04:00')
    expect(first('UTC', '2025-07-01T00:30:00Z')).toBe('2025-07-01T00+00:00')
  })

  test('Lord Howe moves its clocks by half an hour: the half hour is a bucket of its own', () => {
    expect(list('hour', calendarOf('Australia/Lord_Howe'), '2025-10-04T14:40:00Z', 3)).toEqual([
      { label: '2025-10-05T01+10:30', hours: 1 },
      { label: '2025-10-05T02:30+11:00', hours: 0.5 },
      { label: '2025-10-05T03+11:00', hours: 1 },
    ])
  })

  test('Apia left out 30 December 2011', () => {
    expect(list('day', calendarOf('Pacific/Apia'), '2011-12-29T12:00:00Z', 2)).toEqual([
      { label: '2011-12-29', hours: 24 },
      { label: '2011-12-31', hours: 24 },
    ])
  })
})

describe('how long a bucket is kept', () => {
  const calendar = calendarOf('Europe/Copenhagen')
  const kept = (
    per: Per,
    at: string,
    keep: number,
    own = calendar,
    basis: 'calendar' | 'expected' = 'calendar',
  ) => {
    const buckets = bucketsOf({ per }, own)
    return new Date(buckets.keptUntil(buckets.bucketOf(Date.parse(at)), keep, basis)).toISOString()
  }

  test('to the end of the keep-th bucket after it', () => {
    expect(kept('day', '2025-03-05T12:00:00Z', 30)).toBe('2025-04-04T22:00:00.000Z')
    expect(kept('month', '2025-01-31T12:00:00Z', 1)).toBe('2025-02-28T23:00:00.000Z')
    expect(kept('year', '2025-06-01T12:00:00Z', 5)).toBe('2030-12-31T23:00:00.000Z')
    expect(kept('week', '2025-03-05T12:00:00Z', 4)).toBe('2025-04-06T22:00:00.000Z')
  })

  test('counting expected days only, over Easter', () => {
    const business = calendarOf('Europe/Copenhagen', '00:00', 'business')
    // After Wednesday 16 April 2025: Tuesday 22 (Thursday to Monday closed), then Wednesday 23.
    expect(kept('day', '2025-04-16T12:00:00Z', 2, business, 'expected')).toBe('2025-04-23T22:00:00.000Z')
    expect(kept('day', '2025-04-16T12:00:00Z', 2, business)).toBe('2025-04-18T22:00:00.000Z')
    expect(kept('hour', '2025-04-16T21:30:00Z', 1, business, 'expected')).toBe('2025-04-21T23:00:00.000Z')
  })
})

test('an offset is no zone', () => {
  expect(['Europe/Copenhagen', 'UTC', '+01:00', 'Mars/Base'].map(isZone)).toEqual([true, true, false, false])
})

test('days are numbered and named', () => {
  expect(formatDay(parseDay('2024-02-29'))).toBe('2024-02-29')
})
