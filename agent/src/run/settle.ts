/**
 * A program that writes through a memory map (SQLite's -shm is written so) moves a file's times only where it first touches
 * a page since that was written out: for half a minute its bytes change under a stat that stands still, which makes restic
 * and its witness read different bytes, and keeps restic from seeing the change ever after. So what is dirty is written
 * out first: from then on the next write to each page moves the file's times.
 */
import { readFileSync, realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../config.ts'
import { runCommand } from '../local-command.ts'
import { isWithin } from '../tree/path.ts'
import type { RunLogger } from './repository.ts'

/** A disk that has more to write than that keeps no backup waiting. */
const MOST_MS = 60_000

/** So long a writing leaves more to be written than the backup's own margin covers. */
const LONG_MS = 1_000

/** Never throws: without it there is a backup all the same. */
export async function settleSources(
  paths: readonly string[],
  { logger, signal }: { readonly logger: RunLogger; readonly signal?: AbortSignal },
): Promise<void> {
  const folders = disksOf(paths)
  if (folders.length === 0) return
  const beganMs = performance.now()
  for (;;) {
    const turnMs = performance.now()
    const timeoutMs = MOST_MS - (turnMs - beganMs)
    const argv: [string, ...string[]] = ['sync', '-f', '--', ...folders]
    const { ended, how, output } = await Promise.race([
      runCommand({ argv, env: { ...environment.forRestic }, timeoutMs, ...(signal && { signal }) }),
      // A program that waits for a disk cannot be ended.
      sleep(timeoutMs + 1_000, { ended: 'timeout', how: 'did not end', output: '' }, { ref: false }),
    ])
    if (ended !== 'well') return logger.info({ output }, `sync -f of what is backed up ${how}`)
    // What became dirty meanwhile was perhaps passed over.
    if (performance.now() - turnMs < LONG_MS) return
  }
}

/** A folder on each local disk that holds some of it. Network mounts may never answer, and have no pages of ours. */
function disksOf(paths: readonly string[]): string[] {
  const roots = paths.flatMap((path) => realPath(path) ?? [])
  const mounts = mountsOf(tableOfMounts())
  const folders = new Map<string, string>()
  for (const root of roots) {
    const above = mounts.filter(({ folder }) => isWithin(root, folder))
    const own = above.toSorted((one, other) => one.folder.length - other.folder.length).at(-1)
    const inside = mounts.filter(({ folder }) => folder !== root && isWithin(folder, root))
    for (const { disk, folder } of [...(own ? [{ ...own, folder: root }] : []), ...inside])
      if (disk.startsWith('/dev/') && !folders.has(disk)) folders.set(disk, folder)
  }
  return [...folders.values()]
}

interface Mount {
  readonly folder: string
  /** What is mounted. */
  readonly disk: string
}

/** proc_pid_mountinfo(5): id, parent, device, root, folder, options, optional fields, `-`, type, source. */
export function mountsOf(table: string): Mount[] {
  return table.split('\n').flatMap((line) => {
    const [place = '', what = ''] = line.split(' - ')
    const [folder, disk] = [place.split(' ')[4], what.split(' ')[1]]
    return folder === undefined || disk === undefined ? [] : [{ folder: plain(folder), disk: plain(disk) }]
  })
}

/** Blanks and the like stand as three octal digits, by bytes. */
function plain(text: string): string {
  const bytes = text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(parseInt(octal, 8)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

function tableOfMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'latin1')
  } catch {
    return ''
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
