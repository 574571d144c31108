import type { FactIndex } from '@bevis/shared/contract/facts'
import { setsOfTests } from '@bevis/shared/contract/ledger'
import type { Contract } from '@bevis/shared/contract/schema'

/**
 * The newest restore tests of each set that the contract names, whatever its agents call it: PAE digests by set, the
 * newest first.
 * @param knownAt an instant: what came later is left out; null: nothing is
 * @param most so many of each set
 */
export function newestTests(
  contract: Contract,
  { tests }: Pick<FactIndex, 'tests'>,
  knownAt: string | null,
  most: number,
): Map<string, string[]> {
  const known = knownAt === null ? Infinity : Date.parse(knownAt)
  const setOf = setsOfTests(contract)
  const bySet = new Map<string, string[]>()
  for (const test of tests.toReversed()) {
    const { predicate, receivedAt } = test
    if (receivedAt > known) continue
    const set = setOf(predicate)
    if (set === null) continue
    const own = bySet.get(set) ?? []
    if (own.length < most) bySet.set(set, [...own, test.digest])
  }
  return bySet
}
