import { Damages } from '@bevis/shared/contract/damage'
import { indexFacts } from '@bevis/shared/contract/facts'
import type { Fact } from '@bevis/shared/contract/known'
import { isInMonth } from '@bevis/shared/contract/month'
import type { Month } from '@bevis/shared/contract/month'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { ServiceReport } from './model.ts'

/** Of all repositories that the contract's agents check: one may hold the sets of several units. */
export function damageIn(facts: readonly Fact[], month: Month, at: Date): Pick<ServiceReport, 'damage'> {
  const checks = facts.flatMap(({ statement, paeDigest = '' }) =>
    isEvidence(statement, 'data-check') && Date.parse(statement.predicate.endedAt) <= at.getTime()
      ? [{ check: statement.predicate, paeDigest }]
      : [],
  )
  if (checks.every(({ check }) => check.result !== 'FAILED')) return {}
  const disregarded = new Set(indexFacts(facts).disregarded.map(({ fact }) => fact.digest))
  const damages = new Damages()
  for (const { check, paeDigest } of checks) if (!disregarded.has(paeDigest)) damages.add(check, paeDigest)
  const own = damages.list.filter((one) => isInMonth(one.at, month))
  if (own.length === 0) return {}
  return {
    damage: own.map(({ repository: { id, lineage = id }, subset, errors, at: found, over, digest }) => ({
      ...{ repository: lineage, subset, errors, at: found, over: over?.at ?? null, evidence: digest },
    })),
  }
}
