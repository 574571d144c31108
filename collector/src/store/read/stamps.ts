import type { Kysely, Selectable } from 'kysely'
import type { LogStampTable, Schema, TsaTable } from '../schema.ts'

/** A stamp without its token. */
export type StampLine = Omit<Selectable<LogStampTable>, 'token'>
export type StampRow = Selectable<LogStampTable>
export type TsaRow = Selectable<TsaTable>

const LINE = [
  'leaf_index',
  'size',
  'url',
  'gen_time',
  'accuracy_ms',
  'valid_until',
  'authority',
  'received_at',
] as const

/** All stamps, in log order. They name no customer. */
export function listStamps(db: Kysely<Schema>): Promise<StampLine[]> {
  return db.selectFrom('log_stamp').select(LINE).orderBy('leaf_index').execute()
}

export function findStamp(db: Kysely<Schema>, leafIndex: number): Promise<StampRow | undefined> {
  return db.selectFrom('log_stamp').selectAll().where('leaf_index', '=', leafIndex).executeTakeFirst()
}

/** Authorities that were asked, by address. */
export function listTsas(db: Kysely<Schema>): Promise<TsaRow[]> {
  return db.selectFrom('tsa').selectAll().orderBy('url').execute()
}
