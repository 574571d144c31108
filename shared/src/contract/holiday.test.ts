import { expect, test } from 'vitest'
import { Calendar } from './calendar.ts'
import { danishHolidays, easterOf } from './holiday.ts'
import { formatDay, parseDay } from './local.ts'

test('Easter Sunday', () => {
  const known = [
    '2000-04-23',
    '2008-03-23',
    '2011-04-24',
    '2019-04-21',
    '2024-03-31',
    '2025-04-20',
    '2038-04-25',
  ]
  expect(known.map((date) => formatDay(easterOf(Number(date.slice(0, 4)))))).toEqual(known)
})

test('the Danish holidays of 2025', () => {
  expect([...danishHolidays(2025)].map(formatDay).toSorted()).toEqual([
    '2025-01-01',
    '2025-04-17',
    '2025-04-18',
    '2025-04-19',
    '2025-04-20',
    '2025-04-21',
    '2025-05-29',
    '2025-06-08',
    '2025-06-09',
    '2025-12-25',
    '2025-12-26',
  ])
})

test('Great Prayer Day was one until 2023', () => {
  expect(danishHolidays(2023).has(parseDay('2023-05-05'))).toBe(true)
  expect(danishHolidays(2024).has(parseDay('2024-04-26'))).toBe(false)
})

test('5 June, 24 and 31 December are open; without holidays only weekends close', () => {
  const schedule = { every: 'P1D', dayStartsAt: '00:00', days: 'business', lateGrace: 'PT6H' } as const
  const danish = new Calendar({ timezone: 'Europe/Copenhagen', holidays: 'DK' }, schedule)
  const plain = new Calendar({ timezone: 'Europe/Copenhagen', holidays: 'none' }, schedule)
  const closed = (calendar: Calendar, ...dates: string[]) =>
    dates.map((date) => calendar.isClosed(parseDay(date)))
  expect(closed(danish, '2025-06-05', '2025-12-24', '2025-12-31', '2025-12-25')).toEqual([
    false,
    false,
    false,
    true,
  ])
  expect(closed(plain, '2025-12-25', '2025-12-27', '2025-12-28')).toEqual([false, true, true])
})
