import type { Fact } from '@bevis/shared/contract/known'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Stated } from '../../pages/load/stated.ts'

/** What was ever stated of a contract's sets, from its facts. */
export function statedIn(facts: readonly Fact[]): Stated {
  const tests = facts.flatMap(({ statement }) =>
    isEvidence(statement, 'restore-test') ? [statement.predicate] : [],
  )
  return {
    sets: new Set(tests.map(({ set }) => set)),
    passed: new Set(tests.filter(({ result }) => result === 'PASSED').map(({ set }) => set)),
    listed: facts.some(({ statement }) => isEvidence(statement, 'inventory') && statement.predicate.complete),
  }
}
