import type { Known } from './known.ts'
import { byTeller } from './known.ts'
import type { Verdict } from './answer.ts'
import type { History } from './history.ts'
import type { Point, Tested } from './point.ts'
import { isPass } from './pass.ts'
import { idIn } from './point.ts'
import { covers } from './cover.ts'
import { Refutation } from './refutation.ts'
import type { RestoreTestTerms } from './schema.ts'
import type { Opinion } from './verdict.ts'
import type { RestoreTest } from './told.ts'

/** Tests of the set's snapshots; a twin's tests are told by the twin. */
export interface SetTest extends Tested {
  point: Point
}

/** The set's snapshots of which a test has ever failed. */
export function failedOf(history: History): Point[] {
  return history.tested.filter(
    (point) =>
      point.tests.some(({ test }) => test.predicate.result === 'FAILED') &&
      point.tests.some((tested) => isOwn(tested, point, history)),
  )
}

/** The tests that had ended by `at`, by their end, each once. */
export function testsOf(history: History, at: number): SetTest[] {
  const { requiredPaths } = history.terms.set.selector
  const seen = new Set<Known<RestoreTest>>()
  const tests: SetTest[] = []
  for (const point of history.tested) {
    if (!covers(point.snapshot.paths, requiredPaths)) continue
    for (const tested of point.tests) {
      if (tested.endedAt > at || seen.has(tested.test)) continue
      seen.add(tested.test)
      tests.push({ ...tested, point })
    }
  }
  return tests.toSorted((a, b) => a.endedAt - b.endedAt || byTeller(a.test, b.test))
}

export function hasPassed({ test }: Tested): boolean {
  return isPass(test.predicate)
}

/** The newest test that proves what is agreed: where that is a full restore, no sample does. */
export function lastProof({ mode }: RestoreTestTerms, tests: readonly SetTest[]): SetTest | undefined {
  return mode === 'full' ? lastFull(tests) : tests.findLast(hasPassed)
}

function lastFull(tests: readonly SetTest[]): SetTest | undefined {
  return tests.findLast((test) => hasPassed(test) && test.test.predicate.mode === 'full')
}

/** How recently a test passed, full ones where they are due, and what failed since. */
export function weighProof(
  opinion: Opinion,
  history: History,
  terms: RestoreTestTerms,
  tests: readonly SetTest[],
  at: number,
): void {
  const { onboardedAt } = history.terms
  weighAge(opinion, 'proof-overdue', history, terms, {
    every: terms.every,
    last: lastProof(terms, tests),
    from: onboardedAt,
    at,
  })
  if (terms.fullEvery !== undefined) {
    weighAge(opinion, 'full-proof-overdue', history, terms, {
      every: terms.fullEvery,
      last: lastFull(tests),
      from: onboardedAt,
      at,
    })
  }
}

interface Age {
  every: string
  /** The last test that counts; without one, the time runs from `from`. */
  last: SetTest | undefined
  from: number
  at: number
  tier?: string
}

/** Within `every` it is compliant, within the grace after it at risk, later breached. */
export function weighAge(
  opinion: Opinion,
  code: string,
  history: History,
  { grace }: RestoreTestTerms,
  { every, last, from, at, tier }: Age,
): void {
  const { zone } = history.terms.calendar
  const due = zone.add(last?.endedAt ?? from, every)
  const late = zone.add(due, grace)
  opinion.deadlines.push(due, late)
  if (at <= due) return
  const verdict: Verdict = at <= late ? 'at-risk' : 'breached'
  opinion.weigh(verdict)
  opinion.find(code, due, { verdict, every, ...(tier !== undefined && { tier }) }, [last?.test])
}

/**
 * A failure stays with its snapshot until the same snapshot passes, or a listing made after the test no longer has it:
 * a listing from before, or none, does not say that it is gone. It is told also where no tests are agreed, since a
 * refuted snapshot satisfies nothing.
 * @param told the snapshots of which it was told already: a twin says the same, and so does another version's history
 */
export function weighFailures(
  opinion: Opinion,
  history: History,
  failed: readonly Point[],
  told: Set<string>,
  at: number,
): void {
  const inventory = history.lineage.newest(at)
  for (const point of failed) {
    const refutation = new Refutation(point.tests)
    const failures = refutation.failuresAt(at)
    if (failures === 0) continue
    const own = point.tests.filter(({ test, since }) => since <= at && test.predicate.result === 'FAILED')
    const listed = inventory && idIn(point, inventory, history.lineage, at)
    const isGone = listed === undefined && (inventory?.takenAt ?? 0) > (own.at(-1)?.endedAt ?? at)
    const snapshot = listed ?? point.snapshot.id
    if (isGone || told.has(snapshot)) continue
    told.add(snapshot)
    opinion.weigh(failures >= 2 ? 'breached' : 'at-risk')
    opinion.find(
      failures >= 2 ? 'refuted' : 'failed-test',
      refutation.beganAt(at),
      { snapshot, failures },
      own.map(({ test }) => test),
    )
  }
}

/** Of this set by its paths, or by the test's own word: other sets may share the host. */
function isOwn({ test }: Tested, { snapshot }: Point, { terms }: History): boolean {
  return test.predicate.set === terms.set.id || covers(snapshot.paths, terms.set.selector.requiredPaths)
}
