/** What a set's paths lead to. restic keeps a path that is a symbolic link as a link, and nothing of what it leads to. */
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { bytePathOf, isWithin } from '../tree/path.ts'
import { statPath } from '../tree/walk.ts'

/** Of the paths those of which restic would have no content: not there, or a {@link isBareLink bare link}. */
export function missingRoots(paths: readonly string[]): string[] {
  return paths.filter((path) => 'error' in statPath(bytePathOf(path)) || isBareLink(path, paths))
}

/** A symbolic link to what no path of the set holds. */
export function isBareLink(path: string, paths: readonly string[]): boolean {
  if (!isLink(path)) return false
  const target = realPath(path)
  const roots = paths.filter((one) => !isLink(one)).flatMap((one) => realPath(one) ?? [])
  return target === null || !roots.some((root) => isWithin(target, root))
}

export function describeRoot(path: string, paths: readonly string[]): string {
  if (!isBareLink(path, paths)) return path
  return `${path} (a symbolic link, of which restic keeps the link alone: back up ${realPath(path) ?? 'what it leads to'})`
}

/** A slash at the end would have the link followed; restic cuts it off. */
function isLink(path: string): boolean {
  const stat = statPath(bytePathOf(resolve(path)))
  return !('error' in stat) && stat.kind === 'symlink'
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}
