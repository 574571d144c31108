import type { Kysely } from 'kysely'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'

/** Where a statement lies in the log. */
export interface Place {
  readonly leafIndex: number
  readonly receivedAt: string
  /** False: an equivocation. */
  readonly counted: boolean
}

/** Statements that are in the log already, by PAE digest: never by the envelope's text. */
export async function findKnown(db: Kysely<Schema>, digests: readonly string[]): Promise<Map<string, Place>> {
  const known = new Map<string, Place>()
  for (const chunk of chunksOf(digests)) {
    const rows = await db
      .selectFrom('statement')
      .select(['pae_digest', 'leaf_index', 'received_at', 'counted'])
      .where('pae_digest', 'in', chunk)
      .execute()
    for (const row of rows) {
      const { leaf_index: leafIndex, received_at: receivedAt } = row
      known.set(row.pae_digest, { leafIndex, receivedAt, counted: row.counted === 1 })
    }
  }
  return known
}

/** Which of these keys have been revoked by now. */
export async function findRevoked(db: Kysely<Schema>, keyids: Iterable<string>): Promise<Set<string>> {
  const revoked = new Set<string>()
  for (const chunk of chunksOf([...new Set(keyids)])) {
    const rows = await db
      .selectFrom('agent_key')
      .select('keyid')
      .where('keyid', 'in', chunk)
      .where('revoked_leaf', 'is not', null)
      .execute()
    for (const { keyid } of rows) revoked.add(keyid)
  }
  return revoked
}

/** The newest statement of the log: id 0 when there is none. */
export async function findLast(db: Kysely<Schema>): Promise<{ id: number; receivedAt: string }> {
  const row = await db
    .selectFrom('statement')
    .select(['id', 'received_at'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  return { id: row?.id ?? 0, receivedAt: row?.received_at ?? '' }
}
