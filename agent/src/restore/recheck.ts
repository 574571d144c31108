/**
 * To empty a file moves its modification time. restic sets times after all contents, so most files are emptied
 * before; one that was emptied in the very moment looks as if its time had been lost. Those few are restored once
 * more, by themselves and untouched, before anything is said of their times.
 */
import { bytesOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath } from '../tree/walk.ts'
import type { BringRequest } from './bring.ts'
import type { Judged } from './judge.ts'
import { ANOTHER_TIME } from './metadata.ts'

/** More than that is no coincidence, and is told as it was seen. */
const MOST_FILES = 200
const MOST_BYTES = 64 * 1024 * 1024

export function openRecheck(): {
  offer(judged: Judged, difference: string | null): void
  readonly suspects: Judged[]
} {
  const suspects: Judged[] = []
  return {
    suspects,
    offer(judged, difference) {
      if (difference !== ANOTHER_TIME || judged.left !== 'emptied') return
      if (suspects.length <= MOST_FILES) suspects.push(judged)
    },
  }
}

/** Those of the suspects that have the right time after all. */
export async function recheckTimes(
  suspects: readonly Judged[],
  {
    restic,
    snapshotId,
    scratch,
    remainingMs,
    signal,
  }: Pick<BringRequest, 'restic' | 'snapshotId' | 'scratch' | 'remainingMs' | 'signal'>,
): Promise<Judged[]> {
  const bytes = suspects.reduce((sum, { item }) => sum + item.size, 0)
  if (suspects.length === 0 || suspects.length > MOST_FILES || bytes > MOST_BYTES) return []
  const target = `${scratch.target}-again`
  const deadlineMs = Math.max(1, Math.min(remainingMs(), 10 * 60_000))
  await restic.restore({
    snapshotId,
    target: bytesOf(target as BytePath).toString('utf8'),
    cacheDir: `${scratch.cacheDir}-again`,
    includes: suspects.map(({ path }) => bytesOf(path)),
    deadlineMs,
    ...(signal && { signal }),
  })
  // However that ended, a time that is right did not get so by itself.
  return suspects.filter(({ item, path }) => {
    const found = statPath(`${target}${path}` as BytePath)
    return !('error' in found) && found.size === item.size && found.mtimeNs === item.mtimeNs
  })
}
