import type { Kysely, Selectable, SelectQueryBuilder } from 'kysely'
import type { Schema, StatementTable } from '../schema.ts'
import { tenantOf } from '../store.ts'
import type { Scope } from '../store.ts'

export type StatementRow = Selectable<StatementTable>
/** A line of a list: all but the bytes. */
export type StatementLine = Omit<StatementRow, 'payload' | 'envelope'>

export interface StatementFilter {
  /** Statements of agents bound to the contract, and the contract's own events. */
  readonly contract?: string
  readonly agent?: string
  readonly name?: string
  readonly set?: string
  readonly snapshot?: string
  /** Only these, by their PAE digests. */
  readonly digests?: readonly string[]
  /** Only what lies before this statement id: the `next` of the page before. */
  readonly before?: number
  /** At most 500; 50 if left out. */
  readonly limit?: number
}

/** The columns of {@link StatementLine}. */
export const STATEMENT_LINE = [
  'id',
  'leaf_index',
  'pae_digest',
  'received_at',
  'counted',
  'tenant',
  'agent',
  'epoch',
  'seq',
  'prev',
  'keyid',
  'name',
  'stated_at',
  'contract_id',
  'set_id',
  'repository_id',
  'lineage',
  'snapshot_id',
  'outcome',
] as const

/** One page of statements, the newest first; `next` continues it, null at the end. */
export async function listStatements(
  db: Kysely<Schema>,
  scope: Scope,
  filter: StatementFilter,
): Promise<{ lines: StatementLine[]; next: number | null }> {
  const { contract, agent, name, set, snapshot, digests, before } = filter
  const limit = Math.min(filter.limit ?? 50, 500)
  let query = scoped(db, scope)
    .select(STATEMENT_LINE)
    .orderBy('id', 'desc')
    .limit(limit + 1)
  if (contract !== undefined) query = ofContract(query, contract)
  if (agent !== undefined) query = query.where('agent', '=', agent)
  if (name !== undefined) query = query.where('name', '=', name)
  if (set !== undefined) query = query.where('set_id', '=', set)
  if (snapshot !== undefined) query = query.where('snapshot_id', '=', snapshot)
  if (digests !== undefined) query = query.where('pae_digest', 'in', digests)
  if (before !== undefined) query = query.where('id', '<', before)
  const rows = await query.execute()
  const lines = rows.slice(0, limit)
  return { lines, next: rows.length > limit ? (lines.at(-1)?.id ?? null) : null }
}

/** One statement with its bytes, by its PAE digest or by any of its leaves. */
export function findStatement(
  db: Kysely<Schema>,
  scope: Scope,
  by: { pae: string } | { leaf: number },
): Promise<StatementRow | undefined> {
  const query = scoped(db, scope).selectAll('statement')
  if ('pae' in by) return query.where('pae_digest', '=', by.pae).executeTakeFirst()
  return query
    .where('id', 'in', (leaf) =>
      leaf.selectFrom('log_leaf').select('statement_id').where('leaf_index', '=', by.leaf),
    )
    .executeTakeFirst()
}

/**
 * What a contract is judged by: the counted statements of the agents bound to it and its own events, in log
 * order. `after` continues where an earlier reading ended (a statement id); `upTo` is the last one to read.
 */
export function listFacts(
  db: Kysely<Schema>,
  contract: string,
  range: { after?: number; upTo?: number } = {},
): Promise<
  Pick<StatementRow, 'id' | 'leaf_index' | 'pae_digest' | 'received_at' | 'payload' | 'envelope'>[]
> {
  let query = ofContract(scoped(db, { all: true }), contract)
    .select(['id', 'leaf_index', 'pae_digest', 'received_at', 'payload', 'envelope'])
    .where('counted', '=', 1)
    .orderBy('id')
  if (range.after !== undefined) query = query.where('id', '>', range.after)
  if (range.upTo !== undefined) query = query.where('id', '<=', range.upTo)
  return query.execute()
}

function scoped(db: Kysely<Schema>, scope: Scope) {
  const tenant = tenantOf(scope)
  return db.selectFrom('statement').$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
}

function ofContract<O>(
  query: SelectQueryBuilder<Schema, 'statement', O>,
  contract: string,
): SelectQueryBuilder<Schema, 'statement', O> {
  return query.where((eb) =>
    eb.or([
      eb('statement.contract_id', '=', contract),
      eb.exists(
        eb
          .selectFrom('agent_contract')
          .select('agent_contract.agent')
          .whereRef('agent_contract.tenant', '=', 'statement.tenant')
          .whereRef('agent_contract.agent', '=', 'statement.agent')
          .where('agent_contract.contract_id', '=', contract),
      ),
    ]),
  )
}

/** The newest counted statement of an agent's chain. */
export function findHead(
  db: Kysely<Schema>,
  tenant: string,
  agent: string,
): Promise<Pick<StatementRow, 'epoch' | 'seq' | 'pae_digest' | 'stated_at' | 'envelope'> | undefined> {
  return db
    .selectFrom('statement')
    .select(['epoch', 'seq', 'pae_digest', 'stated_at', 'envelope'])
    .where('tenant', '=', tenant)
    .where('agent', '=', agent)
    .where('counted', '=', 1)
    .orderBy('epoch', 'desc')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
}
