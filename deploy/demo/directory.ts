import { accessSync, constants, opendirSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'

/**
 * The directory that a user named, as it really is called. Asked before anything of the last demo is touched.
 * @param from what a relative path is meant from
 * @param own the demo's own folder, which is emptied at its start
 * @throws Error with one line that says what is wrong
 */
export function directoryOf(path: string, from: string, own: string): string {
  const full = resolve(from, path)
  let found: string
  try {
    found = realpathSync(full)
    if (!statSync(found).isDirectory()) throw new Error(`${full} is no directory`)
    accessSync(found, constants.R_OK | constants.X_OK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') throw new Error(`${full} is not there`, { cause: error })
    if (code === 'EACCES') throw new Error(`${full} may not be read by this user`, { cause: error })
    throw error
  }
  if (isIn(found, own)) throw new Error(`${full} lies in the demo's own folder, which it empties first`)
  if (!holdsContent(found, own))
    throw new Error(
      `${full} holds no file with content that can be read: there is nothing to back up and damage`,
    )
  return found
}

function isIn(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith('..') && !isAbsolute(way))
}

/** Looks until the first file that will do. */
function holdsContent(folder: string, own: string): boolean {
  if (isIn(folder, own)) return false
  try {
    using entries = opendirSync(folder)
    const inner: string[] = []
    for (let entry = entries.readSync(); entry !== null; entry = entries.readSync()) {
      const path = join(folder, entry.name)
      if (entry.isFile() && isReadable(path)) return true
      if (entry.isDirectory()) inner.push(path)
    }
    return inner.some((path) => holdsContent(path, own))
  } catch {
    return false // one that may not be read is left out of the backup too
  }
}

function isReadable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK)
    return statSync(file).size > 0
  } catch {
    return false
  }
}
