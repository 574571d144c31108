/**
 * The thread's side of a streamed restore: reads a restored file and its source side by side, and empties the
 * restored one once nobody has to read it again. SHA-256 for the restored bytes, a plain comparison for the
 * source: equal bytes have an equal digest, and comparing costs a tenth of hashing.
 */
import { createHash, hash } from 'node:crypto'
import { closeSync, constants, fstatSync, ftruncateSync, lstatSync, openSync, readSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { MARK, PairTable, READING } from './pair-table.ts'
import type { Reading } from './pair-table.ts'
import { bytesOf } from './path.ts'
import type { BytePath } from './path.ts'
import { sameStat, statOf } from './stat.ts'
import type { Stat } from './stat.ts'

interface Places {
  /** The chunks are sent to each thread once. */
  readonly table: { readonly id: number; readonly chunks: SharedArrayBuffer[] | null }
  /** Restored paths stand below it as they stood below `/`. */
  readonly target: BytePath
  /** Records of the table, and their paths, NUL between them: one text crosses to a thread as fast as one path. */
  readonly indices: readonly number[]
  readonly paths: string
}

export function joinPaths(paths: readonly BytePath[]): string {
  return paths.join('\0')
}

export function pathsOf({ paths }: { readonly paths: string }): BytePath[] {
  return paths.split('\0') as BytePath[]
}

/** Files to read while restic still runs. */
export interface PairBatch extends Places {
  readonly kind: 'pair'
  /** One identical file is to be left whole for the negative control: any at all, or one of a handy size; or all are. */
  readonly keep: 'all' | 'any' | 'handy' | 'none'
  /** No room for files that differ: their digest is kept, they are not. */
  readonly isTight: boolean
}

export interface PairAnswer {
  /** Of the batch's files, as they lie in the scratch. */
  readonly freedBytes: number
  readonly kept: 'any' | 'handy' | 'none'
}

/** Files to look at once restic has ended: are their mode, owner and time the expected ones? */
export interface LookBatch extends Places {
  readonly kind: 'look'
}

/** A copy should cost nothing. */
export const HANDY_BYTES = 4 * 1024 * 1024

const BUFFER_BYTES = 1024 * 1024
const one = Buffer.allocUnsafeSlow(BUFFER_BYTES)
const other = Buffer.allocUnsafeSlow(BUFFER_BYTES)

/** As for hashing: the name itself, and nothing that waits. */
const FLAGS = constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What a file takes of a file system whose pages are 4 KiB. */
export function roomOf(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 4096) * 4096
}

let last: { id: number; table: PairTable } | null = null

function tableOf({ id, chunks }: Places['table']): PairTable {
  if (chunks) last = { id, table: new PairTable(chunks) }
  if (last?.id !== id) throw new RangeError(`table ${id} was not sent to this thread`)
  return last.table
}

export function pairBatch(batch: PairBatch): PairAnswer {
  const { target, indices, keep, isTight } = batch
  const table = tableOf(batch.table)
  const paths = pathsOf(batch)
  let freedBytes = 0
  let kept: PairAnswer['kept'] = 'none'
  for (const [at, index] of indices.entries()) {
    const path = paths[at]
    if (path === undefined) continue
    const size = table.sizeOf(index)
    const isHandy = size <= HANDY_BYTES
    const isSpecimen =
      keep === 'all' || (kept === 'none' && (keep === 'any' || (keep === 'handy' && isHandy)))
    try {
      const emptied = pairFile(table, index, { target, path, isSpecimen, isTight })
      if (emptied) freedBytes += roomOf(size)
    } catch {
      // Whatever it was, the file is looked at again after the restore, and there it has a name.
    }
    const isWhole = isIdentical(table, index, table.readingOf(index)) && !table.has(index, MARK.emptied)
    if (isSpecimen && isWhole) kept = isHandy ? 'handy' : 'any'
  }
  return { freedBytes, kept }
}

interface PairFile {
  readonly target: BytePath
  readonly path: BytePath
  readonly isSpecimen: boolean
  readonly isTight: boolean
}

/** Whether the file was emptied. */
function pairFile(table: PairTable, index: number, { target, path, isSpecimen, isTight }: PairFile): boolean {
  const expected = table.statOf(index)
  const { file, isWritable } = openRestored(bytesOf(`${target}${path}` as BytePath))
  try {
    const read = readBeside(file, path, expected)
    const after = fstatSync(file)
    // A file that is longer must not pass for its beginning.
    if (!read || after.size !== expected.size) return false
    const reading = judge(table, index, read)
    if (reading !== READING.clean) table.setDigest(index, read.digest)
    if (reading === READING.clean && !table.has(index, MARK.witness)) table.setDigest(index, read.digest)
    const isLeft = isSpecimen && isIdentical(table, index, reading)
    const isFull = isTight && reading === READING.differs
    table.setReading(index, isFull ? READING.known : reading)
    if (!isWritable || isLeft || table.has(index, MARK.linked)) return false
    if (reading === READING.differs && !isFull) return false
    if (isTimely(file, after, expected)) table.mark(index, MARK.timely)
    ftruncateSync(file, 0)
    table.mark(index, MARK.emptied)
    return true
  } finally {
    closeSync(file)
  }
}

