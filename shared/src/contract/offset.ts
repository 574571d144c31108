import { DAY_MS } from './local.ts'

/** From this instant on, local time is UTC and `offsetMs`. */
export interface Stretch {
  readonly start: number
  readonly offsetMs: number
}

/** Two changes of one zone have been as close as a week (a test compares all of them with Temporal's). */
const STEP_MS = 3 * DAY_MS

/**
 * A zone's stretches of one offset from `first` to `last`, the first one beginning at -Infinity.
 * @throws RangeError for a zone that the runtime does not know
 */
export function stretchesOf(id: string, first: number, last: number): Stretch[] {
  // An auditor's Node or browser may have no Temporal; where it is, it is some twenty times faster.
  return typeof Temporal === 'undefined'
    ? stretchesByIntl(id, first, last)
    : stretchesByTemporal(id, first, last)
}

export function stretchesByTemporal(id: string, first: number, last: number): Stretch[] {
  let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(first).toZonedDateTimeISO(id)
  const stretches: Stretch[] = [{ start: -Infinity, offsetMs: at.offsetNanoseconds / 1e6 }]
  while ((at = at.getTimeZoneTransition('next')) !== null && at.epochMilliseconds < last) {
    stretches.push({ start: at.epochMilliseconds, offsetMs: at.offsetNanoseconds / 1e6 })
  }
  return stretches
}

/** The same by asking for the local time every few days, and halving where it has moved. */
export function stretchesByIntl(id: string, first: number, last: number): Stretch[] {
  const offsetMsAt = offsetReader(id)
  let offsetMs = offsetMsAt(first)
  const stretches: Stretch[] = [{ start: -Infinity, offsetMs }]
  for (let at = first; at < last; at += STEP_MS) {
    let high = Math.min(at + STEP_MS, last)
    const next = offsetMsAt(high)
    if (next === offsetMs) continue
    // Changes lie on whole seconds.
    for (let low = at; high - low > 1000;) {
      const middle = low + Math.floor((high - low) / 2000) * 1000
      if (offsetMsAt(middle) === offsetMs) low = middle
      else high = middle
    }
    if (high >= last) break
    offsetMs = next
    stretches.push({ start: high, offsetMs })
  }
  return stretches
}

/** What is added to UTC for local time, at an instant of whole seconds. */
function offsetReader(id: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: id,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (instant) => {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = format
      .format(instant)
      .split(/\D+/)
      .map(Number)
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant
  }
}
