import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'
import type { EngineTypes } from './migration.ts'

/** What agents are asked for: tests that people requested, and seeds. */
export function workTables({ int }: EngineTypes): Migration {
  return {
    async up(db: Kysely<Schema>) {
      await db.schema
        .createTable('test_seed')
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('agent', 'text', (c) => c.notNull())
        .addColumn('set_id', 'text', (c) => c.notNull())
        .addColumn('inventory_digest', 'text', (c) => c.notNull())
        .addColumn('seed', 'text', (c) => c.notNull())
        .addColumn('statement_id', int, (c) => c.notNull())
        .addColumn('revealed_at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('test_seed_name', ['tenant', 'agent', 'set_id', 'inventory_digest'])
        .execute()
      await db.schema
        .createTable('test_request')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('contract_id', 'text', (c) => c.notNull().references('contract.id'))
        .addColumn('contract_set', 'text', (c) => c.notNull())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('agent', 'text', (c) => c.notNull())
        .addColumn('set_id', 'text', (c) => c.notNull())
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('snapshot_id', 'text')
        .addColumn('asked_at', 'text', (c) => c.notNull())
        .addColumn('asked_by', 'text', (c) => c.notNull())
        .addColumn('statement_id', int)
        .addColumn('outcome', 'text')
        .addColumn('detail', 'text')
        .addColumn('answered_at', 'text')
        .execute()
      await db.schema
        .createIndex('test_request_contract')
        .on('test_request')
        .columns(['contract_id', 'asked_at'])
        .execute()
      await db.schema
        .createIndex('test_request_agent')
        .on('test_request')
        .columns(['tenant', 'agent'])
        .execute()
    },
  }
}
