/**
 * One folder at a time, names as bytes and in restic's order. fast-glob would walk for us, but it reads names
 * as strings: a name that is not valid UTF-8 comes back as another name, and cannot be opened or told.
 */
import { lstatSync, readdirSync } from 'node:fs'
import { bytesOf, joinPath } from './path.ts'
import type { BytePath } from './path.ts'
import { statOf } from './stat.ts'
import type { Stat } from './stat.ts'

export interface Listing {
  /** Sorted by their bytes. */
  readonly names: BytePath[]
  /** Why the folder could not be listed (`EACCES`, `ENOENT`), else null. */
  readonly error: string | null
}

/** The names in a folder. A folder that cannot be read has none, and says why. */
export function listFolder(path: BytePath): Listing {
  try {
    const names = readdirSync(bytesOf(path), { encoding: 'latin1' }) as BytePath[]
    // Strings compare by UTF-16 unit, which in a BytePath is the byte.
    return { names: names.sort(), error: null }
  } catch (error) {
    return { names: [], error: errnoOf(error) }
  }
}

/** The stat of the name itself, links not followed; or why there is none. */
export function statPath(path: BytePath): Stat | { error: string } {
  try {
    return statOf(lstatSync(bytesOf(path), { bigint: true }))
  } catch (error) {
    return { error: errnoOf(error) }
  }
}

/** Everything below a folder in tree order, folders before their content; one folder's names in memory at a time per level. */
export function* walkTree(
  folder: BytePath,
  enters: (path: BytePath) => boolean = () => true,
): Generator<{ path: BytePath; stat: Stat }> {
  for (const name of listFolder(folder).names) {
    const path = joinPath(folder, name)
    if (!enters(path)) continue
    const stat = statPath(path)
    if ('error' in stat) continue
    yield { path, stat }
    if (stat.kind === 'dir') yield* walkTree(path, enters)
  }
}

/**
 * The folder that restic's snapshot shows: the roots, and of the folders above them only the names that lead to
 * a root. Null for what is at or below a root: there the real folder counts.
 */
export function rootNames(roots: readonly BytePath[], folder: BytePath): BytePath[] | null {
  if (roots.some((root) => root === folder || folder.startsWith(root === '/' ? '/' : `${root}/`))) return null
  const prefix = folder === '/' ? '/' : `${folder}/`
  const names = roots
    .filter((root) => root.startsWith(prefix))
    .map((root) => root.slice(prefix.length).split('/', 1)[0] as BytePath)
  return [...new Set(names)].sort()
}

export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EUNKNOWN'
}
