import { hostname } from 'node:os'
import { errorCodeOf } from '@bevis/shared/error'
import type { Limits, Lock } from './interface.ts'
import { parseOutput } from './json.ts'
import { fullId, lockObject } from './messages.ts'
import { endHeld, isGone } from './own-processes.ts'
import type { OwnProcess } from './own-processes.ts'
import type { Program } from './program.ts'
import { answerOf } from './short.ts'
import { nanosecondsOf } from './time.ts'

/** A lock is made after its process has started; the clock may have been set back a little in between. */
const CLOCK_STEP_MS = 2_000

/** All locks in the repository. They are read without a lock of our own, which another's would not let us take. */
export async function listLocks(program: Program, limits: Limits = {}): Promise<Lock[]> {
  const own = program.ownProcesses.all()
  const text = await answerOf(program, ['list', 'locks', '--no-cache'], limits)
  const ids = text.split('\n').filter((line) => line !== '')
  const locks: Lock[] = []
  for (const id of ids) {
    const lock = await readLock(
      program,
      parseOutput(fullId, JSON.stringify(id), 'restic list locks'),
      own,
      limits,
    )
    if (lock) locks.push(lock)
  }
  return locks
}

/**
 * Removes what a restic process of ours left behind when it was killed: one plain `unlock`, and only if such a
 * lock is there. restic itself then spares every lock whose process may still run.
 */
export async function unlockOwn(program: Program, limits: Limits = {}): Promise<string[]> {
  const own = program.ownProcesses.all()
  await endHeld(own)
  const gone = own.filter(isGone)
  if (gone.length === 0) return []
  const stale = (await listLocks(program, limits)).filter((lock) => lock.stale)
  if (stale.length > 0) await answerOf(program, ['unlock'], limits)
  const left = stale.length > 0 ? await listLocks(program, limits) : []
  const removed = stale.map(({ id }) => id).filter((id) => !left.some((lock) => lock.id === id))
  if (removed.length > 0)
    program.logger?.warn({ locks: removed }, 'removed locks that our own restic had left')
  program.ownProcesses.forget(gone.filter(({ pid }) => !left.some((lock) => lock.stale && lock.pid === pid)))
  return removed
}

async function readLock(
  program: Program,
  id: string,
  own: readonly OwnProcess[],
  limits: Limits,
): Promise<Lock | undefined> {
  let text: string
  try {
    text = await answerOf(program, ['cat', 'lock', '--no-lock', '--no-cache', id], limits)
  } catch (error) {
    // Most locks live for seconds: one that went away since it was listed is none. Anything else tells itself.
    const still = await answerOf(program, ['list', 'locks', '--no-cache'], limits)
    if (errorCodeOf(error) === 'RESTIC_INTERRUPTED' || still.includes(id)) throw error
    return undefined
  }
  const { time, exclusive, hostname: host, pid } = parseOutput(lockObject, text, 'restic cat lock')
  const atMs = Number(nanosecondsOf(time) / 1_000_000n)
  const maker =
    host === hostname()
      ? own.find((entry) => entry.pid === pid && Date.parse(entry.startedAt) - CLOCK_STEP_MS <= atMs)
      : undefined
  return {
    id,
    time,
    exclusive,
    hostname: host,
    pid,
    ours: maker !== undefined,
    stale: maker ? isGone(maker) : false,
  }
}
