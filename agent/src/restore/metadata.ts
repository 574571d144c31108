/**
 * Beside the bytes: type, mode, owner, modification time and hard links of what was restored. Link targets are
 * content, and compared as such. Differences are reported; the set's configuration says whether they fail a test.
 */
import type { Stat } from '../tree/stat.ts'
import type { Expected } from './expected.ts'
import type { Judged } from './judge.ts'

export interface MetadataTally {
  compared: number
  different: number
}

export const ANOTHER_TIME = 'another modification time'

/** Inodes whose links are followed up; beyond it a lost hard link goes unnoticed, and memory stays flat. */
const MAX_INODES = 100_000

export interface MetadataOptions {
  /** Only root can give files back to their owners. */
  readonly comparesOwner: boolean
  /** A sample's folders above the files are made in passing; their times say nothing. */
  readonly comparesFolders: boolean
}

export function openMetadata({ comparesOwner, comparesFolders }: MetadataOptions): {
  /** The first thing that differs, or null. */
  add(judged: Judged): string | null
  readonly tally: MetadataTally
} {
  const tally = { compared: 0, different: 0 }
  const links = new Map<number, { inode: number | null; mtimeNs: bigint; sha256: string }>()
  const linkDifference = ({ item, restored }: Pick<Judged, 'item' | 'restored'>): string | null => {
    const { inode, kind, witness, mtimeNs } = item
    if (kind !== 'file' || inode === null || witness.state !== 'witness') return null
    const first = links.get(inode)
    if (!first) {
      if (links.size < MAX_INODES)
        links.set(inode, { inode: restored?.inode ?? null, mtimeNs, sha256: witness.sha256 })
      return null
    }
    // Two file systems can have one inode number; one number with one content and one time is one file.
    const isSameFile = first.mtimeNs === mtimeNs && first.sha256 === witness.sha256
    return isSameFile && first.inode !== restored?.inode ? 'a hard link came back as a copy' : null
  }
  return {
    tally,
    add(judged) {
      const { item, comparison } = judged
      if (judged.left === 'dumped') return null
      const isContentThere = comparison !== null && judged.restored !== null
      const isOther = comparison === null && comparesFolders
      if (!item.isListed || !(isContentThere || isOther)) return null
      tally.compared += 1
      const { restored } = judged
      const difference = differenceOf(item, restored, comparesOwner) ?? linkDifference({ item, restored })
      if (difference !== null) tally.different += 1
      return difference
    },
  }
}

/** The first thing that differs, or null. */
export function differenceOf(item: Expected, restored: Stat | null, comparesOwner: boolean): string | null {
  if (!restored) return `no ${item.kind} was restored`
  if (restored.kind !== item.kind) return `a ${restored.kind} instead of a ${item.kind}`
  // A link's own mode means nothing on Linux, and cannot be set.
  if (item.kind !== 'symlink' && restored.mode !== item.mode)
    return `mode ${octal(restored.mode)} instead of ${octal(item.mode)}`
  if (comparesOwner && (restored.uid !== item.uid || restored.gid !== item.gid)) return 'another owner'
  return restored.mtimeNs === item.mtimeNs ? null : ANOTHER_TIME
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
