import { DAY_MS, HOUR_MS, MINUTE_MS, civilOf, dayOfCivil } from './local.ts'

/** Calendar parts are added on the local calendar, the rest as elapsed time. */
export interface Duration {
  months: number
  days: number
  elapsedMs: number
}

const FORM =
  /^P(?=.)(?:(\d{1,5})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10})S)?)?$/

const known = new Map<string, Duration>()

export function isDuration(text: string): boolean {
  return FORM.test(text)
}

/** Reads an ISO 8601 duration of whole units. @throws RangeError for what is none; schemas have refused it before */
export function parseDuration(text: string): Duration {
  const cached = known.get(text)
  if (cached !== undefined) return cached
  const match = FORM.exec(text)
  if (match === null) throw new RangeError(`${text} is not a duration`)
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((digits) => Number(digits ?? 0))
  const parsed = {
    months: years * 12 + months,
    days: weeks * 7 + days,
    elapsedMs: hours * HOUR_MS + minutes * MINUTE_MS + seconds * 1000,
  }
  if (known.size < 10_000) known.set(text, parsed)
  return parsed
}

/** The day that lies `duration`'s calendar part after `day`, month-end clamped. */
export function addToDay(day: number, { months, days }: Duration): number {
  if (months === 0) return day + days
  const { year, month, date } = civilOf(day)
  return dayOfCivil(year, month + months, date) + days
}

/** Where a comparison of durations starts: month ends and starts of a leap cycle, where they differ most. */
const SAMPLES = Array.from({ length: 48 }, (_, month) => [
  dayOfCivil(2024, 1 + month, 1),
  dayOfCivil(2024, 1 + month, 31),
]).flat()

/** True if there is a day from which `shorter` ends before `longer`. */
export function canBeShorter(shorter: Duration, longer: Duration): boolean {
  return SAMPLES.some(
    (day) =>
      addToDay(day, shorter) * DAY_MS + shorter.elapsedMs < addToDay(day, longer) * DAY_MS + longer.elapsedMs,
  )
}
