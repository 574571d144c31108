/** What restore tests showed, as an auditor reads them. */
import type { ContractEvent, RestoreTest } from '@bevis/shared/evidence/predicates'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Surveyed } from '../survey.ts'

/** Classes of files that fail a test; `identical` passes it, and all others are inconclusive. */
const FAILING = new Set(['damaged', 'diverged', 'missing', 'gap'])

export interface TestTold {
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
      ? [{ test: statement.predicate, digest: paeDigest, receivedAt }]
      : [],
  )
  const events = counted.flatMap(({ statement }) =>
    isEvidence(statement, 'contract-event') && statement.predicate.event === 'finding-acknowledged'
      ? [statement.predicate]
      : [],
  )
  return tests.map((one, place) => {
    const { classes, result } = one.test
    const failedFiles = sum(classes, (name) => FAILING.has(name))
    const later = tests.slice(place + 1).filter(({ test }) => isSame(test, one.test))
    const retest = later.at(-1)
    return {
      ...one,
      failedFiles,
      conclusive: failedFiles + sum(classes, (name) => name === 'identical'),
      followUp:
        result === 'PASSED'
          ? null
          : {
              retest: retest === undefined ? null : { result: retest.test.result, at: retest.test.endedAt },
              acknowledged: events.filter(({ detail }) => namesOf(one.test).has(String(detail['snapshot']))),
            },
    }
  })
}

/** A copied or rewritten snapshot names the one that it was made of. */
function namesOf({ snapshot }: RestoreTest): Set<string> {
  return new Set([snapshot.id, snapshot.original ?? snapshot.id])
}

function isSame(one: RestoreTest, other: RestoreTest): boolean {
  const names = namesOf(other)
  return [...namesOf(one)].some((name) => names.has(name))
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
