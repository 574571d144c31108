/** The office's statements about contracts, as the log has them. */
import { issuedTextSchema } from '@bevis/shared/contract/event-detail'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

/** An event, and where it lies. */
export interface LoggedEvent {
  readonly paeDigest: string
  readonly leafIndex: number
  readonly receivedAt: string
  readonly event: ContractEvent
}

/** All events of a contract, in log order. The caller has checked that the reader may see the contract. */
export async function listEvents(db: Kysely<Schema>, contract: string): Promise<LoggedEvent[]> {
  const rows = await db
    .selectFrom('statement')
    .select(['pae_digest', 'leaf_index', 'received_at', 'payload'])
    .where('contract_id', '=', contract)
    .where('name', '=', 'contract-event')
    .orderBy('id')
    .execute()
  return rows.flatMap(({ pae_digest, leaf_index, received_at, payload }) => {
    const statement = parseStatement(payload)
    if (!isEvidence(statement, 'contract-event')) return []
    return {
      paeDigest: pae_digest,
      leafIndex: leaf_index,
      receivedAt: received_at,
      event: statement.predicate,
    }
  })
}

/** The number and digest of the contract's last event: 0 and zeros before the first. */
export async function findLastEvent(
  db: Kysely<Schema>,
  contract: string,
): Promise<{ no: number; prev: string }> {
  const row = await db
    .selectFrom('statement')
    .select(['pae_digest', 'payload'])
    .where('contract_id', '=', contract)
    .where('name', '=', 'contract-event')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) return { no: 0, prev: ZERO_DIGEST }
  const statement = parseStatement(row.payload)
  const no = isEvidence(statement, 'contract-event') ? (statement.predicate.register?.no ?? 0) : 0
  return { no, prev: row.pae_digest }
}

/** The texts that the log says were applied: SHA-256 by revision. */
export function issuedTexts(events: readonly Pick<LoggedEvent, 'event'>[]): Map<number, string> {
  const texts = new Map<number, string>()
  for (const { event } of events) {
    if (event.event !== 'report-issued') continue
    const issued = issuedTextSchema.safeParse(event.detail)
    if (issued.success && !texts.has(issued.data.revision))
      texts.set(issued.data.revision, issued.data.sha256)
  }
  return texts
}
