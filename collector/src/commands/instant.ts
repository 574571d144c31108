import { BevisError } from '@bevis/shared/error'
import { assertNotFarAhead, YEARS_AHEAD } from '../compliance/ahead.ts'

/** The day that an option names stands for its first instant, UTC. @throws BevisError USAGE */
export function readInstant(text: string): Date
export function readInstant(text: string | undefined): Date | undefined
export function readInstant(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  try {
    const { epochMilliseconds } = Temporal.Instant.from(
      /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00Z` : text,
    )
    return new Date(epochMilliseconds)
  } catch (cause) {
    throw new BevisError('USAGE', `${text} is no day or instant such as 2026-11-23T04:05:06Z`, { cause })
  }
}

/** The instant of `--at`. @throws BevisError USAGE; REQUEST_INVALID for one that is too far ahead to judge by */
export function readAt(text: string | undefined, now: Date): Date | undefined {
  const at = readInstant(text)
  assertNotFarAhead(at, now, YEARS_AHEAD.operators)
  return at
}

/** Where a period begins that names only its end. */
export function aYearBefore(to: Date): Date {
  const local = Temporal.Instant.fromEpochMilliseconds(to.getTime())
    .toZonedDateTimeISO('UTC')
    .subtract({ years: 1 })
  return new Date(local.epochMilliseconds)
}
