import type { Checkpoint } from '@bevis/shared/log/checkpoint'
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'
import { tenantOf } from '../store.ts'
import type { Scope } from '../store.ts'

/** More lines than this make no note better, and readers may bound them. */
const LINES_MAX = 64

/** The largest size that a cosigner has cosigned, as far as we were told; 0 for none. */
export async function cosignedSize(db: Kysely<Schema>, vkey: string): Promise<number> {
  const row = await db
    .selectFrom('log_cosignature')
    .select('size')
    .where('vkey', '=', vkey)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row?.size ?? 0
}

/**
 * A head with the cosignatures that it has: those of outside log witnesses for everybody; those of agents for their
 * own tenant only, since an agent's name often is its host's.
 */
export async function withCosignatures(
  db: Kysely<Schema>,
  head: Checkpoint,
  scope: Scope | null,
): Promise<Checkpoint> {
  const tenant = scope === null ? null : tenantOf(scope)
  const rows = await db
    .selectFrom('log_cosignature as said')
    .leftJoin('agent_cosigner as cosigner', 'cosigner.vkey', 'said.vkey')
    .select(['said.line', 'cosigner.tenant'])
    .where('said.size', '=', head.size)
    .orderBy('said.vkey')
    .execute()
  const lines = rows
    .filter((row) => row.tenant === null || (scope !== null && (tenant === null || row.tenant === tenant)))
    .toSorted((a, b) => Number(a.tenant !== null) - Number(b.tenant !== null))
    .slice(0, LINES_MAX)
  return { ...head, note: head.note + lines.map(({ line }) => line).join('') }
}
