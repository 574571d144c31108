import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'

/** What the collector had logged itself, among what is brought back. */
export const replayOwnColumn: Migration = {
  async up(db: Kysely<Schema>) {
    await db.schema.alterTable('log_replay').addColumn('own', 'text').execute()
  },
}
