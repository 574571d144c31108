/** Where a restore goes to: restic's run into it, and what its file system holds. */
import { statfsSync } from 'node:fs'
import type { Restic, RestoreRun } from '../restic/restic.ts'
import { bytesOf, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { BringRequest } from './bring.ts'

/** No progress for so long is an end, not a wait. */
export const STALL_MS = 10 * 60_000

export function restoreInto(
  {
    restic,
    snapshotId,
    scratch,
    remainingMs,
    signal,
    onFile,
  }: Pick<BringRequest, 'restic' | 'snapshotId' | 'scratch' | 'remainingMs' | 'signal' | 'onFile'>,
  target: BytePath,
  more: Partial<Parameters<Restic['restore']>[0]>,
): Promise<RestoreRun> {
  const deadlineMs = remainingMs()
  return restic.restore({
    snapshotId,
    target: bytesOf(target).toString('utf8'),
    cacheDir: scratch.cacheDir,
    stallMs: STALL_MS,
    ...(deadlineMs < Infinity && { deadlineMs: Math.max(1, deadlineMs) }),
    ...(signal && { signal }),
    ...(onFile && { onEvent: onFile }),
    ...more,
  })
}

/** Of the file system that the target is to be made on. */
export function usedBytesAt(target: BytePath): () => number {
  const folder = bytesOf(parentOf(target))
  let usedBytes = 0
  return () => {
    try {
      const { blocks, bfree, bsize } = statfsSync(folder)
      usedBytes = (blocks - bfree) * bsize
    } catch {
      // A timer asks: if somebody took the folder away, restic and the comparison will say so.
    }
    return usedBytes
  }
}
