import { isAccepted } from './acceptance.ts'
import type { Events } from './approval.ts'
import { Calendar } from './calendar.ts'
import type { Duration } from './duration.ts'
import { parseDuration } from './duration.ts'
import { DAY_MS, parseDay } from './local.ts'
import type { Contract, ContractSet, Version } from './schema.ts'
import { zoneOf } from './zone.ts'

/** A version in force in [from, to). */
export interface InForce {
  version: Version
  from: number
  to: number
}

/** What one version says about one set. */
export interface SetTerms {
  set: ContractSet
  version: Version
  /** When the version is in force. */
  from: number
  to: number
  calendar: Calendar
  onboardedAt: number
  clockToleranceMs: number
  quarantineOverMs: number
}

/** The versions that both parties have accepted and that have taken effect by `at`, in their order. */
export function versionsInForce(contract: Contract, events: Events, at: number): InForce[] {
  const zone = zoneOf(contract.timezone)
  const acceptances = events.of('version-accepted').map(({ predicate }) => predicate)
  const accepted = contract.versions
    .filter((version) => isAccepted(version, acceptances))
    .map((version) => ({ version, from: zone.midnightOf(parseDay(version.effectiveFrom)) }))
    .filter(({ from }) => from <= at)
    .toSorted((a, b) => a.from - b.from || a.version.no - b.version.no)
  return accepted.map((one, index) => ({
    ...one,
    to: accepted[index + 1]?.from ?? Infinity,
  }))
}

/** Each set's terms through the versions, the newest last. */
export function termsBySet(contract: Contract, versions: readonly InForce[]): Map<string, SetTerms[]> {
  const terms = new Map<string, SetTerms[]>()
  for (const { version, from, to } of versions) {
    for (const set of version.sets) {
      const calendar = new Calendar(contract, set.schedule)
      const one = {
        set,
        version,
        from,
        to,
        calendar,
        onboardedAt: calendar.startOf(parseDay(set.onboardedAt ?? version.effectiveFrom)),
        clockToleranceMs: lengthMs(parseDuration(set.evidence.clockTolerance)),
        quarantineOverMs: lengthMs(parseDuration(set.evidence.quarantineOver)),
      }
      const earlier = terms.get(set.id)
      if (earlier === undefined) terms.set(set.id, [one])
      else earlier.push(one)
    }
  }
  return terms
}

/** Tolerances are short: a day is 24 hours here. */
function lengthMs({ months, days, elapsedMs }: Duration): number {
  return (months * 30 + days) * DAY_MS + elapsedMs
}
