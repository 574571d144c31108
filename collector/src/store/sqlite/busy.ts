import Database from 'better-sqlite3'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Tries again while another process holds SQLite's lock, without standing still: SQLite's own waiting
 * would stop this whole process.
 */
export async function whileBusy<T>(waitMs: number, attempt: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + waitMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
    }
    await sleep(5 + Math.random() * 10)
  }
}

export function isBusy(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')
}
