/** Local dates and times, as a contract writes them. A day is counted from 1 January 1970. */

export const DAY_MS = 86_400_000
export const HOUR_MS = 3_600_000
export const MINUTE_MS = 60_000

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/

export function isLocalDate(text: string): boolean {
  return DATE.test(text) && formatDay(parseDay(text)) === text
}

export function isLocalTime(text: string): boolean {
  return TIME.test(text)
}

export function isZone(text: string): boolean {
  if (/^[+-]/.test(text)) return false // an offset is not a zone: it knows no summer time
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return true
  } catch {
    return false
  }
}

/** The day's number; NaN for what is no date. */
export function parseDay(date: string): number {
  return Date.parse(`${date}T00:00:00.000Z`) / DAY_MS
}

/** `2025-03-05` */
export function formatDay(day: number): string {
  if (Number.isNaN(day)) return ''
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** Milliseconds after midnight of `02:30`. */
export function parseTime(time: string): number {
  const match = TIME.exec(time)
  return match === null ? 0 : Number(match[1]) * HOUR_MS + Number(match[2]) * MINUTE_MS
}

/** 0 is Monday, as in ISO 8601. */
export function weekdayOf(day: number): number {
  return (((day + 3) % 7) + 7) % 7
}

export interface CivilDate {
  year: number
  /** 1 to 12 */
  month: number
  /** 1 to 31 */
  date: number
}

export function civilOf(day: number): CivilDate {
  const at = new Date(day * DAY_MS)
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, date: at.getUTCDate() }
}

/** The day's number; a month over twelve goes on into the next years, a date beyond the month's end is clamped. */
export function dayOfCivil(year: number, month: number, date: number): number {
  const first = Date.UTC(year, month - 1, 1) / DAY_MS
  const next = Date.UTC(year, month, 1) / DAY_MS
  return Math.min(first + date, next) - 1
}
