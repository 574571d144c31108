/**
 * `node sqlite-child.js FILE MEMORY [UID GID]`: checks a copy of a database, and prints its answer as JSON.
 * Only corruption is a failure; what SQLite cannot do here (an unknown collation, too little memory, another
 * format under that name) says nothing about the data.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { failed, inconclusive, passed } from './answer.ts'
import type { Answer } from './answer.ts'

const MAGIC = 'SQLite format 3\0'
const MOST_PROBLEMS = 100
const TOLD_PROBLEMS = 3

const [file = '', memoryBytes = '0', uid, gid] = process.argv.slice(2)
new Sqlite(':memory:').close() // its native part is loaded while we may still read it
if (uid !== undefined && gid !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(gid))
  process.setuid?.(Number(uid))
}
process.stdout.write(JSON.stringify(examine()))

function examine(): Answer {
  try {
    return check(true)
  } catch (error) {
    const code = error instanceof Sqlite.SqliteError ? error.code : 'no SQLite error'
    // A journal beside it has to be rolled back first, as whoever opens the restored database would.
    if (/^SQLITE_(READONLY|CANTOPEN)/.test(code)) return checkWritable()
    return judge(error)
  }
}

function checkWritable(): Answer {
  try {
    return check(false)
  } catch (error) {
    return judge(error)
  }
}

function check(readonly: boolean): Answer {
  const db = new Sqlite(file, { readonly, fileMustExist: true })
  try {
    db.pragma(`hard_heap_limit = ${Number(memoryBytes)}`)
    db.pragma('trusted_schema = off')
    db.pragma('cell_size_check = on')
    const rows = db.prepare<[], string>(`pragma integrity_check(${MOST_PROBLEMS})`).pluck().all()
    if (rows.length === 1 && rows[0] === 'ok') {
      // A file that was cut to nothing is a sound database, and an empty one.
      const tables = db.prepare<[], number>("select count(*) from sqlite_schema where type = 'table'").pluck()
      return tables.get() === 0 ? inconclusive('it holds no table') : passed('its integrity check is ok')
    }
    const more = rows.length > TOLD_PROBLEMS ? `; ${rows.length} problems or more` : ''
    return failed(`${rows.slice(0, TOLD_PROBLEMS).join('; ').slice(0, 500)}${more}`)
  } finally {
    db.close()
  }
}

function judge(error: unknown): Answer {
  if (!(error instanceof Sqlite.SqliteError)) return inconclusive('it could not be opened')
  if (error.code.startsWith('SQLITE_CORRUPT')) return failed(`it is malformed (${error.code})`)
  if (error.code === 'SQLITE_NOTADB' && hasMagic()) return failed('its header is damaged')
  if (error.code === 'SQLITE_NOTADB') return inconclusive('it is no SQLite database, or an encrypted one')
  return inconclusive(`it could not be checked (${error.code})`)
}

function hasMagic(): boolean {
  const handle = openSync(file, 'r')
  try {
    const start = Buffer.alloc(MAGIC.length)
    readSync(handle, start)
    return start.toString('latin1') === MAGIC
  } finally {
    closeSync(handle)
  }
}
