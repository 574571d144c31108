/**
 * What a manifest has against the one before it: new, changed, gone and renamed files, counted as both go by. Memory
 * does not grow with the number of files; what is named is the first of each.
 */
import { isWithin, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { ManifestEntry } from './entry.ts'
import type { Named } from './tally.ts'

export interface Change {
  /** Files and symbolic links that the manifest before had, and the bytes of the files. */
  readonly before: { readonly files: number; readonly bytes: number }
  readonly now: { readonly files: number; readonly bytes: number }
  readonly added: number
  readonly changed: Named
  /** Not there any more, and not under another name either. */
  readonly deleted: Named
  /** The same content under another name: at least so many. */
  readonly renamed: number
  /** New or changed files, drawn by their digest, which nobody chooses. */
  readonly sample: readonly BytePath[]
  /** Of the paths that were to be watched: their digest, null where it is not certain. What is not in here is gone. */
  readonly watched: ReadonlyMap<BytePath, string | null>
  /** Roots in which the manifest before had files, and in which there is none now. */
  readonly emptied: Named
}

const NAMES = 20
const SAMPLE = 64
/** Contents that are remembered to find renamed files by; beyond it a rename counts as gone and new. */
const MOST_CONTENTS = 200_000

export interface ChangeTally {
  /** An entry of the new manifest, with that of the same path before. */
  see(entry: ManifestEntry, before: ManifestEntry | null): void
  /** An entry of the manifest before that the new one has not. */
  miss(before: ManifestEntry): void
  /** An entry of the manifest before of something that is there, but not in the snapshot. */
  keep(before: ManifestEntry): void
  readonly result: Change
}

/** `isFirst`: there is no manifest before, so nothing can be found under another name. */
export function openChange(
  watch: readonly BytePath[],
  isFirst: boolean,
  roots: readonly BytePath[] = [],
): ChangeTally {
  const before = { files: 0, bytes: 0 }
  const now = { files: 0, bytes: 0 }
  const changed = { count: 0, paths: [] as string[] }
  const gone = { count: 0, paths: [] as string[] }
  let added = 0
  const sample: { digest: string; path: BytePath }[] = []
  const watching = new Set(watch)
  const watched = new Map<BytePath, string | null>()
  /** Roots without a file so far; with how many that are gone. Soon there are none, so that to ask costs nothing. */
  const empty = new Map(roots.map((root) => [root, 0]))
  const fill = ({ path }: ManifestEntry): void => {
    for (const root of empty.keys()) if (isWithin(path, root)) empty.delete(root)
  }
  /** By content: how many more went than came. */
  const went = new Map<string, number>()
  const came = new Map<string, number>()

  const count = (contents: Map<string, number>, { sha256, size }: ManifestEntry): void => {
    // All empty files are alike.
    if (isFirst || sha256 === null || size === 0) return
    const key = sha256.slice(0, 16)
    const known = contents.get(key)
    if (known !== undefined || contents.size < MOST_CONTENTS) contents.set(key, (known ?? 0) + 1)
  }
  const name = (list: { count: number; paths: string[] }, { path }: ManifestEntry): void => {
    list.count += 1
    if (list.paths.length < NAMES) list.paths.push(pathText(path))
  }
  const draw = ({ sha256, path, kind }: ManifestEntry): void => {
    if (sha256 === null || kind !== 'file') return
    const last = sample.at(-1)
    if (sample.length >= SAMPLE && last !== undefined && sha256 >= last.digest) return
    const place = sample.findLastIndex(({ digest }) => digest <= sha256) + 1
    sample.splice(place, 0, { digest: sha256, path })
    sample.length = Math.min(sample.length, SAMPLE)
  }
  const addBefore = (entry: ManifestEntry): boolean => {
    if (!isContent(entry)) return false
    before.files += 1
    before.bytes += entry.size
    return true
  }

  return {
    see(entry, previous) {
      const wasThere = previous !== null && addBefore(previous)
      if (!isContent(entry)) return
      fill(entry)
      now.files += 1
      now.bytes += entry.size
      if (watching.has(entry.path)) watched.set(entry.path, entry.sha256)
      if (!wasThere) {
        added += 1
        count(came, entry)
        draw(entry)
      } else if (hasChanged(entry, previous)) {
        name(changed, entry)
        draw(entry)
      }
    },
    miss(previous) {
      if (!addBefore(previous)) return
      name(gone, previous)
      count(went, previous)
      for (const [root, files] of empty) if (isWithin(previous.path, root)) empty.set(root, files + 1)
    },
    keep(previous) {
      if (addBefore(previous)) fill(previous)
    },
    get result(): Change {
      const emptied = [...empty].flatMap(([root, files]) => (files > 0 ? [pathText(root)] : []))
      const renamed = [...went].reduce((sum, [key, n]) => sum + Math.min(n, came.get(key) ?? 0), 0)
      return {
        before,
        now,
        added: added - renamed,
        changed,
        deleted: { count: gone.count - renamed, paths: gone.paths },
        renamed,
        sample: sample.map(({ path }) => path),
        watched,
        emptied: { count: emptied.length, paths: emptied.slice(0, NAMES) },
      }
    },
  }
}

/** In the snapshot, and with bytes. */
function isContent({ kind, flags }: ManifestEntry): boolean {
  return (kind === 'file' || kind === 'symlink') && !flags.includes('unlisted')
}

/** A file whose time alone was put forward has not changed. */
function hasChanged(entry: ManifestEntry, before: ManifestEntry): boolean {
  if (entry.sha256 !== null && before.sha256 !== null) return entry.sha256 !== before.sha256
  return entry.size !== before.size || entry.mtimeNs !== before.mtimeNs
}
