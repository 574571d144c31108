import { parse, createTask, validateDetailed } from 'node-cron'

/**
 * A cron expression read on the wall clock of a zone.
 *
 * node-cron reads the expression; when it is due is worked out here, on local wall time: node-cron 4.6 skips
 * what falls into the hour that spring takes away, and keeps nothing of what was missed while the machine slept.
 */
export interface Cron {
  /** The latest instant at or before `now` that the expression names, looking back at most `days`. */
  before(now: Date, days?: number): Date | null
  /** The first instant after `now` that the expression names, looking ahead at most `days`. */
  after(now: Date, days?: number): Date | null
}

/** What is wrong with a cron expression, in words; empty when it can be used. */
export function cronProblems(expression: string): string[] {
  const fields = expression.trim().split(/\s+/).length
  if (fields !== 5) return [`five fields are needed (minute hour day month weekday), this has ${fields}`]
  return validateDetailed(expression).errors.map(({ field, value }) =>
    value === undefined ? `the ${field} cannot be read` : `${value} cannot be the ${field}`,
  )
}

/** Whether this machine knows the IANA time zone. */
export function isTimeZone(timezone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: timezone })
    return true
  } catch {
    return false
  }
}

/** Reads an expression that {@link cronProblems} found nothing wrong with. */
export function readCron(expression: string, timezone: string): Cron {
  const { hour, minute } = parse(expression)
  const times = hour
    .toSorted((a, b) => a - b)
    .flatMap((h) => minute.toSorted((a, b) => a - b).map((m) => new Temporal.PlainTime(h, m)))
  const days = expression.trim().split(/\s+/).slice(2).join(' ')
  // Whether a local day is named: asked of a twin that runs in UTC, so that no zone rule can get in between.
  const twin = createTask(`* * ${days}`, () => {}, { timezone: 'UTC' })
  const isNamed = (day: Temporal.PlainDate): boolean =>
    twin.match(new Date(Temporal.Instant.from(`${day.toString()}T00:00:00Z`).epochMilliseconds))
  // A wall time that the zone skips happens after the gap; one that it repeats happens the first time only, unless
  // the expression names every hour: then an hour without a run would be one too long.
  const choices = namesEveryHour(expression) ? (['compatible', 'later'] as const) : (['compatible'] as const)
  const instantsOf = (day: Temporal.PlainDate): number[] =>
    isNamed(day)
      ? times
          .flatMap((time) => {
            const wall = day.toPlainDateTime(time)
            return choices.map(
              (disambiguation) => wall.toZonedDateTime(timezone, { disambiguation }).epochMilliseconds,
            )
          })
          .toSorted((a, b) => a - b)
      : []
  const localDay = (now: Date): Temporal.PlainDate =>
    Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(timezone).toPlainDate()

  return {
    before(now, reach = 400) {
      const today = localDay(now)
      for (let back = 0; back <= reach; back++) {
        const found = instantsOf(today.subtract({ days: back })).findLast((at) => at <= now.getTime())
        if (found !== undefined) return new Date(found)
      }
      return null
    },
    after(now, reach = 400) {
      const today = localDay(now)
      for (let ahead = 0; ahead <= reach; ahead++) {
        const found = instantsOf(today.add({ days: ahead })).find((at) => at > now.getTime())
        if (found !== undefined) return new Date(found)
      }
      return null
    },
  }
}

/** Whether it runs round the clock, and not at an hour that somebody chose. */
function namesEveryHour(expression: string): boolean {
  const field = expression.trim().split(/\s+/)[1] ?? ''
  return field.startsWith('*') || parse(expression).hour.length === 24
}

/**
 * The next local day, within two years, on which the zone skips a wall time that the expression names. What runs
 * round the clock names no hour: it loses nothing when one is skipped.
 */
export function skippedDay(expression: string, timezone: string, now: Date): Temporal.PlainDate | null {
  if (namesEveryHour(expression)) return null
  const { hour, minute } = parse(expression)
  let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(
    now.getTime(),
  ).toZonedDateTimeISO(timezone)
  const end = at.add({ years: 2 })
  while ((at = at.getTimeZoneTransition('next')) !== null && Temporal.ZonedDateTime.compare(at, end) < 0) {
    const gapEnds = at.toPlainTime()
    const gapStarts = at.subtract({ nanoseconds: 1 }).toPlainTime()
    const isSkipped = (h: number, m: number): boolean => {
      const time = new Temporal.PlainTime(h, m)
      return Temporal.PlainTime.compare(time, gapStarts) > 0 && Temporal.PlainTime.compare(time, gapEnds) < 0
    }
    if (hour.some((h) => minute.some((m) => isSkipped(h, m)))) return at.toPlainDate()
  }
  return null
}
