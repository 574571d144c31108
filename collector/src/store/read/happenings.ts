import type { Kysely, Selectable } from 'kysely'
import type { AlarmTable, Schema, TransitionTable } from '../schema.ts'
import { tenantOf } from '../store.ts'
import type { Scope } from '../store.ts'

export type TransitionRow = Selectable<TransitionTable>
export type AlarmRow = Selectable<AlarmTable>

/** Changes of state, the newest first; of one contract if it is named. */
export function listTransitions(
  db: Kysely<Schema>,
  scope: Scope,
  filter: { contract?: string; limit?: number } = {},
): Promise<TransitionRow[]> {
  const tenant = tenantOf(scope)
  const { contract } = filter
  return db
    .selectFrom('transition')
    .innerJoin('contract', 'contract.id', 'transition.contract_id')
    .selectAll('transition')
    .$if(tenant !== null, (query) => query.where('contract.tenant', '=', tenant))
    .$if(contract !== undefined, (query) => query.where('contract_id', '=', contract ?? ''))
    .orderBy('transition.id', 'desc')
    .limit(Math.min(filter.limit ?? 50, 500))
    .execute()
}

/** Alarms, the newest first; of one agent if it is named. */
export function listAlarms(
  db: Kysely<Schema>,
  scope: Scope,
  filter: { agent?: string; limit?: number } = {},
): Promise<AlarmRow[]> {
  const tenant = tenantOf(scope)
  const { agent } = filter
  return db
    .selectFrom('alarm')
    .selectAll()
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .$if(agent !== undefined, (query) => query.where('agent', '=', agent ?? ''))
    .orderBy('at', 'desc')
    .orderBy('id')
    .limit(Math.min(filter.limit ?? 50, 500))
    .execute()
}
