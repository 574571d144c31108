/**
 * The regular files that a streamed restore is to bring, by path, in memory for a million of them. Events of
 * restic only say where to look: a file counts by what was read there, and what no event named is looked at
 * after the restore, so a path that is found wrongly or not at all changes no verdict.
 */
import { randomInt } from 'node:crypto'
import { roomOf } from '../tree/pair.ts'
import { MARK, PairTable, READING } from '../tree/pair-table.ts'
import type { Reading } from '../tree/pair-table.ts'
import type { BytePath } from '../tree/path.ts'
import type { Expected } from './expected.ts'

/** Beyond it the table alone would take more memory than the agent should. */
const MAX_FILES = 1_500_000

/** Files above it may be too large for a scratch; so many of them are known by name. */
const LARGE_BYTES = 8 * 1024 * 1024
const MAX_LARGE = 10_000

export class AwaitedFiles {
  readonly table = new PairTable()
  /** Those above 8 MiB, the first 10,000. */
  readonly large: Expected[] = []
  count = 0
  largestBytes = 0
  /** What all of them take of a file system. */
  roomBytes = 0
  /** The room of files with several names: they are never emptied. Known once {@link close} was called. */
  linkedBytes = 0
  isOverfull = false
  hasMoreLarge = false
  readonly #seed = [randomInt(2 ** 32), randomInt(2 ** 32)] as const
  #slots = new Int32Array(1024).fill(-1)

  /** Takes regular files with bytes whose real names are known; all others are looked at after the restore. */
  add(item: Expected): void {
    if (item.kind !== 'file' || item.size === 0 || !item.isListed || !item.isResolved) return
    if (this.count >= MAX_FILES) {
      this.isOverfull = true
      return
    }
    const key = this.#keyOf(item.path)
    const slot = this.#slotOf(key)
    const before = this.#slots[slot] ?? -1
    if (before >= 0) {
      // Two paths with one key: neither is read before the restore has ended.
      this.table.mark(before, MARK.queued)
      return
    }
    const index = this.count
    this.table.put(index, item, item.witness.state === 'witness' ? item.witness.sha256 : null, key)
    this.#slots[slot] = index
    this.count += 1
    this.roomBytes += roomOf(item.size)
    this.largestBytes = Math.max(this.largestBytes, item.size)
    if (item.size > LARGE_BYTES) {
      if (this.large.length < MAX_LARGE) this.large.push(item)
      else this.hasMoreLarge = true
    }
    if (this.count * 2 > this.#slots.length) this.#grow()
  }

  /** The record of a path, or -1. */
  find(path: BytePath): number {
    return this.#slots[this.#slotOf(this.#keyOf(path))] ?? -1
  }

  readingOf(path: BytePath): Reading {
    const index = this.find(path)
    return index < 0 ? READING.none : this.table.readingOf(index)
  }

  /** All are there: marks the names of files that have several. */
  close(): void {
    const inodes = new Float64Array(this.count)
    for (let index = 0; index < this.count; index += 1) inodes[index] = this.table.inodeOf(index)
    inodes.sort()
    const shared = new Set<number>()
    for (let at = 1; at < inodes.length; at += 1) {
      const inode = inodes[at] ?? Number.NaN
      if (inode === inodes[at - 1]) shared.add(inode)
    }
    if (shared.size === 0) return
    for (let index = 0; index < this.count; index += 1) {
      if (!shared.has(this.table.inodeOf(index))) continue
      this.table.mark(index, MARK.linked)
      this.linkedBytes += roomOf(this.table.sizeOf(index))
    }
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 4).fill(-1)
    const old = this.#slots
    this.#slots = slots
    for (const index of old) if (index >= 0) slots[this.#slotOf(this.table.keyOf(index))] = index
  }

  #slotOf(key: readonly [number, number]): number {
    const mask = this.#slots.length - 1
    for (let slot = key[0] & mask; ; slot = (slot + 1) & mask) {
      const index = this.#slots[slot] ?? -1
      if (index < 0 || this.table.hasKey(index, key)) return slot
    }
  }

  /** 64 bits of FNV-1a in two halves, from a seed that nobody knows beforehand. */
  #keyOf(path: BytePath): readonly [number, number] {
    let [high, low]: readonly [number, number] = this.#seed
    for (let at = 0; at < path.length; at += 1) {
      const byte = path.charCodeAt(at)
      high = Math.imul(high ^ byte, 0x01000193)
      low = Math.imul(low ^ byte, 0x85ebca6b)
      low ^= low >>> 13
    }
    high ^= high >>> 15
    return [high >>> 0, low >>> 0]
  }
}
