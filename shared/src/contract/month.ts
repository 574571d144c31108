import { BevisError } from '../error.ts'
import { dayOfCivil, formatDay } from './local.ts'
import { zoneOf } from './zone.ts'

/** A month of a contract's calendar, and the days of it. Instants in milliseconds. */
export interface Month {
  /** `2025-03` */
  name: string
  from: number
  to: number
  /** Local dates, each with its end, which is the next one's start. */
  days: { date: string; end: number }[]
}

/** @throws BevisError USAGE for what is no month */
export function monthOf(name: string, timezone: string): Month {
  const match = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(name)
  if (match === null) throw new BevisError('USAGE', `${name} is no month: write it as 2026-03`)
  const [year, month] = [Number(match[1]), Number(match[2])]
  const zone = zoneOf(timezone)
  const first = dayOfCivil(year, month, 1)
  const next = dayOfCivil(year, month + 1, 1)
  const days = Array.from({ length: next - first }, (_, place) => ({
    date: formatDay(first + place),
    end: zone.midnightOf(first + place + 1),
  }))
  return { name, from: zone.midnightOf(first), to: zone.midnightOf(next), days }
}

/** True for instants in the month. */
export function isInMonth(instant: string, { from, to }: Month): boolean {
  const at = Date.parse(instant)
  return at >= from && at < to
}

/** The local month that an instant lies in, `2025-03`. */
export function monthNameOf(instant: number, timezone: string): string {
  return new Date(instant + zoneOf(timezone).offsetMsAt(instant)).toISOString().slice(0, 7)
}

/** The names of all months from one through another. */
export function monthsThrough(first: string, last: string): string[] {
  const names: string[] = []
  for (let name = first; name <= last; name = nextMonth(name)) names.push(name)
  return names
}

function nextMonth(name: string): string {
  const [year = 0, month = 0] = name.split('-').map(Number)
  return formatDay(dayOfCivil(year, month + 1, 1)).slice(0, 7)
}
