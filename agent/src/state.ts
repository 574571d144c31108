import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import Sqlite from 'better-sqlite3'
import { withCure } from './cure.ts'

/** The agent's durable memory. Several processes open it at once: the service, its children, commands by hand. */
export interface State {
  /** The state folder, mode 0700. */
  readonly folder: string
  readonly db: Sqlite.Database
  /** The statement, compiled once. */
  sql<P extends unknown[], R>(text: string): Sqlite.Statement<P, R>
  /** Runs `work` in one durable transaction that holds the write lock from its first read. */
  write<T>(work: () => T): T
  /** A small value that was put under this name, or null. */
  get(name: string): string | null
  put(name: string, value: string | null): void
  close(): void
}

/** Milliseconds that a process waits for another one's write. */
const BUSY_TIMEOUT_MS = 30_000

/** The version of the tables below, kept in the file's user_version. */
const VERSION = 1

const TABLES = `
  create table value (name text primary key, value text not null) strict, without rowid;
  create table statement (
    epoch integer not null,
    seq integer not null,
    pae_digest text not null unique,
    name text not null,
    created_at text not null,
    payload blob not null,
    envelope text,
    state text not null check (state in ('prepared', 'signed', 'logged', 'refused')),
    received_at text,
    proof text,
    code text,
    message text,
    primary key (epoch, seq)
  ) strict, without rowid;
  create index statement_prepared on statement (epoch, seq) where state = 'prepared';
  create index statement_signed on statement (epoch, seq) where state = 'signed';
  create table schedule_mark (
    set_id text not null,
    what text not null,
    started_at text not null,
    ended_at text not null,
    outcome text not null,
    code text,
    primary key (set_id, what)
  ) strict, without rowid;
`

/**
 * Opens the state folder, and makes it when it is not there.
 * WAL with synchronous=FULL: what a transaction has committed survives the loss of power.
 * @throws BevisError STATE_DAMAGED when the folder is open to others or of a newer version
 */
export function openState(folder: string): State {
  makePrivateFolder(folder)
  const file = join(folder, 'state.db')
  const db = told(file, () => openDatabase(file))
  const compiled = new Map<string, Sqlite.Statement<unknown[], unknown>>()
  const sql = <P extends unknown[], R>(text: string): Sqlite.Statement<P, R> => {
    const known = compiled.get(text) ?? db.prepare<unknown[], unknown>(text)
    compiled.set(text, known)
    // better-sqlite3 cannot know a query's types; whoever writes the query does.
    return known as unknown as Sqlite.Statement<P, R>
  }
  const write = <T>(work: () => T): T => told(file, () => db.transaction(work).immediate())

  write(() => {
    const version = Number(db.pragma('user_version', { simple: true }))
    if (version > VERSION) {
      db.close()
      throw withCure(
        new BevisError('STATE_DAMAGED', `${file} was written by a newer agent; update this one`),
        'Nothing is damaged: install the newer agent again.',
      )
    }
    if (version === 0) {
      db.exec(TABLES)
      db.pragma(`user_version = ${VERSION}`)
    }
  })
  return {
    folder,
    db,
    sql,
    write,
    get: (name) =>
      sql<[string], { value: string }>('select value from value where name = ?').get(name)?.value ?? null,
    put(name, value) {
      if (value === null) sql<[string], never>('delete from value where name = ?').run(name)
      else {
        sql<[string, string], never>(
          'insert into value (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
        ).run(name, value)
      }
    },
    close: () => db.close(),
  }
}

function openDatabase(file: string): Sqlite.Database {
  const db = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS })
  chmodSync(file, 0o600)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  return db
}

/** What the database says, in our codes. */
function told<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError)) throw error
    const isDamaged = /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)
    throw new BevisError(
      isDamaged ? 'STATE_DAMAGED' : 'STORE_FAILED',
      `${file}: ${error.code}: ${error.message}`,
      {
        cause: error,
      },
    )
  }
}

/** Makes a folder that only its owner can enter, or sees that it is one. @throws BevisError STATE_DAMAGED */
export function makePrivateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new BevisError(
      'STATE_DAMAGED',
      `${folder} cannot be made: check that its parent is there and writable`,
      { cause },
    )
  }
  const { mode } = statSync(folder)
  if ((mode & 0o077) === 0) return
  throw withCure(
    new BevisError(
      'STATE_DAMAGED',
      `${folder} is open to others (mode ${(mode & 0o777).toString(8)}); run: chmod 700 ${folder}`,
    ),
    'Nothing is damaged. Where others may have read the key in it: bevis-agent key rotate.',
  )
}

/** Makes the names in a folder survive the loss of power. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
