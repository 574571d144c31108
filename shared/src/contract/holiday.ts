import { dayOfCivil } from './local.ts'

/** Easter Sunday by the Gregorian rule (Meeus, Jones and Butcher), as a day's number. */
export function easterOf(year: number): number {
  const golden = year % 19
  const century = Math.floor(year / 100)
  const yearOfCentury = year % 100
  const leapCenturies = Math.floor(century / 4)
  const moonCorrection = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3)
  const epact = (19 * golden + century - leapCenturies - moonCorrection + 15) % 30
  const toSunday =
    (32 + 2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - epact - (yearOfCentury % 4)) % 7
  const late = Math.floor((golden + 11 * epact + 22 * toSunday) / 451)
  const sum = epact + toSunday - 7 * late + 114
  return dayOfCivil(year, Math.floor(sum / 31), (sum % 31) + 1)
}

/** The last year in which Great Prayer Day (store bededag) was a holiday: abolished from 2024. */
const LAST_PRAYER_DAY = 2023

/** The days on which Denmark is closed, weekends aside; 5 June, 24 and 31 December are no holidays by law. */
export function danishHolidays(year: number): Set<number> {
  const easter = easterOf(year)
  const days = [
    dayOfCivil(year, 1, 1),
    easter - 3, // Maundy Thursday
    easter - 2,
    easter - 1,
    easter,
    easter + 1,
    easter + 39, // Ascension Day
    easter + 49, // Whit Sunday
    easter + 50,
    dayOfCivil(year, 12, 25),
    dayOfCivil(year, 12, 26),
  ]
  if (year <= LAST_PRAYER_DAY) days.push(easter + 26)
  return new Set(days)
}
