/** What a manifest adds up to, and the first names of each thing that a person should hear of. */
import { pathText } from '../tree/path.ts'
import type { ManifestEntry } from './entry.ts'

export interface Named {
  readonly count: number
  /** The first 100, as path text. */
  readonly paths: readonly string[]
}

export interface ManifestTally {
  /** Regular files and symbolic links in the snapshot, and the bytes of the files. */
  readonly files: number
  readonly bytes: number
  /** With a witness, taken now or carried over. */
  readonly witnessed: number
  readonly carried: number
  readonly racy: number
  /** Changed or gone during the backup: what the snapshot holds of them may never have existed. */
  readonly torn: Named
  readonly gaps: Named
  /** Renamed during the backup, by their new names: the snapshot has them under the old ones. */
  readonly renamed: Named
  readonly rot: Named
  /** Not in the snapshot, or not readable for us. */
  readonly unreadable: Named
  /** Names that the listing shows lossily and that no real entry certainly has. */
  readonly unresolved: Named
}

const NAMES = 100

export function openTally(): { add(entry: ManifestEntry): void; readonly result: ManifestTally } {
  const named = () => ({ count: 0, paths: [] as string[] })
  const result = {
    files: 0,
    bytes: 0,
    witnessed: 0,
    carried: 0,
    racy: 0,
    torn: named(),
    gaps: named(),
    renamed: named(),
    rot: named(),
    unreadable: named(),
    unresolved: named(),
  }
  const name = (list: { count: number; paths: string[] }, entry: ManifestEntry): void => {
    list.count += 1
    if (list.paths.length < NAMES) list.paths.push(pathText(entry.path))
  }
  return {
    result,
    add(entry) {
      const has = (flag: ManifestEntry['flags'][number]): boolean => entry.flags.includes(flag)
      if (has('gap')) name(result.gaps, entry)
      if (has('unreadable')) name(result.unreadable, entry)
      if (has('unresolved')) name(result.unresolved, entry)
      if (has('rot')) name(result.rot, entry)
      if (has('void')) name(result.torn, entry)
      if (isContent(entry)) {
        result.files += 1
        result.bytes += entry.size
        if (entry.sha256 !== null) result.witnessed += 1
        if (has('carried')) result.carried += 1
        if (has('racy')) result.racy += 1
      }
    },
  }
}

/** In the snapshot, and with bytes to compare. */
function isContent({ kind, flags }: ManifestEntry): boolean {
  return (kind === 'file' || kind === 'symlink') && !flags.includes('unlisted')
}
