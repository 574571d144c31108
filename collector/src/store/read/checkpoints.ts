import type { Kysely, Selectable } from 'kysely'
import type { LogCheckpointTable, Schema } from '../schema.ts'

export type CheckpointRow = Selectable<LogCheckpointTable>

/** Signed heads, the newest first. They name no customer and show no content, so everybody may see them. */
export function listCheckpoints(
  db: Kysely<Schema>,
  filter: { below?: number; limit?: number } = {},
): Promise<CheckpointRow[]> {
  const { below } = filter
  return db
    .selectFrom('log_checkpoint')
    .selectAll()
    .$if(below !== undefined, (query) => query.where('size', '<', below ?? 0))
    .orderBy('size', 'desc')
    .limit(Math.min(filter.limit ?? 50, 500))
    .execute()
}

export function newestCheckpoint(db: Kysely<Schema>): Promise<CheckpointRow | undefined> {
  return db.selectFrom('log_checkpoint').selectAll().orderBy('size', 'desc').limit(1).executeTakeFirst()
}

/** The last head that was signed before an instant. */
export function newestCheckpointBefore(
  db: Kysely<Schema>,
  instant: string,
): Promise<CheckpointRow | undefined> {
  return db
    .selectFrom('log_checkpoint')
    .selectAll()
    .where('signed_at', '<', instant)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** The note of the head of a size; null where none was signed. */
export async function findCheckpointNote(db: Kysely<Schema>, size: number): Promise<string | null> {
  const row = await db.selectFrom('log_checkpoint').select('note').where('size', '=', size).executeTakeFirst()
  return row?.note ?? null
}
