/**
 * Which snapshots the ladder asks for, as the evaluation will judge it: of each promised tier the one that is its
 * oldest owed snapshot when the test begins, and beside it all that the tier owes.
 */
import { settle } from './facts.ts'
import type { Candidate } from './candidate.ts'
import type { History } from './history.ts'
import { keyOf } from './ladder.ts'
import type { Obligation } from './obligation.ts'
import type { RetentionQuestion } from './retention.ts'
import { coursesOf } from './retention.ts'
import { Situation } from './situation.ts'

/** A snapshot whose passed restore proves a tier, if the test begins in [fromMs, untilMs). */
export interface Rung {
  readonly id: string
  readonly fromMs: number
  readonly untilMs: number
  /** False: what is known here does not say whether it satisfies; then it proves nothing alone. */
  readonly isCertain: boolean
}

export interface TierRungs {
  /** What stays the same when an amendment changes how long the tier is kept. */
  readonly key: string
  /** `<per>x<keep>`, as it is named now. */
  readonly tier: string
  /** The oldest first; more than one where it cannot be told which of them will be the oldest then. */
  readonly rungs: readonly Rung[]
  /** One snapshot of each bucket that is owed, oldest first; of what is in doubt too. */
  readonly owed: readonly string[]
}

export interface SetRungs {
  /** How long a tier's proof is good for, ISO 8601; null: the contract asks for no ladder. */
  readonly every: string | null
  readonly tiers: readonly TierRungs[]
}

/** Until a test begins, others may run: whatever is the oldest within so long is among the rungs. */
const AHEAD_MS = 2 * 3_600_000

/** Null where the contract promises nothing of the set now. `isOwn`: the snapshots that can be tested here. */
export function rungsOf(
  { contract, set, index, at: instant }: RetentionQuestion,
  isOwn: (id: string) => boolean,
): SetRungs | null {
  const at = instant.getTime()
  settle(index)
  const situation = new Situation(contract, index, at)
  const versions = situation.terms.get(set) ?? []
  const terms = versions.at(-1)
  if (terms === undefined || terms.to <= at) return null
  const courses = coursesOf(situation, versions)
  const tiers = terms.set.retention.min.map((tier): TierRungs => {
    const key = keyOf(tier)
    const live = courses.all
      .filter(({ line }) => keyOf(line.tier) === key)
      .flatMap((course) => course.extend(at))
      .filter((obligation) => {
        courses.settle(obligation)
        return obligation.keepUntil > at
      })
      .toSorted((one, other) => one.bucket.from - other.bucket.from)
    const found = live.flatMap((obligation) => {
      const pick = pickFor(obligation, situation.historyOf(obligation.terms), at, isOwn)
      return pick === undefined ? [] : [{ ...pick, keepUntil: obligation.keepUntil }]
    })
    const owed = [...new Set(found.flatMap(({ id }) => id ?? []))]
    return { key, tier: `${tier.per}x${tier.keep}`, rungs: oldestOf(found, at), owed }
  })
  // Tiers of one key are one tier to the ladder.
  const distinct = [...new Map(tiers.map((tier) => [tier.key, tier])).values()]
  return { every: terms.set.restoreTest?.ladder ?? null, tiers: distinct }
}

interface Pick {
  /** Undefined: there is one, and it cannot be tested here. */
  readonly id: string | undefined
  /** By what is known here, it satisfies; else others may know that it does. */
  readonly isCertain: boolean
}

/** The bucket's own: what satisfies, the newest first; else what only lacks somebody's word. */
function pickFor(
  obligation: Obligation,
  history: History,
  at: number,
  isOwn: (id: string) => boolean,
): Pick | undefined {
  const inventory = history.lineage.newest(at)
  if (inventory === undefined) return undefined
  const { from, to } = obligation.line.windowOf(obligation.bucket)
  const there = Array.from(history.between(from, to))
    .filter(({ start }) => start <= at && obligation.line.isAnchored(start))
    .filter((candidate) => history.idIn(candidate, inventory, at) !== undefined)
    .toReversed()
  const ownOf = (candidates: readonly Candidate[]): string | undefined =>
    candidates.map((candidate) => history.idIn(candidate, inventory, at)).find((id) => id && isOwn(id))
  const certain = there.filter((candidate) => history.satisfies(candidate, at))
  if (certain.length > 0) return { id: ownOf(certain), isCertain: true }
  const id = ownOf(there.filter((candidate) => history.withheldBy(candidate, at) !== undefined))
  return id === undefined ? undefined : { id, isCertain: false }
}

/** The first that is certain and stays a while; before it those that end until then, and one that is in doubt. */
function oldestOf(found: readonly (Pick & { readonly keepUntil: number })[], at: number): Rung[] {
  const rungs: Rung[] = []
  let fromMs = at
  let hasDoubt = false
  for (const { id, isCertain, keepUntil } of found) {
    if (!isCertain && hasDoubt) continue
    if (id !== undefined) rungs.push({ id, fromMs: isCertain ? fromMs : at, untilMs: keepUntil, isCertain })
    if (isCertain && keepUntil > at + AHEAD_MS) break
    if (isCertain) fromMs = keepUntil
    else hasDoubt = true
  }
  return rungs
}
