import { expect, test } from 'vitest'
import { stretchesByIntl, stretchesByTemporal } from './offset.ts'

const [FIRST, LAST] = [Date.UTC(1970, 0, 1), Date.UTC(2200, 0, 1)]

/** Odd ones among all: Ramadan, half an hour, a day left out, seconds, a change within a week of another. */
const ODD = [
  'UTC',
  'Europe/Copenhagen',
  'America/New_York',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Africa/Monrovia',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'America/Argentina/San_Luis',
  'America/Nuuk',
  'Antarctica/Troll',
  'Australia/Lord_Howe',
  'Pacific/Apia',
]

test.each(ODD)('%s: Intl and Temporal tell the same changes of offset', (zone) => {
  expect(stretchesByIntl(zone, FIRST, LAST)).toEqual(stretchesByTemporal(zone, FIRST, LAST))
})

test('a zone that nobody knows is an error, not UTC', () => {
  for (const read of [stretchesByIntl, stretchesByTemporal])
    expect(() => read('Europe/Atlantis', FIRST, LAST)).toThrow(RangeError)
})
