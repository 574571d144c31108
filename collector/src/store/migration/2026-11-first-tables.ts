import { sql } from 'kysely'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'
import type { EngineTypes } from './migration.ts'

export function firstTables(types: EngineTypes): Migration {
  return {
    async up(db: Kysely<Schema>) {
      await createLog(db, types)
      await createProjection(db, types)
      await createDecisions(db, types)
    },
  }
}

async function createLog(db: Kysely<Schema>, { bytes, int }: EngineTypes): Promise<void> {
  await db.schema
    .createTable('statement')
    .addColumn('id', int, (c) => c.primaryKey())
    .addColumn('leaf_index', int, (c) => c.notNull().unique())
    .addColumn('pae_digest', 'text', (c) => c.notNull().unique())
    .addColumn('payload', bytes, (c) => c.notNull())
    .addColumn('envelope', 'text', (c) => c.notNull())
    .addColumn('received_at', 'text', (c) => c.notNull())
    .addColumn('counted', int, (c) => c.notNull())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('agent', 'text')
    .addColumn('epoch', int)
    .addColumn('seq', int)
    .addColumn('prev', 'text')
    .addColumn('keyid', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('stated_at', 'text', (c) => c.notNull())
    .addColumn('contract_id', 'text')
    .addColumn('set_id', 'text')
    .addColumn('repository_id', 'text')
    .addColumn('lineage', 'text')
    .addColumn('snapshot_id', 'text')
    .addColumn('outcome', 'text')
    .execute()
  // The rule that no code can forget: one counted statement for one place in a chain.
  await db.schema
    .createIndex('statement_chain')
    .on('statement')
    .columns(['tenant', 'agent', 'epoch', 'seq'])
    .unique()
    .where(sql.ref('counted'), '=', 1)
    .execute()
  await db.schema.createIndex('statement_agent').on('statement').columns(['tenant', 'agent', 'id']).execute()
  await db.schema.createIndex('statement_contract').on('statement').columns(['contract_id', 'id']).execute()
  await db.schema.createIndex('statement_snapshot').on('statement').columns(['snapshot_id', 'id']).execute()
  await db.schema
    .createTable('log_leaf')
    .addColumn('leaf_index', int, (c) => c.primaryKey())
    .addColumn('entry', bytes, (c) => c.notNull())
    .addColumn('statement_id', int, (c) => c.notNull().references('statement.id'))
    .addColumn('signature_no', int, (c) => c.notNull())
    .addUniqueConstraint('log_leaf_signature', ['statement_id', 'signature_no'])
    .execute()
  await db.schema
    .createTable('log_node')
    .addColumn('level', int, (c) => c.notNull())
    .addColumn('node_index', int, (c) => c.notNull())
    .addColumn('hash', bytes, (c) => c.notNull())
    .addPrimaryKeyConstraint('log_node_place', ['level', 'node_index'])
    .execute()
  await db.schema
    .createTable('log_checkpoint')
    .addColumn('size', int, (c) => c.primaryKey())
    .addColumn('root', bytes, (c) => c.notNull())
    .addColumn('note', 'text', (c) => c.notNull())
    .addColumn('signed_at', 'text', (c) => c.notNull())
    .execute()
}

async function createProjection(db: Kysely<Schema>, { bytes, int }: EngineTypes): Promise<void> {
  await db.schema
    .createTable('agent')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('epoch', int, (c) => c.notNull())
    .addColumn('enrolled_at', 'text', (c) => c.notNull())
    .addColumn('last_received_at', 'text')
    .addColumn('clock_offset_ms', int)
    .addColumn('detail', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('agent_name', ['tenant', 'id'])
    .execute()
  await db.schema
    .createTable('agent_contract')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('contract_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('agent_contract_pair', ['tenant', 'agent', 'contract_id'])
    .execute()
  await db.schema.createIndex('agent_contract_contract').on('agent_contract').column('contract_id').execute()
  await db.schema
    .createTable('agent_key')
    .addColumn('keyid', 'text', (c) => c.primaryKey())
    .addColumn('spki', bytes, (c) => c.notNull())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('epoch', int, (c) => c.notNull())
    .addColumn('purpose', 'text', (c) => c.notNull())
    .addColumn('from_leaf', int, (c) => c.notNull())
    .addColumn('revoked_leaf', int)
    .execute()
  await db.schema.createIndex('agent_key_agent').on('agent_key').columns(['tenant', 'agent']).execute()
  await db.schema
    .createTable('alarm')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('agent', 'text')
    .addColumn('statement_id', int)
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('detail', 'text', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('alarm_tenant').on('alarm').columns(['tenant', 'at']).execute()
  await db.schema
    .createTable('verdict')
    .addColumn('contract_id', 'text', (c) => c.primaryKey())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('known_at', 'text', (c) => c.notNull())
    .addColumn('answer', 'text', (c) => c.notNull())
    .execute()
}

async function createDecisions(db: Kysely<Schema>, { bytes, int }: EngineTypes): Promise<void> {
  await db.schema
    .createTable('invitation')
    .addColumn('keyid', 'text', (c) => c.primaryKey())
    .addColumn('spki', bytes, (c) => c.notNull())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('agent', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('contracts', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .addColumn('used_at', 'text')
    .execute()
  await db.schema
    .createTable('contract')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('customer_name', 'text', (c) => c.notNull())
    .addColumn('headline', 'text')
    .addColumn('evaluated_at', 'text')
    .execute()
  await db.schema
    .createTable('contract_text')
    .addColumn('contract_id', 'text', (c) => c.notNull().references('contract.id'))
    .addColumn('revision', int, (c) => c.notNull())
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addColumn('yaml', 'text', (c) => c.notNull())
    .addColumn('applied_at', 'text', (c) => c.notNull())
    .addColumn('applied_by', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('contract_text_revision', ['contract_id', 'revision'])
    .execute()
  await db.schema
    .createTable('transition')
    .addColumn('id', int, (c) => c.primaryKey())
    .addColumn('contract_id', 'text', (c) => c.notNull())
    .addColumn('set_id', 'text')
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('from_state', 'text')
    .addColumn('to_state', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('known_at', 'text', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('transition_contract').on('transition').columns(['contract_id', 'id']).execute()
  await db.schema
    .createTable('account')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('email', 'text', (c) => c.notNull().unique())
    .addColumn('password_hash', 'text', (c) => c.notNull())
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('tenant', 'text')
    .addColumn('language', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('disabled_at', 'text')
    .execute()
  await db.schema
    .createTable('session')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.references('account.id'))
    .addColumn('data', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .execute()
}
