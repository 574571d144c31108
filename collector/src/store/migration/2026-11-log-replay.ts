import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'
import type { EngineTypes } from './migration.ts'

/** What is brought back of a log whose database was set back, until all of it is there. Empty at all other times. */
export function replayTables({ int }: EngineTypes): Migration {
  return {
    async up(db: Kysely<Schema>) {
      await db.schema
        .createTable('log_replay')
        .addColumn('leaf_index', int, (c) => c.primaryKey())
        .addColumn('leaves', int, (c) => c.notNull())
        .addColumn('envelope', 'text', (c) => c.notNull())
        .addColumn('received_at', 'text', (c) => c.notNull())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('enrolment', 'text')
        .execute()
      await db.schema
        .createTable('log_replay_head')
        .addColumn('size', int, (c) => c.primaryKey())
        .addColumn('note', 'text', (c) => c.notNull())
        .execute()
    },
  }
}
