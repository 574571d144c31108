/** What is brought back of a log that was set back waits in two tables, until every leaf is there. */
import { encodeEnvelope, openEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope, OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import type { Insertable, Transaction } from 'kysely'
import type { LogReplayTable, Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import type { Log } from './log.ts'
import type { KeptStamp, KeptText, OwnEntry } from './own-entries.ts'

/** What an entry needs that it does not carry itself: an enrolment brings its keys, and so does an own entry. */
export interface Enrolment {
  /** Public keys of the envelope's signatures, base64, in their order. */
  readonly keys: readonly string[]
  readonly contracts: readonly string[]
}

/** What stands in `own`. */
export interface Kept {
  readonly text?: KeptText
  readonly stamp?: KeptStamp
}

export function replayRowOf(
  index: number,
  { envelope, signatures }: Pick<OpenedEnvelope, 'signatures'> & { readonly envelope: Envelope },
  receivedAt: string,
  tenant: string,
  enrolment: Enrolment | null,
): Insertable<LogReplayTable> {
  return {
    leaf_index: index,
    leaves: signatures.length,
    envelope: encodeEnvelope(envelope),
    received_at: receivedAt,
    tenant,
    enrolment: enrolment === null ? null : JSON.stringify(enrolment),
    own: null,
  }
}

/** A head that was signed; statements embed it, or a clock has stamped it. */
export async function stageHead(tx: Transaction<Schema>, size: number, note: string): Promise<void> {
  await tx
    .insertInto('log_replay_head')
    .values({ size, note })
    .onConflict((c) => c.doNothing())
    .execute()
}

/** The collector's own entries; of two for one place the later one counts, and before both what a proof places there. */
export async function stageOwn(
  store: Store,
  log: Pick<Log, 'ownEntries' | 'open'>,
  from: number,
  to: number,
): Promise<void> {
  await store.write(async (tx) => {
    await tx.deleteFrom('log_replay').where('own', 'is not', null).execute()
    for await (const entry of log.ownEntries(from)) {
      if (entry.index >= to) continue
      const row = ownRowOf(entry)
      await tx
        .insertInto('log_replay')
        .values(row)
        .onConflict((c) => c.column('leaf_index').doUpdateSet(row).where('log_replay.own', 'is not', null))
        .execute()
      if (!('stamp' in entry)) continue
      const { size, note } = log.open(entry.stamp.head)
      if (size > from && size < to) await stageHead(tx, size, note)
    }
  })
}

function ownRowOf(entry: OwnEntry): Insertable<LogReplayTable> {
  const { index, receivedAt } = entry
  if ('stamp' in entry) {
    const place = { leaf_index: index, leaves: 1, received_at: receivedAt }
    return {
      ...place,
      envelope: '',
      tenant: '',
      enrolment: null,
      own: JSON.stringify({ stamp: entry.stamp }),
    }
  }
  const { envelope, tenant, keys, text } = entry
  const row = replayRowOf(index, openEnvelope(envelope), receivedAt, tenant, { keys, contracts: [] })
  return { ...row, own: JSON.stringify({ text }) }
}
