import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Schema } from '../schema.ts'

/** Data checks that had failed before there was an alarm of it. */
export const damageAlarms: Migration = {
  async up(db: Kysely<Schema>) {
    const rows = await db
      .selectFrom('statement')
      .select(['id', 'pae_digest', 'payload', 'received_at'])
      .where('name', '=', 'data-check')
      .where('outcome', '=', 'FAILED')
      .where('counted', '=', 1)
      .execute()
    for (const { id, pae_digest, payload, received_at } of rows) {
      const statement = parseStatement(payload)
      if (!isEvidence(statement, 'data-check')) continue
      const { chain, repository, subset, errors } = statement.predicate
      const { tenant, agent, epoch, seq } = chain
      const reason = `${repository.lineage ?? repository.id.slice(0, 12)} ${subset}`
      await db
        .insertInto('alarm')
        .values({
          id: `data-check-failed/${pae_digest}`,
          kind: 'data-check-failed',
          tenant,
          agent,
          statement_id: id,
          at: received_at,
          detail: JSON.stringify({ epoch, seq, reason, errors }),
        })
        .execute()
    }
  },
}
