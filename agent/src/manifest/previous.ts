/** The set's last manifest, read alongside the new one: both are in tree order, so one pass over each is enough. */
import { compareInTree } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { ManifestEntry } from './entry.ts'
import type { OpenManifest } from './file.ts'

export interface PreviousEntries {
  /** The entry of this path, or null. Paths must be asked for in tree order. @throws BevisError MANIFEST_DAMAGED */
  at(path: BytePath): Promise<ManifestEntry | null>
  /** Reads what is left, so that all of it has been passed. @throws BevisError MANIFEST_DAMAGED */
  drain(): Promise<void>
  close(): Promise<void>
}

/** `onPassed` is given every entry that nobody asked for. */
export function readPrevious(
  manifest: OpenManifest | null,
  onPassed: (entry: ManifestEntry) => void = () => {},
): PreviousEntries {
  let batch: ManifestEntry[] = []
  let next = 0
  const advance = async (): Promise<boolean> => {
    const result = await manifest?.entries.next()
    if (!result || result.done === true) return false
    // Unresolved entries stand under lossy names, which are out of order and identify nothing.
    batch = result.value.filter(({ flags }) => !flags.includes('unresolved'))
    next = 0
    return true
  }
  const onPassedAt = (place: number): void => {
    const entry = batch[place]
    if (entry !== undefined) onPassed(entry)
  }
  return {
    async at(path) {
      for (;;) {
        const entry = batch[next]
        if (entry === undefined) {
          if (!(await advance())) return null
          continue
        }
        const order = compareInTree(entry.path, path)
        if (order > 0) return null
        next += 1
        if (order === 0) return entry
        onPassed(entry)
      }
    },
    async drain() {
      do for (; next < batch.length; next += 1) onPassedAt(next)
      while (await advance())
    },
    async close() {
      await manifest?.entries.return(undefined)
    },
  }
}
