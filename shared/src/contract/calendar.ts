import { danishHolidays } from './holiday.ts'
import type { CivilDate } from './local.ts'
import { DAY_MS, civilOf, dayOfCivil, formatDay, parseTime, weekdayOf } from './local.ts'
import type { Contract, ContractSet } from './schema.ts'
import type { Zone } from './zone.ts'
import { zoneOf } from './zone.ts'

/** The days of one set: in the contract's zone, from `dayStartsAt`, some of them closed. */
export class Calendar {
  readonly zone: Zone
  readonly dayStartsAtMs: number
  readonly #business: boolean
  readonly #danish: boolean
  readonly #holidays = new Map<number, Set<number>>()

  constructor(contract: Pick<Contract, 'timezone' | 'holidays'>, schedule: ContractSet['schedule']) {
    this.zone = zoneOf(contract.timezone)
    this.dayStartsAtMs = parseTime(schedule.dayStartsAt)
    this.#business = schedule.days === 'business'
    this.#danish = contract.holidays === 'DK'
  }

  startOf(day: number): number {
    return this.zone.instantOf(day * DAY_MS + this.dayStartsAtMs)
  }

  /** The day whose [start, next start) holds the instant. */
  dayOf(instant: number): number {
    let day = Math.floor((instant + this.zone.offsetMsAt(instant) - this.dayStartsAtMs) / DAY_MS)
    while (this.startOf(day) > instant) day -= 1
    while (this.startOf(day + 1) <= instant) day += 1
    return day
  }

  /** True for a day on which nothing is expected. */
  isClosed(day: number): boolean {
    if (!this.#business) return false
    if (weekdayOf(day) >= 5) return true
    if (!this.#danish) return false
    const { year } = civilOf(day)
    let holidays = this.#holidays.get(year)
    if (holidays === undefined) {
      holidays = danishHolidays(year)
      this.#holidays.set(year, holidays)
    }
    return holidays.has(day)
  }
}

/** A unit of days that follow each other: the n-th one goes from `firstDay(n)` to the day before `firstDay(n + 1)`. */
export interface DayUnit {
  firstDay(index: number): number
  indexOf(day: number): number
  label(index: number): string
}

const DAY: DayUnit = { firstDay: (index) => index, indexOf: (day) => day, label: formatDay }

/** ISO 8601 weeks: from Monday, named by the year of their Thursday. */
const WEEK: DayUnit = {
  firstDay: (index) => index * 7 - 3,
  indexOf: (day) => Math.floor((day + 3) / 7),
  label(index) {
    const thursday = index * 7
    const { year } = civilOf(thursday)
    const week = Math.floor((thursday - dayOfCivil(year, 1, 1)) / 7) + 1
    return `${year}-W${String(week).padStart(2, '0')}`
  },
}

const MONTH: DayUnit = {
  firstDay: (index) => dayOfCivil(Math.floor(index / 12), (index % 12) + 1, 1),
  indexOf(day) {
    const { year, month } = civilOf(day)
    return year * 12 + month - 1
  },
  label: (index) => `${Math.floor(index / 12)}-${String((index % 12) + 1).padStart(2, '0')}`,
}

const YEAR: DayUnit = {
  firstDay: (index) => dayOfCivil(index, 1, 1),
  indexOf: (day) => civilOf(day).year,
  label: String,
}

/** The n-th fiscal year is the one that ends in the calendar year n; 29 February is clamped. */
function fiscalYear(end: Pick<CivilDate, 'month' | 'date'>): DayUnit {
  const firstDay = (index: number) => dayOfCivil(index - 1, end.month, end.date) + 1
  return {
    firstDay,
    indexOf(day) {
      const { year } = civilOf(day)
      return day < firstDay(year + 1) ? year : year + 1
    },
    label: (index) => formatDay(firstDay(index)),
  }
}

/** The unit of a tier, hours aside. */
export function dayUnitOf(per: 'day' | 'week' | 'month' | 'year' | 'fiscalYear', fyEnd = '12-31'): DayUnit {
  switch (per) {
    case 'day':
      return DAY
    case 'week':
      return WEEK
    case 'month':
      return MONTH
    case 'year':
      return YEAR
    case 'fiscalYear': {
      const [month = 12, date = 31] = fyEnd.split('-').map(Number)
      return fiscalYear({ month, date })
    }
  }
}
