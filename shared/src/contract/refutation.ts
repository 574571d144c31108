import { isPass, takesBack } from './pass.ts'
import type { Tested } from './point.ts'
import type { RestoreTest } from './told.ts'

/** How often a snapshot's restore test has failed since it last passed, through time. */
export class Refutation {
  readonly #since: number[] = []
  readonly #failures: number[] = []
  readonly #began: number[] = []

  /** @param tests by the time from which they count */
  constructor(tests: readonly Tested[]) {
    const failedRuns = new Map<string, RestoreTest>()
    let began = 0
    for (const { test, since, endedAt } of tests) {
      const { result, startedAt } = test.predicate
      if (isPass(test.predicate)) failedRuns.clear()
      else if (result === 'FAILED') {
        const before = failedRuns.size
        failedRuns.set(`${test.chain?.agent}/${startedAt}`, test.predicate)
        if (failedRuns.size > before && failedRuns.size <= 2) began = endedAt
      } else if (!takeBack(failedRuns, test.predicate)) continue
      this.#since.push(since)
      this.#failures.push(failedRuns.size)
      this.#began.push(began)
    }
  }

  failuresAt(at: number): number {
    return this.#failures[this.#placeAt(at)] ?? 0
  }

  /** Where it has failed: the end of the first failed run since the last pass; where it is refuted, of the second. */
  beganAt(at: number): number {
    return this.#began[this.#placeAt(at)] ?? at
  }

  /** Two separate runs: one failure may be the test's own. */
  isRefutedAt(at: number): boolean {
    return this.failuresAt(at) >= 2
  }

  #placeAt(at: number): number {
    return this.#since.findLastIndex((since) => since <= at)
  }

  /** The instants at which the number changes. */
  get changes(): readonly number[] {
    return this.#since
  }
}

function takeBack(failedRuns: Map<string, RestoreTest>, test: RestoreTest): boolean {
  const found = [...failedRuns].find(([, failed]) => takesBack(test, failed))
  return found !== undefined && failedRuns.delete(found[0])
}
