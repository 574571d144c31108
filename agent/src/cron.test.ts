import { expect, test } from 'vitest'
import { cronProblems, readCron, skippedDay } from './cron.ts'

const zone = 'Europe/Copenhagen'
const at = (text: string): Date => new Date(text)

test('a time that spring takes away happens after the gap; one that autumn repeats happens once', () => {
  const cron = readCron('30 2 * * *', zone)
  expect(cron.after(at('2027-03-27T12:00:00Z'))).toEqual(at('2027-03-28T01:30:00Z'))
  expect(cron.after(at('2027-03-28T01:30:00Z'))).toEqual(at('2027-03-29T00:30:00Z'))
  expect(cron.after(at('2027-10-30T12:00:00Z'))).toEqual(at('2027-10-31T00:30:00Z'))
  expect(cron.after(at('2027-10-31T00:30:00Z'))).toEqual(at('2027-11-01T01:30:00Z'))
  expect(cron.before(at('2027-10-31T23:00:00Z'))).toEqual(at('2027-10-31T00:30:00Z'))
})

test('an instant that is named is before itself and not after itself', () => {
  const cron = readCron('0 4 * * 6', zone)
  const saturday = at('2026-11-21T03:00:00Z')
  expect(cron.before(saturday)).toEqual(saturday)
  expect(cron.after(saturday)).toEqual(at('2026-11-28T03:00:00Z'))
})

test('every hour of a gap day is named once, in order', () => {
  const cron = readCron('15,45 * * * *', zone)
  const seen: Date[] = []
  for (
    let next = cron.after(at('2027-03-27T23:00:00Z'));
    next !== null && next < at('2027-03-28T04:00:00Z');
  ) {
    seen.push(next)
    next = cron.after(next)
  }
  const times = seen.map((date) => date.toISOString().slice(11, 16))
  expect(times.join(' ')).toBe('23:15 23:45 00:15 00:45 01:15 01:45 02:15 02:45 03:15 03:45')
})

test('what runs round the clock runs in the repeated hour of autumn too: an hour is an hour', () => {
  const timesOf = (expression: string): string => {
    const cron = readCron(expression, zone)
    const seen: string[] = []
    let next = cron.after(at('2027-10-30T23:00:00Z'))
    while (next !== null && next < at('2027-10-31T03:00:00Z')) {
      seen.push(next.toISOString().slice(11, 16))
      next = cron.after(next)
    }
    return seen.join(' ')
  }
  expect(timesOf('30 * * * *')).toBe('23:30 00:30 01:30 02:30')
  expect(timesOf('*/30 * * * *')).toBe('23:30 00:00 00:30 01:00 01:30 02:00 02:30')
  expect(timesOf('30 0-23 * * *')).toBe('23:30 00:30 01:30 02:30')
  expect(timesOf('30 2,3 * * *')).toBe('00:30 02:30')
  expect(readCron('30 * * * *', zone).before(at('2027-10-31T01:45:00Z'))).toEqual(at('2027-10-31T01:30:00Z'))
})

test('a rare day is found, and one that never comes is not looked for without end', () => {
  expect(readCron('0 4 29 2 *', zone).after(at('2026-11-23T00:00:00Z'), 1200)).toEqual(
    at('2028-02-29T03:00:00Z'),
  )
  expect(readCron('0 4 29 2 *', zone).after(at('2026-11-23T00:00:00Z'))).toBeNull()
})

test('problems are told in words', () => {
  expect(cronProblems('61 2 * * *')).toEqual(['61 cannot be the minute'])
  expect(cronProblems('* * * * * *')[0]).toContain('five fields')
  expect(cronProblems('0 4 * * 6')).toEqual([])
})

test('the day on which clocks skip the time is named beforehand', () => {
  expect(skippedDay('30 2 * * *', zone, at('2026-11-23T00:00:00Z'))?.toString()).toBe('2027-03-28')
  expect(skippedDay('0 3 * * *', zone, at('2026-11-23T00:00:00Z'))).toBeNull()
  expect(skippedDay('30 2 * * *', 'UTC', at('2026-11-23T00:00:00Z'))).toBeNull()
})

test('what runs round the clock is not said to lose the hour that spring takes; what names that hour is', () => {
  const now = new Date('2026-11-23T12:00:00.000Z')
  expect(skippedDay('*/2 * * * *', 'Europe/Copenhagen', now)).toBeNull()
  expect(skippedDay('30 2 * * *', 'Europe/Copenhagen', now)?.toString()).toBe('2027-03-28')
})
