import { isPass } from '@bevis/shared/contract/pass'
import type { PredicateOf } from '@bevis/shared/evidence/predicates'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { SetConfig } from '../config.ts'
import { readCron } from '../cron.ts'
import type { OwnRun } from '../evidence/own-runs.ts'
import { parseDuration } from '../quantity.ts'

/**
 * Whether a test that begins now has to restore everything: waiting for the next scheduled one would be longer than
 * `restoreTest.fullEvery` since the last full one that passed. Until one has passed, each has to.
 */
export function isFullDue(
  { id, restoreTest, backup }: Pick<SetConfig, 'id' | 'restoreTest' | 'backup'>,
  own: readonly OwnRun[],
  now: Date,
): boolean {
  const { fullEvery, cron, timezone = backup.timezone } = restoreTest
  if (fullEvery === undefined) return false
  const passed = own
    .filter(({ statement }) => statement.predicateType === predicateTypeOf('restore-test'))
    .map(({ statement }) => statement.predicate as PredicateOf<'restore-test'>)
    .filter((test) => test.set === id && test.mode === 'full' && isPass(test))
    .map(({ endedAt }) => Date.parse(endedAt))
  const next = cron === undefined ? now : (readCron(cron, timezone).after(now) ?? now)
  return next.getTime() - Math.max(-Infinity, ...passed) > parseDuration(fullEvery)
}
