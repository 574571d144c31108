import type { Contract } from '@bevis/shared/contract/schema'
import type { Kysely } from 'kysely'
import type { Schema } from '../../store/schema.ts'
import type { Seen } from './dimensions.ts'

/** What one contract's agents stated. An agent may call a set otherwise than its contract does. */
export interface Stated {
  /** Of restore tests. */
  readonly sets: ReadonlySet<string>
  readonly passed: ReadonlySet<string>
  /** Whether a complete inventory was among it. */
  readonly listed: boolean
}

/** @param knownAt an instant: what came later is left out; null: all */
export async function statedUnder(
  db: Kysely<Schema>,
  contract: string,
  knownAt: string | null,
): Promise<Stated> {
  const rows = await db
    .selectFrom('statement')
    .innerJoin('agent_contract', (join) =>
      join
        .onRef('agent_contract.tenant', '=', 'statement.tenant')
        .onRef('agent_contract.agent', '=', 'statement.agent'),
    )
    .select(['statement.name', 'statement.set_id', 'statement.outcome'])
    .distinct()
    .where('agent_contract.contract_id', '=', contract)
    .where('statement.name', 'in', ['restore-test', 'inventory'])
    .where('statement.counted', '=', 1)
    .$if(knownAt !== null, (query) => query.where('statement.received_at', '<=', knownAt ?? ''))
    .execute()
  const tests = rows.filter(({ name }) => name === 'restore-test')
  const setsOf = (list: typeof rows) => new Set(list.flatMap(({ set_id }) => set_id ?? []))
  return {
    sets: setsOf(tests),
    passed: setsOf(tests.filter(({ outcome }) => outcome === 'PASSED')),
    listed: rows.some(({ name, outcome }) => name === 'inventory' && outcome === 'complete'),
  }
}

/** Of one set. A test under a name that no set of the contract has may be of any of them: then nothing is denied. */
export function seenOf(stated: Stated, set: string, sets: readonly string[], firstDue: string | null): Seen {
  const has = (names: ReadonlySet<string>) =>
    names.has(set) || [...names].some((name) => !sets.includes(name))
  return { stated: has(stated.sets), passed: has(stated.passed), listed: stated.listed, firstDue }
}

/** The local date on which the first restore test of a set is due, by the version in force. */
export function firstTestDue(text: Contract, version: number | null, id: string): string | null {
  const inForce = text.versions.find(({ no }) => no === version)
  const set = inForce?.sets.find((one) => one.id === id)
  if (inForce === undefined || set?.restoreTest === undefined) return null
  const from = Temporal.PlainDate.from(set.onboardedAt ?? inForce.effectiveFrom)
  const due = from.toZonedDateTime(text.timezone).add(set.restoreTest.every)
  return due.toPlainDate().toString()
}
