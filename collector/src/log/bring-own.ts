/** Brings back what the collector itself had logged, and its database has lost: contract texts, and tokens. */
import { decodeBase64 } from '@bevis/shared/base64'
import { formatStampEntry } from '@bevis/shared/time/entry'
import type { Transaction } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Appender, Log } from './log.ts'
import type { KeptStamp, KeptText } from './own-entries.ts'

/** A text as it was applied; one that is there stays. */
export async function bringText(tx: Transaction<Schema>, tenant: string, kept: KeptText): Promise<void> {
  const { contract: id, customerName: customer_name, revision, sha256, yaml, appliedAt, appliedBy } = kept
  await tx
    .insertInto('contract')
    .values({ id, tenant, customer_name, headline: null, evaluated_at: null })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ customer_name }))
    .execute()
  await tx
    .insertInto('contract_text')
    .values({ contract_id: id, revision, sha256, yaml, applied_at: appliedAt, applied_by: appliedBy })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** A token as the next leaf, with its row. */
export async function bringStamp(
  appender: Appender,
  log: Pick<Log, 'open'>,
  kept: KeptStamp,
  receivedAt: string,
): Promise<void> {
  const { url, genTime: gen_time, accuracyMs: accuracy_ms, validUntil: valid_until, authority } = kept
  const token = decodeBase64(kept.token)
  const leaf_index = appender.add({ entry: formatStampEntry(token), statementId: null, signatureNo: 0 })
  const row = {
    leaf_index,
    size: log.open(kept.head).size,
    token,
    url,
    gen_time,
    accuracy_ms,
    valid_until,
    authority,
  }
  await appender.tx
    .insertInto('log_stamp')
    .values({ ...row, received_at: receivedAt })
    .execute()
}
