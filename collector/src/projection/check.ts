import { sha256Hex } from '@bevis/shared/crypto'
import type { Kysely, Transaction } from 'kysely'
import { OBSERVED_ALARMS } from '../store/schema.ts'
import type { Schema } from '../store/schema.ts'
import { STATEMENT_LINE } from '../store/read/statements.ts'
import type { Store } from '../store/store.ts'
import type { OwnLog } from './project.ts'
import { rebuildProjection } from './rebuild.ts'

/** A derived table whose rows are not what the log leads to. */
export interface Difference {
  readonly table: string
  /** The key of a row that differs, is missing, or is too much. */
  readonly row: string
}

/** Thrown to leave the transaction without its changes. */
class Undo extends Error {}

/** Derives the projection anew beside the stored one, compares, and leaves everything as it was. */
export async function checkProjection(store: Store, log: OwnLog): Promise<Difference[]> {
  const differences: Difference[] = []
  try {
    await store.write(async (tx) => {
      const before = await digestsOf(tx)
      await rebuildProjection(tx, log)
      const after = await digestsOf(tx)
      for (const [name, digest] of before) if (after.get(name) !== digest) differences.push(placeOf(name))
      for (const name of after.keys()) if (!before.has(name)) differences.push(placeOf(name))
      throw new Undo()
    })
  } catch (error) {
    if (!(error instanceof Undo)) throw error
  }
  return differences
}

function placeOf(name: string): Difference {
  const [table = '', row = ''] = name.split(/ (.*)/s)
  return { table, row }
}

/** One digest per derived row, by table and key. */
async function digestsOf(tx: Transaction<Schema> & Kysely<Schema>): Promise<Map<string, string>> {
  const digests = new Map<string, string>()
  const put = (table: string, key: (string | number)[], row: object): void => {
    const text = JSON.stringify(row, (_, value: unknown) =>
      value instanceof Uint8Array ? value.toHex() : value,
    )
    digests.set(`${table} ${key.join('/')}`, sha256Hex(text))
  }
  for (const row of await tx.selectFrom('agent').selectAll().execute())
    put('agent', [row.tenant, row.id], row)
  for (const row of await tx.selectFrom('agent_contract').selectAll().execute()) {
    put('agent_contract', [row.tenant, row.agent, row.contract_id], row)
  }
  for (const row of await tx.selectFrom('agent_key').selectAll().execute()) put('agent_key', [row.keyid], row)
  for (const row of await tx.selectFrom('agent_cosigner').selectAll().execute()) {
    put('agent_cosigner', [row.vkey], row)
  }
  const derived = tx.selectFrom('alarm').selectAll().where('kind', 'not in', OBSERVED_ALARMS)
  for (const row of await derived.execute()) put('alarm', [row.id], row)
  for (const row of await tx.selectFrom('invitation').select(['keyid', 'used_at']).execute()) {
    put('invitation', [row.keyid], row)
  }
  for (let after = 0; ;) {
    const rows = await tx
      .selectFrom('statement')
      .select(STATEMENT_LINE)
      .where('id', '>', after)
      .orderBy('id')
      .limit(500)
      .execute()
    if (rows.length === 0) return digests
    for (const row of rows) put('statement', [row.id], row)
    after = rows.at(-1)?.id ?? after
  }
}
