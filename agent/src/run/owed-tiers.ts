/** What the contracts of a set owe, tier by tier, as a restore test chooses from it. */
import { parseDuration } from '@bevis/shared/contract/duration'
import { indexFacts } from '@bevis/shared/contract/facts'
import { DAY_MS } from '@bevis/shared/contract/local'
import { rungsOf } from '@bevis/shared/contract/rungs'
import type { Rung } from '@bevis/shared/contract/rungs'
import type { Contract } from '@bevis/shared/contract/schema'
import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import type { OwnRun } from '../evidence/own-runs.ts'
import { inventoryFact } from './retention-plan.ts'

export interface OwedTier {
  /** The same in every run, and another for each tier of each contract. */
  readonly key: string
  /** `<per>x<keep>`. */
  readonly name: string
  /** How long its proof is good for, at its shortest; null: the contract asks for none. */
  readonly everyMs: number | null
  /** Whatever is its oldest owed snapshot when a test begins soon. */
  readonly rungs: readonly Rung[]
  /** One snapshot of each bucket that is owed, oldest first. */
  readonly owed: readonly string[]
}

/** Null where none of the texts promises anything of the set. */
export function owedTiers(request: {
  readonly set: string
  readonly contracts: readonly Contract[]
  readonly repository: Repo
  /** A complete listing, taken at `at`. */
  readonly listed: readonly Snap[]
  readonly own: readonly OwnRun[]
  readonly at: Date
  /** The snapshots that can be tested here. */
  readonly isOwn: (id: string) => boolean
}): OwedTier[] | null {
  const { set, contracts, repository, listed, own, at, isOwn } = request
  const index = indexFacts([...own, inventoryFact(repository, listed, at)])
  const found = contracts.flatMap((contract) => {
    const rungs = rungsOf({ contract, set, index, at }, isOwn)
    return rungs === null ? [] : [{ contract, ...rungs }]
  })
  if (found.length === 0) return null
  return found.flatMap(({ contract, every, tiers }) =>
    tiers.map(({ key, tier, rungs, owed }) => {
      const everyMs = every === null ? null : shortestMs(every)
      return { key: `${contract.id} ${key}`, name: tier, everyMs, rungs, owed }
    }),
  )
}

function shortestMs(text: string): number {
  const { months, days, elapsedMs } = parseDuration(text)
  return (months * 28 + days) * DAY_MS + elapsedMs
}
