import type { Kysely, Selectable } from 'kysely'
import type { AgentKeyTable, AgentTable, Schema } from '../schema.ts'
import { tenantOf } from '../store.ts'
import type { Scope } from '../store.ts'

export type AgentRow = Selectable<AgentTable>
export type AgentKeyRow = Selectable<AgentKeyTable>

/** The agents that the reader may see; of one contract if it is named. */
export function listAgents(
  db: Kysely<Schema>,
  scope: Scope,
  filter: { contract?: string } = {},
): Promise<AgentRow[]> {
  const tenant = tenantOf(scope)
  const { contract } = filter
  return db
    .selectFrom('agent')
    .selectAll()
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .$if(contract !== undefined, (query) =>
      query.where((eb) =>
        eb.exists(
          eb
            .selectFrom('agent_contract')
            .select('agent_contract.agent')
            .whereRef('agent_contract.tenant', '=', 'agent.tenant')
            .whereRef('agent_contract.agent', '=', 'agent.id')
            .where('contract_id', '=', contract ?? ''),
        ),
      ),
    )
    .orderBy('tenant')
    .orderBy('id')
    .execute()
}

/** An agent by its id, which is unique on one collector. */
export function findAgent(db: Kysely<Schema>, scope: Scope, id: string): Promise<AgentRow | undefined> {
  const tenant = tenantOf(scope)
  return db
    .selectFrom('agent')
    .selectAll()
    .where('id', '=', id)
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .executeTakeFirst()
}

/** The contracts that an agent's statements are judged under. */
export async function listContractsOfAgent(db: Kysely<Schema>, scope: Scope, id: string): Promise<string[]> {
  const tenant = tenantOf(scope)
  const rows = await db
    .selectFrom('agent_contract')
    .select('contract_id')
    .where('agent', '=', id)
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .orderBy('contract_id')
    .execute()
  return rows.map((row) => row.contract_id)
}

/** Every key of an agent and of its invitations that signed something in the log, in log order. */
export function listAgentKeys(db: Kysely<Schema>, scope: Scope, id: string): Promise<AgentKeyRow[]> {
  const tenant = tenantOf(scope)
  return db
    .selectFrom('agent_key')
    .selectAll()
    .where('agent', '=', id)
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .orderBy('from_leaf')
    .execute()
}
