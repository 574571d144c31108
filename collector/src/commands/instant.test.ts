import { expect, test } from 'vitest'
import { aYearBefore, readInstant } from './instant.ts'

test.each([
  ['2026-10-01', '2026-10-01T00:00:00.000Z'],
  ['2026-10-01T02:00:00+02:00', '2026-10-01T00:00:00.000Z'],
  ['2026-10-01T00:00:00.125Z', '2026-10-01T00:00:00.125Z'],
])('%s is %s', (text, instant) => {
  expect(readInstant(text).toISOString()).toBe(instant)
})

test.each(['', '5', '2026', '2026-10', '10/01/2026', '1 October 2026', '2026-02-30', '2026-10-01T00:00:00'])(
  '"%s" is not guessed at',
  (text) => {
    expect(() => readInstant(text)).toThrow('such as 2026-11-23T04:05:06Z')
  },
)

test('a year before a leap day is the day before', () => {
  expect(aYearBefore(new Date('2028-02-29T12:00:00.000Z')).toISOString()).toBe('2027-02-28T12:00:00.000Z')
})