/** Most files do not have their time yet, and then a look in doubles tells it, at half the price. */
function isTimely(file: number, { mtimeMs }: Stats, { mtimeNs }: Stat): boolean {
  const isFar = Math.abs(mtimeMs - Number(mtimeNs / 1_000_000n)) > 2
  return !isFar && fstatSync(file, { bigint: true }).mtimeNs === mtimeNs
}

function isIdentical(table: PairTable, index: number, reading: Reading): boolean {
  return reading === READING.clean || (reading === READING.known && table.has(index, MARK.witness))
}

/** Without root, a file that restic has made read-only already cannot be emptied. */
function openRestored(path: Buffer): { file: number; isWritable: boolean } {
  try {
    return { file: openSync(path, FLAGS | constants.O_RDWR), isWritable: true }
  } catch {
    return { file: openSync(path, FLAGS | constants.O_RDONLY), isWritable: false }
  }
}

interface Read {
  readonly digest: Buffer
  /** `same`: stat and bytes; `other`: the snapshot's stat over other bytes; `moved`: not the snapshot's stat. */
  readonly source: 'same' | 'other' | 'moved'
}

function judge(table: PairTable, index: number, { digest, source }: Read): Reading {
  const isWitnessed = table.has(index, MARK.witness)
  if (isWitnessed && !digest.equals(table.digestOf(index))) return READING.differs
  if (source === 'same') return READING.clean
  return !isWitnessed && source === 'other' ? READING.differs : READING.known
}

/** Null when the restored file does not hold the expected number of bytes; whether it holds more is not asked. */
function readBeside(file: number, path: BytePath, expected: Stat): Read | null {
  const source = openSource(path, expected)
  try {
    const read =
      expected.size <= BUFFER_BYTES
        ? readSmall(file, source, expected.size)
        : readLarge(file, source, expected.size)
    if (!read) return null
    if (source === null) return { digest: read.digest, source: 'moved' }
    // Bytes that are the restored ones need no second look at what they were read from.
    if (read.isEqual) return { digest: read.digest, source: 'same' }
    const isStill = sameStat(statOf(fstatSync(source, { bigint: true })), expected)
    return { digest: read.digest, source: isStill ? 'other' : 'moved' }
  } finally {
    if (source !== null) closeSync(source)
  }
}

/** Null unless its stat is the snapshot's: else its bytes prove nothing here. */
function openSource(path: BytePath, expected: Stat): number | null {
  let file: number
  try {
    file = openSync(bytesOf(path), FLAGS | constants.O_RDONLY)
  } catch {
    return null
  }
  if (sameStat(statOf(fstatSync(file, { bigint: true })), expected)) return file
  closeSync(file)
  return null
}

interface Bytes {
  readonly digest: Buffer
  readonly isEqual: boolean
}

function readSmall(file: number, source: number | null, size: number): Bytes | null {
  if (fill(file, one, size) !== size) return null
  const bytes = one.subarray(0, size)
  const isEqual =
    source !== null && fill(source, other, size) === size && other.subarray(0, size).equals(bytes)
  return { digest: hash('sha256', bytes, 'buffer'), isEqual }
}

function readLarge(file: number, source: number | null, size: number): Bytes | null {
  const whole = createHash('sha256')
  let isEqual = source !== null
  for (let at = 0; at < size;) {
    const read = fill(file, one, Math.min(BUFFER_BYTES, size - at))
    if (read === 0) return null
    at += read
    const bytes = one.subarray(0, read)
    whole.update(bytes)
    if (isEqual && source !== null)
      isEqual = fill(source, other, read) === read && other.subarray(0, read).equals(bytes)
  }
  return { digest: whole.digest(), isEqual }
}

/** Reads until so many bytes are there, or the file ends. */
function fill(file: number, buffer: Buffer, bytes: number): number {
  let total = 0
  while (total < bytes) {
    const read = readSync(file, buffer, total, bytes - total, null)
    if (read === 0) break
    total += read
  }
  return total
}

export function lookBatch(batch: LookBatch): void {
  const { target, indices } = batch
  const table = tableOf(batch.table)
  const paths = pathsOf(batch)
  for (const [at, index] of indices.entries()) {
    const path = paths[at]
    if (path === undefined) continue
    const expected = table.statOf(index)
    try {
      const found = statOf(lstatSync(bytesOf(`${target}${path}` as BytePath), { bigint: true }))
      const isTimely = found.mtimeNs === expected.mtimeNs || table.has(index, MARK.timely)
      const isSame = (['kind', 'mode', 'uid', 'gid'] as const).every((name) => found[name] === expected[name])
      if (isTimely && isSame) table.mark(index, MARK.asExpected)
    } catch {
      // Not marked: the comparison looks for itself.
    }
  }
}
