import Database from 'better-sqlite3'
import { chmodSync, closeSync, openSync } from 'node:fs'
import { BevisError } from '@bevis/shared/error'
import type { Lock } from '../store.ts'
import { isBusy, whileBusy } from './busy.ts'

/**
 * An exclusive lock on a file of its own: SQLite takes a POSIX lock, which the kernel releases when the
 * process ends, by kill -9 too. Nothing is ever written to the file.
 * @throws BevisError STATE_LOCKED
 */
export async function lockFile(path: string, waitMs: number): Promise<Lock> {
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  const database = new Database(path, { timeout: 0 })
  try {
    await whileBusy(waitMs, () => {
      database.pragma('journal_mode = memory') // no journal: a full disk must not keep the lock from being taken
      database.exec('begin exclusive')
    })
  } catch (cause) {
    database.close()
    if (!isBusy(cause)) throw cause
    throw new BevisError('STATE_LOCKED', `${path} is held by another process`, { cause })
  }
  return {
    release: () => {
      database.close()
    },
  }
}
