/** What a newer text of a contract may do to an older one: promise more, or something else from now on. */
import { isDeepStrictEqual } from 'node:util'
import type { Contract, Version } from '@bevis/shared/contract/schema'
import { acceptancesOf, isAccepted } from '@bevis/shared/contract/acceptance'
import { termsOf } from '@bevis/shared/contract/register'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'

/**
 * Why the newer text must not replace the older one; empty when it may. A version that both parties accepted
 * and that has begun is history: verdicts stand on it, so it stays as it is, and no newer one begins before
 * the day on which it is applied. Exclusions and holds may be added to it (an exclusion counts only once both
 * have approved it).
 */
export function objectionsTo(
  older: Contract,
  newer: Contract,
  events: readonly ContractEvent[],
  now: Date,
): string[] {
  const objections: string[] = []
  const today = todayOf(older.timezone, now)
  const begun = older.versions.filter(
    (version) => isAccepted(version, events) && version.effectiveFrom <= today,
  )
  for (const key of ['timezone', 'holidays'] as const) {
    if (begun.length > 0 && older[key] !== newer[key]) {
      objections.push(`${key}: ${older[key]} became ${newer[key]}, which would move every bucket of the past`)
    }
  }
  for (const version of begun) {
    const again = newer.versions.find(({ no }) => no === version.no)
    if (again === undefined) objections.push(`version ${version.no} is in force and is not in the new text`)
    else objections.push(...changesOf(version, again))
  }
  for (const version of older.versions) {
    if (begun.includes(version)) continue
    const vote = acceptancesOf(version, events).find(({ from }) => from === 'log')
    if (vote === undefined || termsOf(older, version.no) === termsOf(newer, version.no)) continue
    objections.push(
      `version ${version.no}: ${vote.person} has accepted it for the ${vote.party}, and its terms changed: make a new version`,
    )
  }
  const newest = begun.toSorted((a, b) => (a.effectiveFrom < b.effectiveFrom ? -1 : 1)).at(-1)
  for (const version of newer.versions) {
    const hasBegun = begun.some(({ no }) => no === version.no)
    if (newest === undefined || hasBegun || !isAccepted(version, events) || version.effectiveFrom >= today)
      continue
    objections.push(
      `version ${version.no} would begin on ${version.effectiveFrom}, while version ${newest.no} is in force: ` +
        `what has passed stays as it was judged, so name today (${today}) or a later day`,
    )
  }
  return objections
}

/** The day, as it is where the contract is. */
export function todayOf(timezone: string, now: Date): string {
  return Temporal.Instant.fromEpochMilliseconds(now.getTime())
    .toZonedDateTimeISO(timezone)
    .toPlainDate()
    .toString()
}

/**
 * An acceptance that is still to come does no harm while its version has not begun, and is in order if it comes before
 * that; a version that has begun cannot rest on one.
 */
export function earlyAcceptances({ timezone, versions }: Contract, now: Date): string[] {
  const today = todayOf(timezone, now)
  return versions.flatMap(({ no, effectiveFrom, acceptances }) =>
    (acceptances ?? [])
      .filter(({ at }) => Date.parse(at) > now.getTime())
      .filter(({ at }) => effectiveFrom <= today || todayOf(timezone, new Date(at)) > effectiveFrom)
      .map(
        ({ party, person, at }) =>
          `version ${no} begins on ${effectiveFrom}, and the ${party}'s acceptance by ${person} is dated ${at}, ` +
          'which is still to come: name the instant at which it was accepted',
      ),
  )
}

function changesOf(version: Version, again: Version): string[] {
  const objections: string[] = []
  for (const key of Object.keys({ ...version, ...again }) as (keyof Version)[]) {
    if (key === 'exclusions' || key === 'holds') {
      const kept: readonly unknown[] = again[key]
      const lost = version[key].filter((one) => !kept.some((other) => isDeepStrictEqual(one, other)))
      if (lost.length > 0)
        objections.push(`version ${version.no}: ${key} may be added to, not changed or dropped`)
    } else if (!isDeepStrictEqual(version[key], again[key])) {
      objections.push(`version ${version.no} is in force, and its ${key} changed: make a new version`)
    }
  }
  return objections
}
