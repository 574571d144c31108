import type { Kysely, Selectable } from 'kysely'
import type { ContractTable, ContractTextTable, Schema } from '../schema.ts'
import { tenantOf } from '../store.ts'
import type { Scope } from '../store.ts'

export type ContractRow = Selectable<ContractTable>
export type ContractTextRow = Selectable<ContractTextTable>

/** All contracts that the reader may see, by customer and id. */
export function listContracts(db: Kysely<Schema>, scope: Scope): Promise<ContractRow[]> {
  const tenant = tenantOf(scope)
  return db
    .selectFrom('contract')
    .selectAll()
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .orderBy('customer_name')
    .orderBy('id')
    .execute()
}

export function findContract(db: Kysely<Schema>, scope: Scope, id: string): Promise<ContractRow | undefined> {
  const tenant = tenantOf(scope)
  return db
    .selectFrom('contract')
    .selectAll()
    .where('id', '=', id)
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .executeTakeFirst()
}

/** All texts of a contract that were ever applied, the newest first. */
export function listContractTexts(db: Kysely<Schema>, scope: Scope, id: string): Promise<ContractTextRow[]> {
  const tenant = tenantOf(scope)
  return db
    .selectFrom('contract_text')
    .innerJoin('contract', 'contract.id', 'contract_text.contract_id')
    .selectAll('contract_text')
    .where('contract_id', '=', id)
    .$if(tenant !== null, (query) => query.where('contract.tenant', '=', tenant))
    .orderBy('revision', 'desc')
    .execute()
}
