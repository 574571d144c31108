import { BevisError } from '@bevis/shared/error'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import { instant } from '@bevis/shared/format'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { findAgent, listAgentKeys, listAgents, listContractsOfAgent } from '../../store/read/agents.ts'
import type { AgentRow } from '../../store/read/agents.ts'
import { findContract } from '../../store/read/contracts.ts'
import { findHead, listStatements } from '../../store/read/statements.ts'
import type { Schema } from '../../store/schema.ts'
import type { AgentModel, AgentSummary } from '../view/agent.ts'
import { alarmsOf, contactOf, customersOf, rowOf } from './source.ts'
import type { Customers, Source } from './source.ts'

/** The part of an agent's newest heartbeat that a page tells; an older agent may leave out any of it. */
const detailSchema = z.object({
  at: instant.optional(),
  chain: z.object({ epoch: z.number(), seq: z.number() }).optional(),
  versions: z.record(z.string(), z.string()).optional(),
  tools: z.object({ agent: z.string(), restic: z.string().optional() }).optional(),
  spool: z.object({ depth: z.number(), oldestAt: instant.nullable().optional() }).optional(),
  next: z.array(z.object({ set: z.string(), what: z.string(), at: instant })).optional(),
})

type Detail = z.infer<typeof detailSchema>

export async function loadAgents(source: Source): Promise<AgentSummary[]> {
  const { db, scope, now } = source
  const rows = await listAgents(db, scope)
  const customers = await customersOf(source)
  const agents = await Promise.all(rows.map((row) => summaryOf(db, row, readDetail(row), now, customers)))
  return agents.toSorted(
    (a, b) =>
      Number(b.contact === 'silent') - Number(a.contact === 'silent') ||
      (a.lastReceivedAt ?? '').localeCompare(b.lastReceivedAt ?? ''),
  )
}

export async function loadAgent(source: Source, id: string): Promise<AgentModel> {
  const { db, scope, now } = source
  const customers = await customersOf(source)
  const row = await findAgent(db, scope, id)
  if (row === undefined)
    throw new BevisError('NOT_FOUND', `there is no agent ${id} that this account may see`)
  const detail = readDetail(row)
  const keys = await listAgentKeys(db, scope, id)
  const contracts = []
  for (const contract of await listContractsOfAgent(db, scope, id)) {
    const found = await findContract(db, scope, contract)
    if (found !== undefined) contracts.push({ id: contract, customer: found.customer_name })
  }
  const { lines } = await listStatements(db, scope, { agent: id, limit: 15 })

  return {
    ...(await summaryOf(db, row, detail, now, customers)),
    now,
    epoch: row.epoch,
    enrolledAt: row.enrolled_at,
    keys: keys
      .filter(({ purpose }) => purpose === 'agent')
      .map((key) => ({
        keyid: key.keyid,
        epoch: key.epoch,
        fromLeaf: key.from_leaf,
        revokedLeaf: key.revoked_leaf,
        root: key.root,
      })),
    next: (detail.next ?? []).toSorted((a, b) => a.at.localeCompare(b.at)).slice(0, 12),
    contracts,
    coverage: await coverageOf(db, row),
    alarms: await alarmsOf(source, 5, id),
    statements: lines.map((line) => rowOf(line, customers)),
  }
}

async function summaryOf(
  db: Kysely<Schema>,
  row: AgentRow,
  detail: Detail,
  now: Date,
  customers: Customers,
): Promise<AgentSummary> {
  const { tenant, id, host, state } = row
  const customer = customers.get(tenant) ?? tenant
  const { tools, versions } = detail
  return {
    customer,
    id,
    host,
    state,
    contact: contactOf(row, now),
    serviceSeen: detail.at !== undefined,
    lastReceivedAt: row.last_received_at,
    clockOffsetMs: row.clock_offset_ms,
    versions:
      versions ??
      (tools === undefined
        ? {}
        : { agent: tools.agent, ...(tools.restic === undefined ? {} : { restic: tools.restic }) }),
    spool: await spoolOf(db, row, detail),
  }
}

/** So many tests back: an older snapshot's test tells nothing of the set as it is. */
const MOST_TESTS = 60

async function coverageOf(db: Kysely<Schema>, { tenant, id }: AgentRow): Promise<AgentModel['coverage']> {
  const rows = await db
    .selectFrom('statement')
    .select(['set_id', 'stated_at', 'pae_digest', 'payload'])
    .where('tenant', '=', tenant)
    .where('agent', '=', id)
    .where('name', '=', 'restore-test')
    .where('counted', '=', 1)
    .orderBy('id', 'desc')
    .limit(MOST_TESTS)
    .execute()
  const bySet = new Map<string, AgentModel['coverage'][number]>()
  for (const { set_id: set, stated_at: at, pae_digest: digest, payload } of rows) {
    if (set === null || bySet.has(set)) continue
    const statement = parseStatement(payload)
    if (!isEvidence(statement, 'restore-test')) continue
    const { coverage } = statement.predicate
    if (coverage !== undefined) bySet.set(set, { set, at, digest, told: coverage })
  }
  return [...bySet.values()].toSorted((one, other) => one.set.localeCompare(other.set))
}

/** What waited when the agent last told of it. What it has sent since, it sent before anything newer: then none waits. */
async function spoolOf(
  db: Kysely<Schema>,
  { tenant, id }: AgentRow,
  { spool, at, chain }: Detail,
): Promise<AgentSummary['spool']> {
  if (spool === undefined || at === undefined) return null
  const told = { depth: spool.depth, oldestAt: spool.oldestAt ?? null, toldAt: at }
  if (spool.depth === 0 || chain === undefined) return told
  const head = await findHead(db, tenant, id)
  const isNewest = head === undefined || (head.epoch === chain.epoch && head.seq === chain.seq)
  return isNewest ? told : { depth: 0, oldestAt: null }
}

function readDetail(row: AgentRow): Detail {
  const parsed = detailSchema.safeParse(JSON.parse(row.detail))
  return parsed.success ? parsed.data : {}
}
