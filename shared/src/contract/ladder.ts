import type { FactIndex } from './facts.ts'
import type { Candidate } from './candidate.ts'
import type { History } from './history.ts'
import type { Obligation } from './obligation.ts'
import type { Owing } from './owing.ts'
import type { SetTest } from './proof.ts'
import { hasPassed, weighAge } from './proof.ts'
import type { RestoreTestTerms, Tier } from './schema.ts'
import { judgeLive } from './state.ts'
import type { Opinion } from './verdict.ts'

type TestFact = FactIndex['tests'][number]

/**
 * The old snapshots, tier by tier: how long since a test passed of the one that was the tier's oldest owed
 * snapshot when the test began. What was found out is kept until something comes that tells otherwise.
 */
export class Ladder {
  readonly #rungs: ReadonlyMap<string, Rung>

  constructor(owing: readonly Owing[]) {
    const tiers = Map.groupBy(owing, ({ course }) => keyOf(course.line.tier))
    this.#rungs = new Map([...tiers].map(([key, own]) => [key, new Rung(own)]))
  }

  /** @param since from when on what has come may tell otherwise */
  reopen(since: number): void {
    for (const rung of this.#rungs.values()) rung.reopen(since)
  }

  weigh(
    opinion: Opinion,
    history: History,
    terms: RestoreTestTerms,
    tests: readonly SetTest[],
    at: number,
  ): void {
    const { ladder } = terms
    if (ladder === undefined) return
    const promised = history.terms.set.retention.min.map(keyOf)
    for (const [key, rung] of this.#rungs) {
      const first = promised.includes(key) ? rung.opensAt : undefined
      if (first === undefined || first > at) continue // nothing of this tier could have been there to be tested
      const passed = tests.findLast((test) => hasPassed(test) && rung.isOfOldest(test))
      const { onboardedAt, calendar } = history.terms
      // What could not be tested by then is not late from the first day on.
      const from = first > calendar.zone.add(onboardedAt, ladder) ? first : onboardedAt
      weighAge(opinion, 'ladder-overdue', history, terms, {
        ...{ every: ladder, last: passed, from, at },
        tier: rung.name,
      })
    }
  }
}

/** A tier's name that stays when an amendment changes how long it is kept. */
export function keyOf({ per, anchor }: Tier): string {
  return `${per} ${anchor ?? ''}`
}

/** One tier through all versions. */
class Rung {
  readonly #owing: readonly Owing[]
  readonly #ofOldest = new Map<TestFact, { startedAt: number; is: boolean }>()

  constructor(owing: readonly Owing[]) {
    this.#owing = owing
  }

  /** As its newest obligation is called. */
  get name(): string {
    const newest = this.#owing.findLast(({ obligations }) => obligations.length > 0)
    return newest?.obligations.at(-1)?.tier ?? ''
  }

  reopen(since: number): void {
    for (const [test, { startedAt }] of this.#ofOldest) {
      if (startedAt >= since) this.#ofOldest.delete(test)
    }
  }

  /** From when on a snapshot of the tier can have been there; by the contract, whatever is listed. */
  get opensAt(): number | undefined {
    const first = this.#owing.flatMap(({ obligations }) => obligations.slice(0, 1))
    if (first.length === 0) return undefined
    return Math.min(...first.map(({ line, bucket }) => line.windowOf(bucket).from))
  }

  /** True if the test was of a snapshot that served the oldest obligation which had one in the inventory then. */
  isOfOldest({ test, startedAt }: SetTest): boolean {
    const known = this.#ofOldest.get(test)
    if (known !== undefined) return known.is
    const is = this.#oldest((obligation, history) => {
      if (obligation.keepUntil <= startedAt || obligation.bucket.from > startedAt) return undefined
      const { witness, inventory, row } = judgeLive(obligation, history, startedAt)
      // What is only there, and does not satisfy, is not owed: a passed test of it would prove nothing either.
      if (witness === undefined || inventory === undefined || row === 7) return undefined
      return serving(obligation, history).some(
        (candidate) =>
          candidate.point.tests.some((one) => one.test === test) &&
          history.satisfies(candidate, startedAt) &&
          history.idIn(candidate, inventory, startedAt) !== undefined,
      )
    })
    this.#ofOldest.set(test, { startedAt, is: is === true })
    return is === true
  }

  /** What is found first, going from the oldest obligation to the newest. */
  #oldest<T>(find: (obligation: Obligation, history: History) => T | undefined): T | undefined {
    let oldest: { from: number; found: T } | undefined
    for (const { obligations, history } of this.#owing) {
      for (const obligation of obligations) {
        if (oldest !== undefined && obligation.bucket.from >= oldest.from) break
        const found = find(obligation, history)
        if (found === undefined) continue
        oldest = { from: obligation.bucket.from, found }
        break
      }
    }
    return oldest?.found
  }
}

/** What could stand for the obligation, whether or not it satisfies. */
function serving({ line, bucket }: Obligation, history: History): Candidate[] {
  const { from, to } = line.windowOf(bucket)
  return Array.from(history.between(from, to)).filter(({ start }) => line.isAnchored(start))
}
