import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'

/** Which root key of a customer has signed an agent's key. */
export const rootKeyColumn: Migration = {
  async up(db: Kysely<Schema>) {
    await db.schema.alterTable('agent_key').addColumn('root', 'text').execute()
  },
}
