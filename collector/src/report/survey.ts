import type { Fact } from '@bevis/shared/contract/known'
import type { Pack } from '@bevis/shared/verify/pack'
import { isInPeriod } from '@bevis/shared/verify/table'
import { parseStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { Kysely } from 'kysely'
import { listAgents } from '../store/read/agents.ts'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'
import type { Scope } from '../store/store.ts'

/** Rows that are read at once. */
const PAGE_ROWS = 500

/** Which statements a pack holds: all of these agents, and the contract's own events, below a size of the log. */
export interface Selection {
  readonly tenant: string
  readonly contract: string
  readonly agents: readonly string[]
  readonly size: number
}

export async function selectionOf(
  db: Kysely<Schema>,
  scope: Scope,
  contract: { id: string; tenant: string },
  size: number,
): Promise<Selection> {
  const agents = await listAgents(db, scope, { contract: contract.id })
  return { tenant: contract.tenant, contract: contract.id, agents: agents.map(({ id }) => id), size }
}

/** The selected statements in log order, in pages, of which one is in memory at a time. */
export async function* pagesOf(db: Kysely<Schema>, selection: Selection) {
  for (let after = 0; ;) {
    const rows = await selected(db, selection)
      .select(['id', 'leaf_index', 'pae_digest', 'received_at', 'counted', 'payload', 'envelope'])
      .where('statement.id', '>', after)
      .orderBy('statement.id')
      .limit(PAGE_ROWS)
      .execute()
    yield rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE_ROWS) return
    after = last.id
  }
}

/** The leaves of a page's statements, in log order. */
async function leavesOf(
  db: Kysely<Schema>,
  page: readonly { id: number; received_at: string }[],
): Promise<SurveyedLeaf[]> {
  const leaves: SurveyedLeaf[] = []
  const receivedAt = new Map(page.map(({ id, received_at }) => [id, received_at]))
  for (const chunk of chunksOf([...receivedAt.keys()])) {
    const rows = await db
      .selectFrom('log_leaf')
      .select(['leaf_index', 'entry', 'statement_id'])
      .where('statement_id', 'in', chunk)
      .orderBy('leaf_index')
      .execute()
    for (const { leaf_index, entry, statement_id } of rows) {
      leaves.push({ leafIndex: leaf_index, entry, receivedAt: receivedAt.get(statement_id ?? 0) ?? '' })
    }
  }
  return leaves
}

function selected(db: Kysely<Schema>, { tenant, contract, agents, size }: Selection) {
  return db
    .selectFrom('statement')
    .where('statement.tenant', '=', tenant)
    .where('statement.leaf_index', '<', size)
    .where((eb) =>
      eb.or([
        eb('statement.contract_id', '=', contract),
        ...(agents.length === 0 ? [] : [eb('statement.agent', 'in', agents)]),
      ]),
    )
}

/** One leaf of a selected statement. */
export interface SurveyedLeaf {
  readonly leafIndex: number
  /** 113 bytes, see `@bevis/shared/log/entry`. */
  readonly entry: Uint8Array
  readonly receivedAt: string
}

/** A selected statement as the table shows it and the verdict goes by it. */
export interface Surveyed extends Required<Fact> {
  readonly leafIndex: number
  readonly counted: boolean
}

/** What must be known of all statements before the first byte of a pack is written. */
export interface Survey {
  readonly statements: readonly Surveyed[]
  readonly leaves: readonly SurveyedLeaf[]
  readonly population: Pack['population']
  /** The sizes of the log's heads that agents had seen, ascending. */
  readonly heads: readonly number[]
}

/** The evaluation needs every statement at once, so here they are in memory; envelopes and proofs are not. */
export async function surveyStatements(
  db: Kysely<Schema>,
  selection: Selection,
  period: Pack['period'],
): Promise<Survey> {
  const statements: Surveyed[] = []
  const leaves: SurveyedLeaf[] = []
  const chains = new Map<
    string,
    { agent: string; epoch: number; statements: number; lastSeq: number; head: string }
  >()
  const heads = new Set<number>()
  let inPeriod = 0
  for await (const page of pagesOf(db, selection)) {
    leaves.push(...(await leavesOf(db, page)))
    for (const row of page) {
      const statement = parseStatement(row.payload)
      statements.push({
        leafIndex: row.leaf_index,
        paeDigest: row.pae_digest,
        receivedAt: row.received_at,
        counted: row.counted === 1,
        statement,
      })
      if (isInPeriod(statement, period)) inPeriod += 1
      const chain = chainOf(statement)
      if (chain === null) continue
      if (chain.log !== null && chain.log.size > 0 && chain.log.size < selection.size)
        heads.add(chain.log.size)
      const { agent, epoch, seq } = chain
      const known = chains.get(`${agent} ${epoch}`) ?? { agent, epoch, statements: 0, lastSeq: 0, head: '' }
      chains.set(`${agent} ${epoch}`, known)
      known.statements += 1
      // Of two for one place the first that was logged counts.
      if (seq > known.lastSeq) Object.assign(known, { lastSeq: seq, head: row.pae_digest })
    }
  }
  const sorted = [...chains.values()].toSorted((a, b) =>
    a.agent === b.agent ? a.epoch - b.epoch : a.agent < b.agent ? -1 : 1,
  )
  return {
    statements,
    leaves,
    population: { statements: statements.length, leaves: leaves.length, inPeriod, chains: sorted },
    heads: [...heads].toSorted((a, b) => a - b),
  }
}

function chainOf({ predicate }: Statement) {
  return 'chain' in predicate ? predicate.chain : null
}
