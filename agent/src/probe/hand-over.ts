/**
 * From what restic restored to what a probe may have: its user may read and write all of it, and nothing in it
 * runs or opens something else by itself. Programs lose their setuid bit; devices, pipes and sockets go.
 */
import { chmodSync, lchownSync, lstatSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { bytesOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath, walkTree } from '../tree/walk.ts'
import type { Account } from './confine.ts'

/** Nobody but root and the probe's user gets into it, and nobody at all before everything is handed over. */
export interface Place {
  readonly folder: string
  /** What restic made in it. */
  readonly target: BytePath
}

/** Gives the files away, and makes a folder for the probe to work in. */
export function handOver({ folder, target }: Place, account: Account | null): string {
  const work = join(folder, 'work')
  mkdirSync(work, { mode: 0o700 })
  const give = (path: Buffer | string): void => {
    if (account) lchownSync(path, account.uid, account.gid)
  }
  for (const { path, stat } of walkTree(target, unlock)) {
    const bytes = bytesOf(path)
    if (!KEPT.has(stat.kind)) {
      rmSync(bytes)
      continue
    }
    if (stat.kind !== 'symlink') chmodSync(bytes, (stat.mode & 0o777) | 0o600)
    give(bytes)
  }
  for (const own of [bytesOf(target), work]) give(own)
  if (account) chmodSync(folder, 0o711)
  return work
}

const KEPT = new Set(['file', 'dir', 'symlink'])

/** A folder that came back without the right to enter it is opened before the walk goes in. */
function unlock(path: BytePath): boolean {
  const stat = statPath(path)
  if (!('error' in stat) && stat.kind === 'dir') chmodSync(bytesOf(path), 0o700)
  return true
}

/** Where to restore to. As root, the probe's user must get there, and a state folder lets nobody through. */
export function reachableBase(base: string, account: Account | null): string {
  if (account === null) return base
  mkdirSync(base, { recursive: true, mode: 0o700 })
  return isReachable(base) ? base : makeOpenBase()
}

function isReachable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === '/') return true
  }
}

const OPEN_BASE = '/var/tmp/bevis-probes'

/** Everybody can write beside it, so that it must be ours: nobody may have put it there to catch what root does. */
function makeOpenBase(): string {
  mkdirSync(OPEN_BASE, { recursive: true, mode: 0o700 })
  const stat = lstatSync(OPEN_BASE)
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0) {
    throw new BevisError(
      'SCRATCH_REFUSED',
      `${OPEN_BASE} is not ours alone; remove it, or name a scratch that all can enter`,
    )
  }
  chmodSync(OPEN_BASE, 0o711)
  return OPEN_BASE
}
