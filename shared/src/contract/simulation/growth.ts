/** What longer retention would cost in storage, from what backups have added so far. */
import type { FactIndex } from '../facts.ts'
import { settle } from '../facts.ts'
import type { Contract, ContractSet, Tier } from '../schema.ts'
import { Situation } from '../situation.ts'

/** Sizes in bytes. */
export interface Growth {
  /** Over how many days backups were seen; null below two. */
  days: number
  /** What a day's backups added to the repository: the middle one, and the ninth of ten. Null when too few were seen. */
  perDay: { p50: number; p90: number } | null
  /** What the newest inventory that says so found in the repository. */
  storedBytes: number | null
}

export interface TierChange {
  tier: string
  /** So many units more or less (below zero). */
  units: number
  days: number
  /** At most this much more in the repository, by the middle day and by the ninth of ten; less when below zero. */
  bytes: { p50: number; p90: number } | null
}

export interface StorageEstimate {
  set: string
  growth: Growth
  changes: TierChange[]
}

/** A tier's unit in days, for an estimate. */
const UNIT_DAYS: Record<Tier['per'], number> = {
  hour: 1 / 24,
  day: 1,
  week: 7,
  month: 365.25 / 12,
  year: 365.25,
  fiscalYear: 365.25,
}
/** Fewer days than this say nothing of the next. */
const FEWEST_DAYS = 7

/** What was added, by day of the set's calendar; days without a backup count as nothing added. */
export function observeGrowth(contract: Contract, index: FactIndex, at: Date): Map<string, Growth> {
  settle(index)
  const situation = new Situation(contract, index, at.getTime())
  const growth = new Map<string, Growth>()
  for (const [set, versions] of situation.terms) {
    const terms = versions.at(-1)
    if (terms === undefined) continue
    const history = situation.historyOf(terms)
    const { calendar } = terms
    const added = new Map<number, number>()
    for (const { run, start } of history.between()) {
      const bytes = run?.predicate.source?.addedBytes
      if (bytes === undefined || start > situation.at) continue
      const day = calendar.dayOf(start)
      added.set(day, (added.get(day) ?? 0) + bytes)
    }
    // The first backup brings everything: it is the size, not the growth.
    const [first, ...rest] = [...added.keys()].toSorted((a, b) => a - b)
    const last = rest.at(-1) ?? first ?? 0
    const daily = Array.from(
      { length: last - (first ?? last) },
      (_, n) => added.get((first ?? 0) + n + 1) ?? 0,
    )
    const sized = history.lineage.inventories.findLast(({ fact }) => fact.predicate.sizeBytes !== undefined)
    growth.set(set, {
      days: daily.length,
      perDay: daily.length < FEWEST_DAYS ? null : { p50: quantile(daily, 0.5), p90: quantile(daily, 0.9) },
      storedBytes: sized?.fact.predicate.sizeBytes ?? null,
    })
  }
  return growth
}

/**
 * What another number of units would cost, tier by tier. An upper bound: as much as backups added in so long a time.
 * What tiers share, and what restic finds again, makes it less.
 */
export function estimateStorage(
  set: ContractSet,
  proposed: readonly Tier[],
  growth: Growth,
): StorageEstimate {
  const changes = set.retention.min.flatMap((tier, place): TierChange[] => {
    const keep = proposed[place]?.keep ?? tier.keep
    if (keep === tier.keep) return []
    const units = keep - tier.keep
    const days = units * UNIT_DAYS[tier.per]
    const { perDay } = growth
    const bytes = perDay && { p50: Math.round(perDay.p50 * days), p90: Math.round(perDay.p90 * days) }
    return [{ tier: `${tier.per}x${tier.keep}`, units, days, bytes }]
  })
  return { set: set.id, growth, changes }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}
