import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'
import type { EngineTypes } from './migration.ts'

/** Service reports as they went out. */
export function reportTables({ bytes }: EngineTypes): Migration {
  return {
    async up(db: Kysely<Schema>) {
      await db.schema
        .createTable('service_report')
        .addColumn('contract_id', 'text', (c) => c.notNull().references('contract.id'))
        .addColumn('month', 'text', (c) => c.notNull())
        .addColumn('unit', 'text', (c) => c.notNull())
        .addColumn('sha256', 'text', (c) => c.notNull())
        .addColumn('report', 'text', (c) => c.notNull())
        .addColumn('pdf_da', bytes, (c) => c.notNull())
        .addColumn('pdf_en', bytes, (c) => c.notNull())
        .addColumn('written_at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('service_report_month', ['contract_id', 'month', 'unit'])
        .execute()
    },
  }
}
