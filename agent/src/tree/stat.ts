/**
 * What the file system says about one name, as far as a comparison needs it. Times are nanoseconds since the
 * epoch as BigInt: a double loses the last digits, and with them a write that came right after a read.
 */
import type { BigIntStats } from 'node:fs'

export const KINDS = ['file', 'dir', 'symlink', 'fifo', 'socket', 'chardev', 'dev', 'irregular'] as const
export type Kind = (typeof KINDS)[number]

export interface Stat {
  readonly kind: Kind
  /** Bytes; 0 for everything but regular files (restic lists no size for the others either). */
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Null where the source of the stat has none: restic lists inodes since 0.16.1. */
  readonly inode: number | null
  /** Permission bits with setuid, setgid and sticky, as in chmod(2). */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

export function kindOf(stats: Pick<BigIntStats, 'mode'>): Kind {
  switch (Number(stats.mode) & 0o170000) {
    case 0o100000:
      return 'file'
    case 0o040000:
      return 'dir'
    case 0o120000:
      return 'symlink'
    case 0o010000:
      return 'fifo'
    case 0o140000:
      return 'socket'
    case 0o020000:
      return 'chardev'
    case 0o060000:
      return 'dev'
    default:
      return 'irregular'
  }
}

export function statOf(stats: BigIntStats): Stat {
  const kind = kindOf(stats)
  return {
    kind,
    size: kind === 'file' ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    // Inodes above 2^53 lose digits here exactly as they do in restic's JSON, so both sides stay comparable.
    inode: Number(stats.ino),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
  }
}

/** True when nothing has moved that a write moves. Mode and owner need no look: ctime moves with them. */
export function sameStat(one: Stat, other: Stat): boolean {
  return (
    one.kind === other.kind &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs &&
    (one.inode === null || other.inode === null || one.inode === other.inode)
  )
}
