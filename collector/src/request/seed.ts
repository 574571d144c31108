/**
 * Seeds for restore tests: which files a test draws must not be known while the backup is made. So a seed is made
 * only once an inventory of the snapshots that it will be used on is in the log; it is kept, and is the same
 * whenever it is asked for again, so that nobody can ask until a harmless sample comes out.
 */
import { randomBytes } from 'node:crypto'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import { toInstant } from '@bevis/shared/format'
import type { RevealedSeed } from '@bevis/shared/work'
import type { Kysely, Transaction } from 'kysely'
import type { AgentRow } from '../store/read/agents.ts'
import type { Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'

/** For each of the agent's sets that an inventory was logged for: the seed of the newest one. */
export async function revealSeeds(store: Store, agent: AgentRow, now: Date): Promise<RevealedSeed[]> {
  const inventories = await newestInventories(store.db, agent)
  const known = await readSeeds(store.db, agent)
  const asked = inventories.filter((one) => !known.has(nameOf(one)))
  if (asked.length > 0) {
    const rows = asked.map(({ set, inventory, statementId }) => ({
      tenant: agent.tenant,
      agent: agent.id,
      set_id: set,
      inventory_digest: inventory,
      seed: randomBytes(32).toString('hex'),
      statement_id: statementId,
      revealed_at: toInstant(now),
    }))
    // Whoever asked in the same moment was first: then its seed is the seed.
    await store.write(async (tx) => {
      await tx
        .insertInto('test_seed')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    })
  }
  const all = asked.length > 0 ? await readSeeds(store.db, agent) : known
  return inventories.flatMap((one) => all.get(nameOf(one)) ?? [])
}

interface Inventoried {
  readonly set: string
  readonly inventory: string
  readonly statementId: number
}

function nameOf({ set, inventory }: Pick<Inventoried, 'set' | 'inventory'>): string {
  return `${set} ${inventory}`
}

async function readSeeds(
  db: Kysely<Schema> | Transaction<Schema>,
  { tenant, id }: AgentRow,
): Promise<Map<string, RevealedSeed>> {
  const rows = await db
    .selectFrom('test_seed')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('agent', '=', id)
    .orderBy('statement_id', 'desc')
    .limit(2_000)
    .execute()
  const seeds = rows.map(({ set_id, inventory_digest, seed, revealed_at }) => ({
    set: set_id,
    inventory: inventory_digest,
    seed,
    revealedAt: revealed_at,
  }))
  return new Map(seeds.map((one) => [nameOf(one), one]))
}

/** By the agent's own statements: which sets it has, each in the repository that it was last in. */
async function newestInventories(db: Kysely<Schema>, { tenant, id }: AgentRow): Promise<Inventoried[]> {
  const newest = (name: 'backup-run' | 'inventory', by: 'set_id' | 'repository_id') =>
    db
      .selectFrom('statement')
      .select((eb) => [by, eb.fn.max('id').as('newest')])
      .where('tenant', '=', tenant)
      .where('agent', '=', id)
      .where('name', '=', name)
      .where('counted', '=', 1)
      .where('outcome', 'in', name === 'inventory' ? ['complete'] : ['complete', 'partial'])
      .groupBy(by)
  const runs = await db
    .selectFrom('statement')
    .select(['set_id', 'repository_id'])
    .where(
      'id',
      'in',
      newest('backup-run', 'set_id')
        .clearSelect()
        .select((eb) => eb.fn.max('id').as('newest')),
    )
    .execute()
  const inventories = await db
    .selectFrom('statement')
    .select(['id', 'repository_id', 'payload'])
    .where(
      'id',
      'in',
      newest('inventory', 'repository_id')
        .clearSelect()
        .select((eb) => eb.fn.max('id').as('newest')),
    )
    .execute()
  const digests = new Map<string | null, { inventory: string; statementId: number }>()
  for (const { id: statementId, repository_id, payload } of inventories) {
    const statement = parseStatement(payload)
    if (isEvidence(statement, 'inventory'))
      digests.set(repository_id, { inventory: statement.predicate.digest, statementId })
  }
  return runs.flatMap(({ set_id, repository_id }) => {
    const digest = digests.get(repository_id)
    return set_id === null || digest === undefined ? [] : [{ set: set_id, ...digest }]
  })
}
