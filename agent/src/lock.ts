import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BevisError } from '@bevis/shared/error'
import Sqlite from 'better-sqlite3'

/** A lock that this process holds until it is released, or until the process ends, however it ends. */
export interface Lock {
  release(): void
}

/** Who holds a lock and for what, as it said itself. */
export interface Holder {
  readonly pid: number
  readonly what: string
  readonly since: string
}

/** A database that nobody refers to is closed by the garbage collector, and its lock is gone. */
const held = new Set<Sqlite.Database>()

/**
 * Takes the lock `file`, or gives null when another process has it. The lock is an exclusive SQLite transaction
 * on an empty database: a lock of the kernel, so that kill -9 leaves nothing stale behind.
 */
export function tryLock(file: string, what: string, now: Date): Lock | null {
  const db = new Sqlite(file, { timeout: 0 })
  try {
    db.exec('begin exclusive')
  } catch (error) {
    db.close()
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return null
    throw error
  }
  const holder: Holder = { pid: process.pid, what, since: now.toISOString() }
  writeFileSync(`${file}.holder`, JSON.stringify(holder), { mode: 0o600 })
  held.add(db)
  return {
    release() {
      held.delete(db)
      db.close()
    },
  }
}

/**
 * Takes the lock, waiting for it at most `waitMs`.
 * @throws BevisError STATE_LOCKED naming who holds it
 */
export async function lock(
  file: string,
  what: string,
  options: { waitMs: number; now: () => Date; signal?: AbortSignal },
): Promise<Lock> {
  const deadlineMs = performance.now() + options.waitMs
  for (;;) {
    const taken = tryLock(file, what, options.now())
    if (taken !== null) return taken
    if (performance.now() >= deadlineMs)
      throw new BevisError('STATE_LOCKED', `${describeHolder(file)} is at work`)
    await sleep(200, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

/** Who said last that it holds the lock; it may be gone. */
export function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(`${file}.holder`, 'utf8')) as Holder
  } catch {
    return null
  }
}

function describeHolder(file: string): string {
  const holder = readHolder(file)
  if (holder === null) return `another process that locked ${file}`
  return `${holder.what} (process ${holder.pid}, since ${holder.since})`
}
