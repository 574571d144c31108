import type { Calendar, DayUnit } from './calendar.ts'
import { dayUnitOf } from './calendar.ts'
import { HOUR_MS, MINUTE_MS } from './local.ts'
import type { Tier } from './schema.ts'

/** One recovery point's stretch of time: [from, to), instants in milliseconds. */
export interface Bucket {
  from: number
  to: number
  /** Its place in the unit's count (the hour's start for hours): later buckets have larger ones. */
  index: number
}

/** The buckets of a tier: every instant lies in exactly one. */
export interface Buckets {
  bucketOf(instant: number): Bucket
  next(bucket: Bucket): Bucket
  /** False for a closed business day, and for its hours. */
  isExpected(bucket: Bucket): boolean
  /** The end of the `keep`-th bucket after this one, in this tier's own calendar. */
  keptUntil(bucket: Bucket, keep: number, countBasis: Tier['countBasis']): number
  label(bucket: Bucket): string
}

export function bucketsOf(tier: Pick<Tier, 'per' | 'fyEnd'>, calendar: Calendar): Buckets {
  if (tier.per === 'hour') return hourBuckets(calendar)
  return dayBuckets(dayUnitOf(tier.per, tier.fyEnd), calendar, tier.per === 'day')
}

function dayBuckets(unit: DayUnit, calendar: Calendar, single: boolean): Buckets {
  const at = (index: number): Bucket => {
    const from = calendar.startOf(unit.firstDay(index))
    return { from, to: calendar.startOf(unit.firstDay(index + 1)), index }
  }
  const isOpen = (index: number) => !single || !calendar.isClosed(unit.firstDay(index))
  return {
    bucketOf: (instant) => at(unit.indexOf(calendar.dayOf(instant))),
    next(bucket) {
      let next = at(bucket.index + 1)
      while (!isThere(next)) next = at(next.index + 1)
      return next
    },
    isExpected: ({ index }) => isOpen(index),
    keptUntil({ index }, keep, countBasis) {
      let last = index + keep
      if (single && (countBasis === 'expected' || calendar.zone.leavesOutDays)) {
        last = index
        for (let left = keep; left > 0;) {
          last += 1
          if (isThere(at(last)) && (countBasis === 'calendar' || isOpen(last))) left -= 1
        }
      }
      return calendar.startOf(unit.firstDay(last + 1))
    },
    label: ({ index }) => unit.label(index),
  }
}

/** A day that a zone left out is no bucket (Apia, 30 December 2011). */
function isThere({ from, to }: Bucket): boolean {
  return to > from
}

/**
 * Hours go by instants: the repeated hour of October is two, the skipped one of March none. They begin where
 * local clocks read the minute of `dayStartsAt`, and where a zone moves its clocks by less than an hour.
 */
function hourBuckets(calendar: Calendar): Buckets {
  const { zone } = calendar
  const minuteMs = calendar.dayStartsAtMs % HOUR_MS
  const startOf = (instant: number) => {
    const local = instant + zone.offsetMsAt(instant) - minuteMs
    const even = instant - (((local % HOUR_MS) + HOUR_MS) % HOUR_MS)
    return Math.max(even, zone.lastUnevenChange(instant))
  }
  const endOf = (from: number) => {
    const local = from + zone.offsetMsAt(from) - minuteMs
    const even = from + HOUR_MS - (((local % HOUR_MS) + HOUR_MS) % HOUR_MS)
    return Math.min(even, zone.nextUnevenChange(from))
  }
  const at = (from: number): Bucket => ({ from, to: endOf(from), index: from })
  return {
    bucketOf: (instant) => at(startOf(instant)),
    next: ({ to }) => at(to),
    isExpected: ({ from }) => !calendar.isClosed(calendar.dayOf(from)),
    keptUntil({ to }, keep, countBasis) {
      if (countBasis === 'expected') return expectedHoursAfter(calendar, to, keep, endOf)
      const whole = to + keep * HOUR_MS
      if (whole <= zone.nextUnevenChange(to)) return whole
      let end = to
      for (let left = keep; left > 0; left--) end = endOf(end)
      return end
    },
    label: ({ from }) => formatHour(from, zone.offsetMsAt(from)),
  }
}

function expectedHoursAfter(
  calendar: Calendar,
  from: number,
  keep: number,
  endOf: (from: number) => number,
): number {
  let end = from
  let left = keep
  for (let day = calendar.dayOf(from); left > 0; day++) {
    const dayEnd = calendar.startOf(day + 1)
    if (calendar.isClosed(day)) end = dayEnd
    else for (; left > 0 && end < dayEnd; left--) end = endOf(end)
  }
  return end
}

/** `2025-03-05T22+01:00`, with minutes only where the hour does not begin on the hour. */
function formatHour(from: number, offsetMs: number): string {
  const local = new Date(from + offsetMs).toISOString()
  const minutes = local.slice(14, 16) === '00' ? '' : local.slice(13, 16)
  const size = Math.abs(offsetMs)
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const offset = `${offsetMs < 0 ? '-' : '+'}${two(size / HOUR_MS)}:${two((size % HOUR_MS) / MINUTE_MS)}`
  return `${local.slice(0, 13)}${minutes}${offset}`
}
