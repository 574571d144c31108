import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'
import type { EngineTypes } from './migration.ts'

/** Who else says that a head of the log is what it saw. */
export function cosignatureTables({ int }: EngineTypes): Migration {
  return {
    async up(db: Kysely<Schema>) {
      await db.schema
        .createTable('agent_cosigner')
        .addColumn('vkey', 'text', (c) => c.primaryKey())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('agent', 'text', (c) => c.notNull())
        .addColumn('from_leaf', int, (c) => c.notNull())
        .execute()
      await db.schema.createIndex('agent_cosigner_agent').on('agent_cosigner').column('agent').execute()
      await db.schema
        .createTable('log_cosignature')
        .addColumn('size', int, (c) => c.notNull())
        .addColumn('vkey', 'text', (c) => c.notNull())
        .addColumn('line', 'text', (c) => c.notNull())
        .addColumn('received_at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('log_cosignature_pair', ['size', 'vkey'])
        .execute()
      await db.schema
        .createIndex('log_cosignature_cosigner')
        .on('log_cosignature')
        .columns(['vkey', 'size'])
        .execute()
    },
  }
}
