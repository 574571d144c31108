import type { Language } from './locale.ts'

/** How this language writes what is counted and dated. Instants are RFC 3339 texts; local dates `2025-03-05`. */
export interface Formats {
  readonly zone: string
  instant(instant: string): string
  /** Only the time of day. */
  time(instant: string): string
  /** The local day on which an instant falls. */
  date(instant: string): string
  day(localDate: string): string
  weekday(localDate: string): string
  /** From `2025-03`. */
  month(month: string): string
  monthShort(month: string): string
  number(value: number): string
  bytes(sizeBytes: number): string
  /** From 0 to 1. Never rounded up to 100 %: a share with one failure in it is not whole. */
  percent(share: number): string
  /** An agreed rate, or a sum of them, of a hundred: as it was agreed, never cut. */
  rate(pct: number): string
  duration(ms: number): string
  /** From ISO 8601: `P1M`. As it is, if it is none. */
  isoDuration(text: string): string
  /** How long ago, or how long till, in the coarsest unit that tells it. */
  relative(instant: string, now: Date): string
  list(items: readonly string[]): string
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const

const made = new Map<string, Formats>()

/** Formats are dear to make and few: each pair of language and zone is made once. */
export function formatsOf(language: Language, zone: string): Formats {
  const key = `${language} ${zone}`
  const known = made.get(key)
  if (known !== undefined) return known
  const formats = makeFormats(language === 'da' ? 'da-DK' : 'en-GB', zone)
  made.set(key, formats)
  return formats
}

function makeFormats(tag: string, zone: string): Formats {
  const dateTime = (options: Intl.DateTimeFormatOptions, timeZone = zone) =>
    new Intl.DateTimeFormat(tag, { timeZone, ...options })
  const instantFormat = dateTime({ dateStyle: 'medium', timeStyle: 'short' })
  const timeFormat = dateTime({ timeStyle: 'short' })
  const dateFormat = dateTime({ dateStyle: 'medium' })
  const localDay = dateTime({ dateStyle: 'medium' }, 'UTC')
  const weekday = dateTime({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }, 'UTC')
  const month = dateTime({ month: 'long', year: 'numeric' }, 'UTC')
  const monthShort = dateTime({ month: 'short' }, 'UTC')
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto' })
  const whole = new Intl.NumberFormat(tag)
  const share = new Intl.NumberFormat(tag, {
    style: 'percent',
    maximumFractionDigits: 1,
    roundingMode: 'floor',
  })
  const rate = new Intl.NumberFormat(tag, { style: 'unit', unit: 'percent', maximumFractionDigits: 6 })
  const conjunction = new Intl.ListFormat(tag, { type: 'conjunction' })
  const span = new Intl.DurationFormat(tag, { style: 'long' })
  const short = new Intl.DurationFormat(tag, { style: 'short' })

  return {
    zone,
    instant: (instant) => instantFormat.format(new Date(instant)),
    time: (instant) => timeFormat.format(new Date(instant)),
    date: (instant) => dateFormat.format(new Date(instant)),
    day: (date) => localDay.format(new Date(`${date}T00:00:00Z`)),
    weekday: (date) => weekday.format(new Date(`${date}T00:00:00Z`)),
    month: (text) => month.format(new Date(`${text}-01T00:00:00Z`)),
    monthShort: (text) => monthShort.format(new Date(`${text}-01T00:00:00Z`)).replace(/\.$/, ''),
    number: (value) => whole.format(value),
    bytes: (sizeBytes) => formatBytes(tag, sizeBytes),
    percent: (value) => share.format(value),
    // A sum of rates has more digits than any of them: 0.1 + 0.2.
    rate: (pct) => rate.format(Number(pct.toPrecision(12))),
    duration: (ms) => {
      const { days, hours, minutes, seconds } = splitDuration(ms)
      if (days > 0) return span.format(hours > 0 ? { days, hours } : { days })
      if (hours > 0) return span.format(minutes > 0 ? { hours, minutes } : { hours })
      if (minutes > 0) return span.format(seconds > 0 ? { minutes, seconds } : { minutes })
      return ms < 1000 ? short.format({ milliseconds: Math.round(ms) }) : span.format({ seconds })
    },
    isoDuration: (text) => {
      try {
        return span.format(Temporal.Duration.from(text))
      } catch {
        return text
      }
    },
    relative: (instant, now) => {
      const ms = new Date(instant).getTime() - now.getTime()
      const size = Math.abs(ms)
      if (size < HOUR) return relative.format(Math.trunc(ms / MINUTE), 'minute')
      if (size < 2 * DAY) return relative.format(Math.trunc(ms / HOUR), 'hour')
      if (size < 60 * DAY) return relative.format(Math.trunc(ms / DAY), 'day')
      return relative.format(Math.trunc(ms / (30.44 * DAY)), 'month')
    },
    list: (items) => conjunction.format(items),
  }
}

function splitDuration(ms: number): { days: number; hours: number; minutes: number; seconds: number } {
  const size = Math.abs(ms)
  return {
    days: Math.floor(size / DAY),
    hours: Math.floor((size % DAY) / HOUR),
    minutes: Math.floor((size % HOUR) / MINUTE),
    seconds: Math.floor((size % MINUTE) / 1000),
  }
}

function formatBytes(tag: string, sizeBytes: number): string {
  let value = sizeBytes
  let step = 0
  while (value >= 1000 && step < BYTE_UNITS.length - 1) {
    value /= 1000
    step++
  }
  const unit = BYTE_UNITS[step] ?? 'byte'
  const digits = value < 10 && step > 0 ? 1 : 0
  return new Intl.NumberFormat(tag, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(value)
}
