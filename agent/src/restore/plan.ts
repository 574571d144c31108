/**
 * How a drawn part of a snapshot comes back: streamed through memory, streamed over a disk, or whole onto a disk.
 * Memory is some three times as fast for small files. It is taken sparingly: 64 MB, more only for large files.
 */
import { isUtf8 } from 'node:buffer'
import { statfs } from 'node:fs/promises'
import { bytesOf } from '../tree/path.ts'
import type { AwaitedFiles } from './awaited.ts'
import type { Drawn } from './draw.ts'
import type { Expected } from './expected.ts'

const MB = 1024 * 1024
const LEAST_BYTES = 64 * MB
const MOST_MEMORY_BYTES = 2048 * MB
const MOST_DISK_BYTES = 8192 * MB

/** Several files are under way at a time, and none is emptied before it is whole. */
const LARGEST_PART = 8
/** restic writes to some six files at a time over a network; with room for no more, it and the threads would take turns. */
const LARGEST_WANTED = 12

/** To start restic for one file takes as long as to restore so much. */
const DUMP_COSTS_BYTES = 64 * MB

export interface StreamPlan {
  /** What the restored files may take at a time. */
  readonly limitBytes: number
  /** Too large for that: they come one by one through `dump`, straight into the hasher. */
  readonly dumped: readonly Expected[]
}

/** How much of the memory-backed file system at `folder` a test may take, or null where there is none. */
export async function memoryRoom(folder: string, nodes: number): Promise<number | null> {
  try {
    const { type, bavail, bsize, ffree } = await statfs(folder)
    if (type !== TMPFS || ffree < nodes + 1_000) return null
    const bytes = Math.min((bavail * bsize) / 2, process.availableMemory() / 8, MOST_MEMORY_BYTES)
    return bytes >= LEAST_BYTES ? bytes : null
  } catch {
    return null
  }
}

/** As above for the folder that is configured or the default: what is free there is for us. */
export async function folderRoom(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return Math.min((bavail * bsize) / 2, MOST_DISK_BYTES)
}

/** statfs(2). */
const TMPFS = 0x01021994

/** Null where these files do not fit so much room, or would take longer than by another way. */
export function planStream(files: AwaitedFiles, drawn: Drawn, roomBytes: number): StreamPlan | null {
  if (files.isOverfull || files.count === 0) return null
  const least = Math.max(LEAST_BYTES, files.largestBytes * LARGEST_PART, files.linkedBytes * 4)
  const wanted = Math.max(least, files.largestBytes * LARGEST_WANTED)
  if (least <= roomBytes) return { limitBytes: Math.min(wanted, roomBytes), dumped: [] }
  if (files.linkedBytes * 4 > roomBytes || files.hasMoreLarge) return null
  const dumped = files.large.filter(({ size }) => size > roomBytes / LARGEST_PART)
  // The negative control needs a restored file.
  if (dumped.length === files.count) {
    const smallest = dumped.reduce((one, other) => (other.size < one.size ? other : one))
    if (smallest.size > roomBytes / 2) return null
    dumped.splice(dumped.indexOf(smallest), 1)
  }
  const bytes = dumped.reduce((sum, { size }) => sum + size, 0)
  if (dumped.length * DUMP_COSTS_BYTES > bytes || !dumped.every(isDumpable(drawn))) return null
  return { limitBytes: roomBytes, dumped }
}

/** restic takes includes or excludes, and a program's argument is text. */
function isDumpable({ includes }: Drawn): (item: Expected) => boolean {
  const named = includes && new Set(includes)
  return ({ path }) => isUtf8(bytesOf(path)) && !path.includes('\n') && (named === null || named.has(path))
}
