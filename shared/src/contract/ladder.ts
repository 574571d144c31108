import type { History } from './history.ts'
import type { Obligation } from './obligation.ts'
import type { SetTest } from './proof.ts'
import { hasPassed, weighAge } from './proof.ts'
import type { RestoreTestTerms, Tier } from './schema.ts'
import { judgeLive } from './state.ts'
import type { Opinion } from './verdict.ts'

/** Finds the history that an obligation is judged in. */
export type HistoryOf = (obligation: Obligation) => History

/**
 * The old snapshots, tier by tier: how long since a test passed of the one that was the tier's oldest owed
 * snapshot when the test began.
 */
export function weighLadder(
  opinion: Opinion,
  history: History,
  terms: RestoreTestTerms,
  obligations: readonly Obligation[],
  historyOf: HistoryOf,
  tests: readonly SetTest[],
  at: number,
): void {
  const { ladder } = terms
  if (ladder === undefined) return
  const promised = history.terms.set.retention.min.map(keyOf)
  const tiers = Map.groupBy(obligations, ({ line }) => keyOf(line.tier))
  for (const [key, own] of tiers) {
    if (!promised.includes(key)) continue
    const byAge = own.toSorted((a, b) => a.bucket.from - b.bucket.from)
    const first = firstOwedAt(byAge, historyOf, at)
    if (first === undefined) continue // nothing of this tier has been there to be tested
    const passed = tests.findLast((test) => hasPassed(test) && isOfOldest(test, byAge, historyOf))
    const { onboardedAt, calendar } = history.terms
    // What could not be tested by then is not late from the first day on.
    const from = first > calendar.zone.add(onboardedAt, ladder) ? first : onboardedAt
    const tier = own.at(-1)?.tier ?? ''
    weighAge(opinion, 'ladder-overdue', history, terms, { every: ladder, last: passed, from, at, tier })
  }
}

/** A tier's name that stays when an amendment changes how long it is kept. */
export function keyOf({ per, anchor }: Tier): string {
  return `${per} ${anchor ?? ''}`
}

/** When the tier first had a snapshot to test. */
function firstOwedAt(
  obligations: readonly Obligation[],
  historyOf: HistoryOf,
  at: number,
): number | undefined {
  for (const obligation of obligations) {
    const history = historyOf(obligation)
    const { from, to } = obligation.line.windowOf(obligation.bucket)
    const served = history
      .between(from, to)
      .filter(({ start, point }) => obligation.line.isAnchored(start) && point.listedAt <= at)
      .filter((candidate) => history.satisfies(candidate, at))
    if (served.length > 0) return Math.min(...served.map(({ point }) => point.listedAt))
  }
  return undefined
}

/** True if the test was of a snapshot that served the oldest obligation which had one in the inventory then. */
function isOfOldest(test: SetTest, obligations: readonly Obligation[], historyOf: HistoryOf): boolean {
  const began = test.startedAt
  for (const obligation of obligations) {
    if (obligation.bucket.from > began) return false
    if (obligation.keepUntil <= began) continue
    const history = historyOf(obligation)
    const { witness, inventory, row } = judgeLive(obligation, history, began)
    // What is only there, and does not satisfy, is not owed: a passed test of it would prove nothing either.
    if (witness === undefined || inventory === undefined || row === 7) continue
    const { from, to } = obligation.line.windowOf(obligation.bucket)
    return history
      .between(from, to)
      .some(
        (candidate) =>
          candidate.point.tests.some((one) => one.test === test.test) &&
          obligation.line.isAnchored(candidate.start) &&
          history.satisfies(candidate, began) &&
          history.idIn(candidate, inventory, began) !== undefined,
      )
  }
  return false
}
