/** What restore tests showed, as an auditor reads them. */
import { resultOf } from '@bevis/shared/contract/pass'
import type { ContractEvent, RestoreTest } from '@bevis/shared/evidence/predicates'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Surveyed } from '../survey.ts'

/** Classes of files that fail a test; `identical` passes it, and all others are inconclusive. */
const FAILING = new Set(['damaged', 'diverged', 'missing', 'gap'])

export interface TestTold {
  /** Its result as it counts: void is inconclusive. */
  readonly test: RestoreTest
  readonly digest: string
  readonly receivedAt: string
  /** Files of which something is known for certain. */
  readonly conclusive: number
  readonly failedFiles: number
  /** What became of a test that did not pass. */
  readonly followUp: FollowUp | null
}

export interface FollowUp {
  /** The newest test of the same snapshot after it. */
  readonly retest: { readonly result: RestoreTest['result']; readonly at: string } | null
  /** Who said to have looked at it. */
  readonly acknowledged: readonly Pick<ContractEvent, 'by' | 'at'>[]
}

/** All tests in log order, each with what came of it. */
export function tellTests(statements: readonly Omit<Surveyed, 'leafIndex'>[]): TestTold[] {
  const counted = statements.filter((one) => one.counted)
  const tests = counted.flatMap(({ statement, paeDigest, receivedAt }) =>
    isEvidence(statement, 'restore-test')
      ? [
          {
            test: { ...statement.predicate, result: resultOf(statement.predicate) },
            digest: paeDigest,
            receivedAt,
          },
        ]
      : [],
  )
  const events = counted.flatMap(({ statement }) =>
    isEvidence(statement, 'contract-event') && statement.predicate.event === 'finding-acknowledged'
      ? [statement.predicate]
      : [],
  )
  const byName = new Map<string, number[]>()
  for (const [place, { test }] of tests.entries()) {
    for (const name of namesOf(test)) {
      const places = byName.get(name)
      if (places === undefined) byName.set(name, [place])
      else places.push(place)
    }
  }
  return tests.map((one, place) => {
    const { classes, result } = one.test
    const failedFiles = sum(classes, (name) => FAILING.has(name))
    const names = namesOf(one.test)
    const last = Math.max(...[...names].map((name) => byName.get(name)?.at(-1) ?? place))
    const retest = last > place ? tests[last]?.test : undefined
    return {
      ...one,
      failedFiles,
      conclusive: failedFiles + sum(classes, (name) => name === 'identical'),
      followUp:
        result === 'PASSED'
          ? null
          : {
              retest: retest === undefined ? null : { result: retest.result, at: retest.endedAt },
              acknowledged: events.filter(({ detail }) => names.has(String(detail['snapshot']))),
            },
    }
  })
}

/** A copied or rewritten snapshot names the one that it was made of. */
function namesOf({ snapshot }: RestoreTest): Set<string> {
  return new Set([snapshot.id, snapshot.original ?? snapshot.id])
}

function sum(classes: RestoreTest['classes'], isCounted: (name: string) => boolean): number {
  return Object.entries(classes).reduce((total, [name, count]) => total + (isCounted(name) ? count : 0), 0)
}

/** What the files that were drawn say of those that were not. */
export interface Bound {
  readonly set: string
  readonly tests: number
  readonly conclusive: number
  readonly failed: number
  /**
   * With 95 % confidence the share of bad files is below this, had all files been drawn at random: 3/n, the rule of
   * three. Null where one failed, or nothing was conclusive.
   */
  readonly ruleOfThree: number | null
  /** The weakest bound that an agent worked out for its random part, files and folders as units. */
  readonly stated: number | null
}

export function boundsOf(tests: readonly TestTold[]): Bound[] {
  return [...Map.groupBy(tests, ({ test }) => test.set)].map(([set, own]) => {
    const conclusive = own.reduce((total, one) => total + one.conclusive, 0)
    const failed = own.reduce((total, one) => total + one.failedFiles, 0)
    const stated = own.flatMap(({ test }) => test.limit?.maxDefectRate ?? [])
    return {
      set,
      tests: own.length,
      conclusive,
      failed,
      ruleOfThree: failed > 0 || conclusive === 0 ? null : Math.min(1, 3 / conclusive),
      stated: stated.length === 0 ? null : Math.max(...stated),
    }
  })
}
