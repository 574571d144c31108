/**
 * The bytes behind one name, hashed between two looks at its stat. Synchronous on purpose: for small files the
 * system calls are the cost, and one thread with one reused buffer does them several times as fast as promises
 * or streams (measured; streams take longer than a whole restore). Worker threads run it, see digest-pool.ts.
 */
import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { bytesOf } from './path.ts'
import type { BytePath } from './path.ts'
import { sameStat, statOf } from './stat.ts'
import type { Stat } from './stat.ts'
import { errnoOf } from './walk.ts'

export interface DigestJob {
  readonly path: BytePath
  /** The stat to find. Whether bytes are read when another is found says `readIf`. */
  readonly expected?: Stat
  /** `always`; `same-stat`: only when nothing moved; `same-size`: when the bytes could still be equal. */
  readonly readIf: 'always' | 'same-stat' | 'same-size'
  /** A digest that stands, unread, when the stat is the expected one. */
  readonly carried?: string
}

export type Digest =
  /** `sha256` is null for what has no bytes (a folder, a device), or where `readIf` said not to read. */
  | { state: 'read'; stat: Stat; sha256: string | null }
  /** It changed between the two looks. */
  | { state: 'moving' }
  | { state: 'deleted' }
  | { state: 'unreadable'; detail: string }

/** Bytes of a whole file that fit the reused buffer, and so the one-shot hash. */
const BUFFER_BYTES = 1024 * 1024
const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)

/** NOFOLLOW: the name itself, never what it points to. NONBLOCK: a FIFO put in a file's place must not hang us. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Never throws: whatever happens is an answer. */
export function digestPath(job: DigestJob): Digest {
  try {
    // Opening a device or a FIFO can have effects of its own, so a look comes first unless a file is expected.
    return job.expected?.kind === 'file' ? digestFile(job) : digestOther(job)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'deleted' }
    return { state: 'unreadable', detail: code }
  }
}

function digestOther(job: DigestJob): Digest {
  const bytes = bytesOf(job.path)
  const stat = statOf(lstatSync(bytes, { bigint: true }))
  if (stat.kind === 'file') return digestFile(job)
  if (stat.kind !== 'symlink' || !isWanted(job, stat)) return { state: 'read', stat, sha256: null }
  if (job.carried !== undefined) return { state: 'read', stat, sha256: job.carried }
  const sha256 = hash('sha256', readlinkSync(bytes, { encoding: 'buffer' }))
  const after = statOf(lstatSync(bytes, { bigint: true }))
  return sameStat(stat, after) ? { state: 'read', stat, sha256 } : { state: 'moving' }
}

function digestFile(job: DigestJob): Digest {
  if (job.carried !== undefined && job.expected !== undefined) {
    const stat = statOf(lstatSync(bytesOf(job.path), { bigint: true }))
    return { state: 'read', stat, sha256: sameStat(stat, job.expected) ? job.carried : null }
  }
  let file: number
  try {
    file = openSync(bytesOf(job.path), FLAGS)
  } catch (error) {
    // A link, a socket or a device without a driver stands where a file was expected.
    if (['ELOOP', 'EMLINK', 'ENXIO', 'ENODEV'].includes(errnoOf(error)) && job.expected?.kind === 'file') {
      return digestOther({ ...job, expected: { ...job.expected, kind: 'irregular' } })
    }
    throw error
  }
  try {
    const stat = statOf(fstatSync(file, { bigint: true }))
    if (stat.kind !== 'file' || !isWanted(job, stat)) return { state: 'read', stat, sha256: null }
    const sha256 = hashOpen(file, stat.size)
    const after = statOf(fstatSync(file, { bigint: true }))
    return sha256 !== null && sameStat(stat, after) ? { state: 'read', stat, sha256 } : { state: 'moving' }
  } finally {
    closeSync(file)
  }
}

function isWanted({ readIf, expected }: DigestJob, stat: Stat): boolean {
  if (readIf === 'always' || expected === undefined) return true
  return readIf === 'same-stat' ? sameStat(stat, expected) : stat.size === expected.size
}

/** The hash of exactly `size` bytes; null when there are fewer or more. */
function hashOpen(file: number, size: number): string | null {
  if (size < BUFFER_BYTES) {
    const read = fill(file)
    return read === size ? hash('sha256', buffer.subarray(0, read)) : null
  }
  const whole = createHash('sha256')
  let total = 0
  for (;;) {
    const read = readSync(file, buffer, 0, BUFFER_BYTES, null)
    if (read === 0) return total === size ? whole.digest('hex') : null
    total += read
    if (total > size) return null
    whole.update(buffer.subarray(0, read))
  }
}

/** Reads until the end of the file or of the buffer. */
function fill(file: number): number {
  let total = 0
  while (total < BUFFER_BYTES) {
    const read = readSync(file, buffer, total, BUFFER_BYTES - total, null)
    if (read === 0) break
    total += read
  }
  return total
}
