import type { Answer } from '@bevis/shared/contract/answer'
import type { Kysely } from 'kysely'
import { listContracts } from '../../store/read/contracts.ts'
import type { AlarmRow } from '../../store/read/happenings.ts'
import type { Schema } from '../../store/schema.ts'
import type { Scope } from '../../store/store.ts'
import type { StatementLine } from '../../store/read/statements.ts'
import type { Alarm } from '../view/alarm.ts'
import type { EvidenceRow } from '../view/evidence-row.ts'

/** What every loader reads from. The scope is the signed-in account's: a loader has no other way to the rows. */
export interface Source {
  readonly db: Kysely<Schema>
  readonly scope: Scope
  readonly now: Date
  /**
   * Judges a contract that the scope may see.
   * @param when instants; left out: now, and from all that has been received
   */
  readonly judge: (contract: string, when?: { at: string; knownAt: string }) => Promise<Answer>
}

/** An agent that should be heard from and has not been for this long is silent: the operator is told at the same time. */
export const SILENT_AFTER_MS = 26 * 60 * 60 * 1000

export function isSilent(
  agent: { state: string; enrolled_at: string; last_received_at: string | null },
  now: Date,
): boolean {
  if (agent.state !== 'active') return false
  const last = new Date(agent.last_received_at ?? agent.enrolled_at).getTime()
  return now.getTime() - last > SILENT_AFTER_MS
}

/** Customers by tenant, for lists that name them. */
export type Customers = ReadonlyMap<string, string>

export async function customersOf({ db, scope }: Source): Promise<Customers> {
  const contracts = await listContracts(db, scope)
  return new Map(contracts.map(({ tenant, customer_name }) => [tenant, customer_name]))
}

/** An alarm's ID ends with the digest of the statement that it is about, if it is about one. */
export function alarmOf({ id, kind, agent, at }: AlarmRow): Alarm {
  return { kind, agent, at, digest: /\/([0-9a-f]{64})$/.exec(id)?.[1] ?? null }
}

export function rowOf(line: StatementLine, customers: Customers): EvidenceRow {
  return {
    digest: line.pae_digest,
    kind: line.name,
    customer: customers.get(line.tenant) ?? line.tenant,
    agent: line.agent,
    set: line.set_id,
    snapshot: line.snapshot_id,
    outcome: line.outcome,
    statedAt: line.stated_at,
    receivedAt: line.received_at,
    leaf: line.leaf_index,
  }
}
