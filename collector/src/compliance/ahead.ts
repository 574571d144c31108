import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'

/**
 * How far ahead a contract is judged, in years: for whoever is signed in, and for whoever runs the collector. A
 * judgement makes every recovery point until its instant, so one of the year 9999 would take all time and memory.
 */
export const YEARS_AHEAD = { readers: 1, operators: 10 } as const

/** @throws BevisError REQUEST_INVALID for an instant more than so many years after now */
export function assertNotFarAhead(at: Date | undefined, now: Date, years: number): void {
  const last = new Date(now)
  last.setUTCFullYear(now.getUTCFullYear() + years)
  if (at === undefined || at <= last) return
  const span = years === 1 ? 'a year' : `${years} years`
  throw new BevisError(
    'REQUEST_INVALID',
    `at: ${toInstant(at)} is too far ahead: contracts are judged for ${span} from now at most, so until ${toInstant(last)}`,
  )
}
