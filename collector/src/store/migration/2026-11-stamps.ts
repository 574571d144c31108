import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'
import type { EngineTypes } from './migration.ts'

/** Stamps of an outside clock; a leaf of the log may be a token, which is no statement. */
export function stampTables({ bytes, int }: EngineTypes): Migration {
  return {
    async up(db: Kysely<Schema>) {
      // SQLite cannot take NOT NULL off a column: the table is made anew.
      await db.schema
        .createTable('log_leaf_next')
        .addColumn('leaf_index', int, (c) => c.primaryKey())
        .addColumn('entry', bytes, (c) => c.notNull())
        .addColumn('statement_id', int, (c) => c.references('statement.id'))
        .addColumn('signature_no', int, (c) => c.notNull())
        .addUniqueConstraint('log_leaf_statement', ['statement_id', 'signature_no'])
        .execute()
      await sql`insert into log_leaf_next (leaf_index, entry, statement_id, signature_no)
        select leaf_index, entry, statement_id, signature_no from log_leaf`.execute(db)
      await db.schema.dropTable('log_leaf').execute()
      await db.schema.alterTable('log_leaf_next').renameTo('log_leaf').execute()
      await db.schema
        .createTable('log_stamp')
        .addColumn('leaf_index', int, (c) => c.primaryKey())
        .addColumn('size', int, (c) => c.notNull().references('log_checkpoint.size'))
        .addColumn('token', bytes, (c) => c.notNull())
        .addColumn('url', 'text', (c) => c.notNull())
        .addColumn('gen_time', 'text', (c) => c.notNull())
        .addColumn('accuracy_ms', int, (c) => c.notNull())
        .addColumn('valid_until', 'text', (c) => c.notNull())
        .addColumn('authority', 'text', (c) => c.notNull())
        .addColumn('received_at', 'text', (c) => c.notNull())
        .execute()
      await db.schema.createIndex('log_stamp_size').on('log_stamp').column('size').execute()
      await db.schema
        .createTable('tsa')
        .addColumn('url', 'text', (c) => c.primaryKey())
        .addColumn('asked_at', 'text', (c) => c.notNull())
        .addColumn('stamped_at', 'text')
        .addColumn('failed_since', 'text')
        .addColumn('failure', 'text')
        .execute()
    },
  }
}
