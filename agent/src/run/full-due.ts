import { isPass } from '@bevis/shared/contract/pass'
import type { PredicateOf } from '@bevis/shared/evidence/predicates'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { SetConfig } from '../config.ts'
import { readCron } from '../cron.ts'
import type { OwnRun } from '../evidence/own-runs.ts'
import { parseDuration } from '../quantity.ts'

/** Ends that the next full test would come to as well. */
const REPEATS: readonly string[] = ['BUDGET_SPENT', 'RESTIC_TIMEOUT', 'SCRATCH_FULL', 'NOT_ENOUGH_CONCLUSIVE']

/**
 * Whether a test that begins now has to restore everything: waiting for the next scheduled one would be longer than
 * `restoreTest.fullEvery` since the last full one that passed. Until one has passed, each has to; but after one that
 * came to no answer within its means comes a sample, or a set that is too large for them would never be proven at all.
 */
export function isFullDue(
  { id, restoreTest, backup }: Pick<SetConfig, 'id' | 'restoreTest' | 'backup'>,
  own: readonly OwnRun[],
  now: Date,
): boolean {
  const { fullEvery, cron, timezone = backup.timezone } = restoreTest
  if (fullEvery === undefined) return false
  const tests = testsOf(id, own)
  if (cutShort(tests) !== null) return false
  // One from a clock that was ahead proves nothing until then.
  const passed = tests
    .filter((test) => test.mode === 'full' && isPass(test))
    .map(({ endedAt }) => Date.parse(endedAt))
    .filter((ms) => ms <= now.getTime())
  const next = cron === undefined ? now : (readCron(cron, timezone).after(now) ?? now)
  return next.getTime() - Math.max(-Infinity, ...passed) > parseDuration(fullEvery)
}

/** Why the last full test came to no answer, where the next would not either; null: it did, or there is none to come. */
export function fullHindrance(
  { id, restoreTest }: Pick<SetConfig, 'id' | 'restoreTest'>,
  own: readonly OwnRun[],
): { code: string; message: string } | null {
  if (restoreTest.fullEvery === undefined) return null
  return cutShort(testsOf(id, own).filter(({ mode }) => mode === 'full'))
}

type Test = PredicateOf<'restore-test'>

function testsOf(set: string, own: readonly OwnRun[]): Test[] {
  return own
    .filter(({ statement }) => statement.predicateType === predicateTypeOf('restore-test'))
    .map(({ statement }) => statement.predicate as Test)
    .filter((test) => test.set === set)
}

/** Why the last test was a full one without an answer, and the next would be too; null: it was not so. */
function cutShort(tests: readonly Test[]): { code: string; message: string } | null {
  // Samples of older snapshots come in the same run, after it.
  const last = tests.findLast(({ reason }) => reason === 'scheduled' || reason === 'retest')
  if (last?.mode !== 'full' || last.result !== 'INCONCLUSIVE' || last.error === undefined) return null
  return REPEATS.includes(last.error.code) ? last.error : null
}
