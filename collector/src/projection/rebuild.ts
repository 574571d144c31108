import { openEnvelope } from '@bevis/shared/evidence/envelope'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Transaction } from 'kysely'
import { OBSERVED_ALARMS } from '../store/schema.ts'
import type { Schema } from '../store/schema.ts'
import { project } from './project.ts'
import type { Logged, OwnLog, Projected } from './project.ts'

const PIECE = 500

/** The tables that hold nothing but what is derived. */
const DERIVED = ['agent', 'agent_contract', 'agent_key', 'agent_cosigner', 'verdict'] as const

/**
 * Drops the projection and derives it anew from the log, in this transaction. Public keys are kept: they are
 * named by their own digest, so they prove themselves. Returns how many statements were read.
 */
export async function rebuildProjection(tx: Transaction<Schema>, log: OwnLog): Promise<number> {
  const spkis = await readSpkis(tx)
  const tenants = await readTenants(tx)
  for (const table of DERIVED) await tx.deleteFrom(table).execute()
  await tx.deleteFrom('alarm').where('kind', 'not in', OBSERVED_ALARMS).execute()
  await tx.updateTable('invitation').set({ used_at: null }).execute()
  // A statement counts again when its turn comes; until then no place in a chain is taken.
  await tx.updateTable('statement').set({ counted: 0 }).execute()
  let read = 0
  for (let after = 0; ;) {
    const rows = await tx
      .selectFrom('statement')
      .select(['id', 'leaf_index', 'pae_digest', 'payload', 'envelope', 'received_at'])
      .where('id', '>', after)
      .orderBy('id')
      .limit(PIECE)
      .execute()
    if (rows.length === 0) return read
    const batch = rows.map((row): Logged => {
      const statement = parseStatement(row.payload)
      const signatures = openEnvelope(JSON.parse(row.envelope)).signatures.map(({ keyid }) => ({
        keyid,
        spki: spkis.get(keyid) ?? new Uint8Array(),
      }))
      const eventTenant = isEvidence(statement, 'contract-event')
        ? (tenants.get(statement.predicate.contract) ?? '')
        : ''
      return {
        id: row.id,
        leafIndex: row.leaf_index,
        paeDigest: row.pae_digest,
        receivedAt: row.received_at,
        signatures,
        statement,
        eventTenant,
      }
    })
    await writeColumns(tx, batch, await project(tx, batch, log))
    read += rows.length
    after = rows.at(-1)?.id ?? after
  }
}

async function writeColumns(
  tx: Transaction<Schema>,
  batch: readonly Logged[],
  projected: readonly Projected[],
): Promise<void> {
  for (const [n, { id }] of batch.entries()) {
    const columns = projected[n]
    if (columns !== undefined) await tx.updateTable('statement').set(columns).where('id', '=', id).execute()
  }
}

async function readSpkis(tx: Transaction<Schema>): Promise<Map<string, Uint8Array>> {
  const rows = [
    ...(await tx.selectFrom('agent_key').select(['keyid', 'spki']).execute()),
    ...(await tx.selectFrom('invitation').select(['keyid', 'spki']).execute()),
  ]
  return new Map(rows.map(({ keyid, spki }) => [keyid, spki]))
}

async function readTenants(tx: Transaction<Schema>): Promise<Map<string, string>> {
  const rows = await tx.selectFrom('contract').select(['id', 'tenant']).execute()
  return new Map(rows.map(({ id, tenant }) => [id, tenant]))
}
