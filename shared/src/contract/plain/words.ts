/** What both languages need: numbers, dates, durations and lists, as people write them. */
import type { Tier } from '../schema.ts'

export type Language = 'da' | 'en'

type Unit = 'year' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second'

const UNITS: readonly (readonly [Unit, RegExp])[] = [
  ['year', /(\d+)Y/],
  ['month', /^P[^T]*?(\d+)M/],
  ['week', /(\d+)W/],
  ['day', /(\d+)D/],
  ['hour', /(\d+)H/],
  ['minute', /T.*?(\d+)M/],
  ['second', /(\d+)S/],
]

/** The parts of an ISO 8601 duration, without those that are zero. */
function partsOf(iso: string): { unit: Unit; count: number }[] {
  return UNITS.flatMap(([unit, form]) => {
    const count = Number(form.exec(iso)?.[1] ?? 0)
    return count === 0 ? [] : [{ unit, count }]
  })
}

export class Speech {
  readonly #locale: string
  readonly #dates: Intl.DateTimeFormat
  readonly #lists: Intl.ListFormat
  readonly #choices: Intl.ListFormat
  readonly #every: Record<Unit, (count: number) => string>

  constructor(locale: 'da-DK' | 'en-GB', every: Record<Unit, (count: number) => string>) {
    this.#locale = locale
    this.#dates = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' })
    this.#lists = new Intl.ListFormat(locale, { type: 'conjunction' })
    this.#choices = new Intl.ListFormat(locale, { type: 'disjunction' })
    this.#every = every
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.#locale, { maximumFractionDigits: 6 }).format(value)
  }

  percent(value: number): string {
    const format = { style: 'percent', maximumFractionDigits: 6 } as const
    return new Intl.NumberFormat(this.#locale, format).format(value / 100)
  }

  /** `1 March 2025`, of a local date or of an instant's UTC day. */
  date(text: string): string {
    return this.#dates.format(new Date(text))
  }

  /** `31 December`, of `12-31`. */
  yearDay(text: string): string {
    const format = new Intl.DateTimeFormat(this.#locale, { day: 'numeric', month: 'long', timeZone: 'UTC' })
    return format.format(new Date(`2024-${text}T00:00:00Z`))
  }

  weekday(anchor: NonNullable<Tier['anchor']>): string {
    const place = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'].indexOf(anchor)
    // 1 January 2024 was a Monday.
    const format = new Intl.DateTimeFormat(this.#locale, { weekday: 'long', timeZone: 'UTC' })
    return format.format(Date.UTC(2024, 0, 1 + place))
  }

  list(items: readonly string[]): string {
    return this.#lists.format(items)
  }

  choice(items: readonly string[]): string {
    return this.#choices.format(items)
  }

  count(count: number, unit: Unit): string {
    const format = { style: 'unit', unit, unitDisplay: 'long' } as const
    return new Intl.NumberFormat(this.#locale, format).format(count)
  }

  /** `1 month and 14 days` */
  duration(iso: string): string {
    const parts = partsOf(iso)
    if (parts.length === 0) return this.count(0, 'day')
    return this.list(parts.map(({ unit, count }) => this.count(count, unit)))
  }

  /** `every day`, `every 6 hours` */
  every(iso: string): string {
    const [first, ...more] = partsOf(iso)
    if (first === undefined || more.length > 0) return this.#every.day(0).replace('0', this.duration(iso))
    return this.#every[first.unit](first.count)
  }
}
