import Database from 'better-sqlite3'
import { Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { migrationsFor } from '../migration/migration.ts'
import type { Schema } from '../schema.ts'
import type { Store } from '../store.ts'
import { ReadingDialect, WritingDialect } from './dialect.ts'
import { lockFile } from './lock.ts'

/** How long one process waits for another's transaction. */
const BUSY_MS = 10_000

export interface OpenOptions {
  /** An existing folder, this program's own. */
  readonly stateFolder: string
  /** Make the database when there is none (`init`); else its absence is an error. */
  readonly create?: boolean
}

/**
 * Opens `<state>/collector.db` and brings its schema up to date.
 * @throws BevisError STORE_FAILED when it is missing or cannot be used
 */
export async function openSqliteStore({ stateFolder, create = false }: OpenOptions): Promise<Store> {
  const file = join(stateFolder, 'collector.db')
  if (!create && !existsSync(file)) {
    throw new BevisError(
      'STORE_FAILED',
      `there is no database at ${file}: run \`bevis-collector init\` first`,
    )
  }
  const lock = (name: string, waitMs: number) => lockFile(join(stateFolder, `${name}.lock`), waitMs)
  const migrating = await lock('migrate', BUSY_MS)
  try {
    const writer = openDatabase(file)
    writer.pragma('busy_timeout = 0') // it waits by itself, see `whileBusy`
    const writing = new Kysely<Schema>({ dialect: new WritingDialect(writer, BUSY_MS) })
    await migrate(writing)
    const reader = openDatabase(file)
    reader.pragma('query_only = on')
    const reading = new Kysely<Schema>({ dialect: new ReadingDialect(reader) })
    return {
      db: reading,
      write: (work) => asStoreFailure(() => writing.transaction().execute(work)),
      lock,
      probe: async () => {
        // The same number again: SQLite writes and syncs the page all the same.
        await asStoreFailure(() =>
          writing.transaction().execute((tx) => sql`pragma user_version = 0`.execute(tx)),
        )
      },
      backup: async (target) => {
        closeSync(openSync(target, 'wx', 0o600)) // private before anything is in it
        await asStoreFailure(() => reader.backup(target))
      },
      close: async () => {
        await reading.destroy()
        await writing.destroy()
      },
    }
  } finally {
    migrating.release()
  }
}

function openDatabase(file: string): Database.Database {
  closeSync(openSync(file, 'a', 0o600)) // private before anything is in it; WAL and shared memory take after it
  chmodSync(file, 0o600)
  const database = new Database(file, { timeout: BUSY_MS })
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = full') // an answer is a promise: what it says must survive a power cut
  database.pragma('foreign_keys = on')
  return database
}

async function migrate(db: Kysely<Schema>): Promise<void> {
  const provider = migrationsFor({ bytes: 'blob', int: 'integer' })
  // By name, not by date: one that came later may stand before one that was applied already.
  const migrator = new Migrator({ db, provider, allowUnorderedMigrations: true })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) {
    throw new BevisError(
      'STORE_FAILED',
      `the database cannot be brought up to date: ${errorMessageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}

/** An engine's own failure (disk full, I/O error, corruption) gets our code; what `work` threw stays as it is. */
async function asStoreFailure<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause
    throw new BevisError('STORE_FAILED', `the database failed: ${cause.message} (${cause.code})`, { cause })
  }
}
