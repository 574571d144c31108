/**
 * For each file of a set, in which turn it was last restored, and in which version: 16 bytes a file, so that a
 * million of them take some 30 MB for the time of a test, and 16 MB on disk. Files are known by 64 bits of a salted
 * digest of their path: that two of a million share it has a chance of one in thirty million.
 */
import { hash } from 'node:crypto'
import type { BytePath } from '../tree/path.ts'
import type { Stat } from '../tree/stat.ts'

const WORDS = 4
const LEAST_SLOTS = 1_024

export interface Entry {
  /** 0: never. */
  readonly turn: number
  /** The one that was restored. */
  readonly version: number
  /** It is another by now. */
  readonly isChanged: boolean
}

/** Beside the turn, which is below it. */
const CHANGED = 2 ** 31

/** Open addressing over one array: key (two words, never both 0), turn, version. */
export class CoverageTable {
  readonly #salt: string
  #words: Uint32Array
  #slots: number
  #size = 0

  constructor(salt: string, files = 0) {
    this.#salt = salt
    this.#slots = LEAST_SLOTS
    while (this.#slots < files * 2) this.#slots *= 2
    this.#words = new Uint32Array(this.#slots * WORDS)
  }

  get size(): number {
    return this.#size
  }

  /** The file's key: ask once, use it for all that follows. */
  keyOf(path: BytePath): readonly [number, number] {
    // As text of one character per byte: a buffer for each takes twice as long.
    const digest = hash('sha256', `${this.#salt}${path}`, 'latin1')
    return [wordAt(digest, 0) || 1, wordAt(digest, 4)]
  }

  get(key: readonly [number, number]): Entry | null {
    const at = this.#find(key[0], key[1])
    return this.#words[at] === 0 ? null : this.#entry(at)
  }

  put(key: readonly [number, number], { turn, version, isChanged }: Entry): void {
    this.#set(key[0], key[1], isChanged ? turn + CHANGED : turn, version)
  }

  *entries(): Generator<Entry> {
    for (let at = 0; at < this.#words.length; at += WORDS) if (this.#words[at] !== 0) yield this.#entry(at)
  }

  /** 16 bytes an entry, little-endian. */
  toBytes(): Buffer {
    const bytes = Buffer.alloc(this.#size * WORDS * 4)
    let to = 0
    for (let at = 0; at < this.#words.length; at += WORDS) {
      if (this.#words[at] === 0) continue
      for (let word = 0; word < WORDS; word += 1) to = bytes.writeUInt32LE(this.#words[at + word] ?? 0, to)
    }
    return bytes
  }

  static fromBytes(salt: string, bytes: Buffer): CoverageTable {
    const table = new CoverageTable(salt, bytes.length / (WORDS * 4))
    for (let at = 0; at + WORDS * 4 <= bytes.length; at += WORDS * 4) {
      const first = bytes.readUInt32LE(at)
      const [second, turn] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)]
      if (first !== 0) table.#set(first, second, turn, bytes.readUInt32LE(at + 12))
    }
    return table
  }

  #set(first: number, second: number, turn: number, version: number): void {
    if ((this.#size + 1) * 2 > this.#slots) this.#grow()
    const at = this.#find(first, second)
    if (this.#words[at] === 0) this.#size += 1
    this.#words[at] = first
    this.#words[at + 1] = second
    this.#words[at + 2] = turn
    this.#words[at + 3] = version
  }

  #entry(at: number): Entry {
    const turn = this.#words[at + 2] ?? 0
    return { turn: turn % CHANGED, version: this.#words[at + 3] ?? 0, isChanged: turn >= CHANGED }
  }

  #find(first: number, second: number): number {
    for (let slot = second & (this.#slots - 1); ; slot = (slot + 1) & (this.#slots - 1)) {
      const at = slot * WORDS
      if (this.#words[at] === 0 || (this.#words[at] === first && this.#words[at + 1] === second)) return at
    }
  }

  #grow(): void {
    const old = this.#words
    this.#slots *= 2
    this.#words = new Uint32Array(this.#slots * WORDS)
    for (let at = 0; at < old.length; at += WORDS) {
      const entry = old.subarray(at, at + WORDS)
      if (entry[0] !== 0) this.#words.set(entry, this.#find(entry[0] ?? 0, entry[1] ?? 0))
    }
  }
}

/** Four bytes, little-endian. */
function wordAt(bytes: string, at: number): number {
  const low = bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8) | (bytes.charCodeAt(at + 2) << 16)
  return (low | (bytes.charCodeAt(at + 3) << 24)) >>> 0
}

/** Another one whenever the file is, in 32 bits: whatever moves a file's content or times moves its ctime. */
export function versionOf({ ctimeNs, size }: Pick<Stat, 'ctimeNs' | 'size'>): number {
  const [low, high] = [BigInt.asUintN(32, ctimeNs), BigInt.asUintN(32, ctimeNs >> 32n)]
  return (Number(low) ^ Number(high) ^ Math.imul(size, 0x9e3779b1)) >>> 0
}
