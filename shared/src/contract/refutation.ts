import { isPass } from './pass.ts'
import type { Tested } from './point.ts'

/** How often a snapshot's restore test has failed since it last passed, through time. */
export class Refutation {
  readonly #since: number[] = []
  readonly #failures: number[] = []

  /** @param tests by the time from which they count */
  constructor(tests: readonly Tested[]) {
    const failedRuns = new Set<string>()
    for (const { test, since } of tests) {
      const { result, startedAt } = test.predicate
      if (isPass(test.predicate)) failedRuns.clear()
      else if (result === 'FAILED') failedRuns.add(`${test.chain?.agent}/${startedAt}`)
      else continue
      this.#since.push(since)
      this.#failures.push(failedRuns.size)
    }
  }

  failuresAt(at: number): number {
    for (let place = this.#since.length - 1; place >= 0; place--) {
      if ((this.#since[place] ?? 0) <= at) return this.#failures[place] ?? 0
    }
    return 0
  }

  /** Two separate runs: one failure may be the test's own. */
  isRefutedAt(at: number): boolean {
    return this.failuresAt(at) >= 2
  }

  /** The instants at which the number changes. */
  get changes(): readonly number[] {
    return this.#since
  }
}
