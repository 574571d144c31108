import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { tryLock } from '../lock.ts'
import { placeOf } from '../restic/location.ts'
import type { State } from '../state.ts'
import type { Work } from './mark.ts'

/**
 * A run that was begun and has no mark. It is kept durably from its begin, so that a run which died (kill -9, a
 * power cut) is still seen; the mark of the last whole run stays as it is, and what is owed stays owed.
 */
export interface Attempt {
  readonly set: string
  readonly what: Work
  readonly startedAt: string
  /** Null: it runs, or it died. Set: it was stopped, or its death has been stated. */
  readonly endedAt: string | null
  /** What no two runs may work on at once. */
  readonly repository: string
}

const PREFIX = 'attempt:'

export function saveAttempt(state: State, attempt: Attempt): void {
  state.put(nameOf(attempt), JSON.stringify(attempt))
}

/** A mark says it all now. */
export function forgetAttempt(state: State, attempt: Pick<Attempt, 'set' | 'what'>): void {
  state.put(nameOf(attempt), null)
}

export function loadAttempts(state: State): Attempt[] {
  return state
    .sql<[string], { value: string }>('select value from value where name glob ? order by name')
    .all(`${PREFIX}*`)
    .map(({ value }) => JSON.parse(value) as Attempt)
}

/** The lock that a process holds while it works on a repository. */
export function repositoryLock(folder: string, repository: string): string {
  const locks = join(folder, 'locks')
  mkdirSync(locks, { recursive: true, mode: 0o700 })
  return join(locks, `${sha256Hex(placeOf(repository)).slice(0, 16)}.lock`)
}

/** Whether a process of ours works on the repository now. */
export function isAtWork(folder: string, repository: string, now: Date): boolean {
  const file = repositoryLock(folder, repository)
  if (!existsSync(file)) return false
  const held = tryLock(file, 'a look', now)
  held?.release()
  return held === null
}

/** Runs that were begun, have not ended, and have no process any more. */
export function deadAttempts(state: State, now: Date): Attempt[] {
  return loadAttempts(state).filter(
    ({ endedAt, repository }) => endedAt === null && !isAtWork(state.folder, repository, now),
  )
}

function nameOf({ set, what }: Pick<Attempt, 'set' | 'what'>): string {
  return `${PREFIX}${what}:${set}`
}
