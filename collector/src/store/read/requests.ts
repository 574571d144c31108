import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'
import { tenantOf } from '../store.ts'
import type { Scope } from '../store.ts'

/** A restore that somebody asked for, and what became of it. */
export interface RequestRow {
  readonly id: string
  readonly contract: string
  /** By the contract's name for it. */
  readonly set: string
  readonly tenant: string
  readonly agent: string
  /** The set by the agent's own name for it. */
  readonly agentSet: string
  readonly path: string
  readonly snapshot: string | null
  readonly askedAt: string
  readonly askedBy: string
  /** Null while no answer has come. */
  readonly answer: {
    /** What the statement says, or `refused` by the agent. */
    readonly outcome: 'PASSED' | 'FAILED' | 'INCONCLUSIVE' | 'refused'
    readonly detail: string | null
    readonly at: string
    /** PAE digest of the statement that says so: it is in the log. */
    readonly statement: string
  } | null
}

export interface RequestFilter {
  readonly contract?: string
  readonly agent?: string
  /** Only those that have no answer yet. */
  readonly isOpen?: boolean
  /** 100 if left out. */
  readonly limit?: number
}

const OUTCOMES = ['PASSED', 'FAILED', 'INCONCLUSIVE', 'refused'] as const

/** Requests that the reader may see, the newest first. */
export async function listRequests(
  db: Kysely<Schema>,
  scope: Scope,
  { contract, agent, isOpen = false, limit = 100 }: RequestFilter = {},
): Promise<RequestRow[]> {
  const tenant = tenantOf(scope)
  const rows = await db
    .selectFrom('test_request')
    .leftJoin('statement', 'statement.id', 'test_request.statement_id')
    .selectAll('test_request')
    .select('statement.pae_digest')
    .$if(tenant !== null, (query) => query.where('test_request.tenant', '=', tenant ?? ''))
    .$if(contract !== undefined, (query) => query.where('test_request.contract_id', '=', contract ?? ''))
    .$if(agent !== undefined, (query) => query.where('test_request.agent', '=', agent ?? ''))
    .$if(isOpen, (query) => query.where('test_request.statement_id', 'is', null))
    .orderBy('asked_at', 'desc')
    .orderBy('test_request.id')
    .limit(limit)
    .execute()
  return rows.map((row) => {
    const outcome = OUTCOMES.find((known) => known === row.outcome)
    return {
      id: row.id,
      contract: row.contract_id,
      set: row.contract_set,
      tenant: row.tenant,
      agent: row.agent,
      agentSet: row.set_id,
      path: row.path,
      snapshot: row.snapshot_id,
      askedAt: row.asked_at,
      askedBy: row.asked_by,
      answer:
        outcome === undefined || row.pae_digest === null
          ? null
          : { outcome, detail: row.detail, at: row.answered_at ?? '', statement: row.pae_digest },
    }
  })
}
