/**
 * What the hashing threads must know of each expected file, in memory that all of them share: a message with an
 * object per file costs as much as hashing a small one. 88 bytes a file, so a million files take 88 MB.
 */
import type { Stat } from './stat.ts'

/** What reading a restored file beside its source came to. Everything but `clean` is looked at again. */
export const READING = {
  /** Not read, or not to its expected end. */
  none: 0,
  /** The restored bytes are the witness's, or without one the source's; the source's stat and bytes are unmoved. */
  clean: 1,
  /** The restored bytes' digest is held here; the source is not what the snapshot saw. */
  known: 2,
  /** The restored bytes are not the expected ones; the file lies there still. */
  differs: 3,
} as const
export type Reading = (typeof READING)[keyof typeof READING]

export const MARK = {
  witness: 1,
  /** Another name has its inode, and is linked to it later: emptied, neither could be read. */
  linked: 2,
  /** Read, and truncated to make room. */
  emptied: 4,
  /** Its modification time was right before that. */
  timely: 8,
  /** A thread has been told of it. */
  queued: 16,
  /** Once restic had ended, mode, owner and time were the expected ones. */
  asExpected: 32,
  /** Came through `dump`: there are bytes, but no restored file with a mode or a time. */
  dumped: 64,
  /** Told as one of many, and by nothing else. */
  counted: 128,
} as const

const CHUNK_RECORDS = 16_384
const WORDS = 11
const RECORD_BYTES = WORDS * 8
/** Byte offsets in a record; its first words are size, mtime, ctime and inode. */
const DIGEST = 32
const MARKS = 64
const STATE = 65
const MODE = 68
const UID = 72
const GID = 76
const KEY = 80

interface Views {
  readonly numbers: Float64Array
  readonly times: BigInt64Array
  readonly bytes: Buffer
  readonly words: Uint32Array
}

let tables = 0

export class PairTable {
  /** Its own in this process. */
  readonly id = (tables += 1)
  readonly chunks: SharedArrayBuffer[]
  readonly #views: Views[]

  /** Over chunks that another thread made, or empty. */
  constructor(chunks: SharedArrayBuffer[] = []) {
    this.chunks = chunks
    this.#views = chunks.map(viewsOf)
  }

  /** Records are filled in order, from 0. */
  put(index: number, stat: Stat, sha256: string | null, key: readonly [number, number]): void {
    if (index >= this.#views.length * CHUNK_RECORDS) {
      const chunk = new SharedArrayBuffer(CHUNK_RECORDS * RECORD_BYTES)
      this.chunks.push(chunk)
      this.#views.push(viewsOf(chunk))
    }
    const [{ numbers, times, bytes, words }, at] = this.#find(index)
    numbers[at / 8] = stat.size
    times[at / 8 + 1] = stat.mtimeNs
    times[at / 8 + 2] = stat.ctimeNs
    numbers[at / 8 + 3] = stat.inode ?? Number.NaN
    words[(at + MODE) / 4] = stat.mode
    words[(at + UID) / 4] = stat.uid
    words[(at + GID) / 4] = stat.gid
    words[(at + KEY) / 4] = key[0]
    words[(at + KEY) / 4 + 1] = key[1]
    if (sha256 === null) return
    bytes.write(sha256, at + DIGEST, 'hex')
    bytes[at + MARKS] = MARK.witness
  }

  statOf(index: number): Stat {
    const [{ numbers, times, words }, at] = this.#find(index)
    const inode = numbers[at / 8 + 3] ?? Number.NaN
    return {
      kind: 'file',
      size: numbers[at / 8] ?? 0,
      mtimeNs: times[at / 8 + 1] ?? 0n,
      ctimeNs: times[at / 8 + 2] ?? 0n,
      inode: Number.isNaN(inode) ? null : inode,
      mode: words[(at + MODE) / 4] ?? 0,
      uid: words[(at + UID) / 4] ?? 0,
      gid: words[(at + GID) / 4] ?? 0,
    }
  }

  sizeOf(index: number): number {
    const [{ numbers }, at] = this.#find(index)
    return numbers[at / 8] ?? 0
  }

  /** What tells that the source's file is another by now. */
  versionOf(index: number): Pick<Stat, 'size' | 'ctimeNs'> {
    const [{ numbers, times }, at] = this.#find(index)
    return { size: numbers[at / 8] ?? 0, ctimeNs: times[at / 8 + 2] ?? 0n }
  }

  inodeOf(index: number): number {
    const [{ numbers }, at] = this.#find(index)
    return numbers[at / 8 + 3] ?? Number.NaN
  }

  hasKey(index: number, [high, low]: readonly [number, number]): boolean {
    const [{ words }, at] = this.#find(index)
    return words[(at + KEY) / 4] === high && words[(at + KEY) / 4 + 1] === low
  }

  keyOf(index: number): readonly [number, number] {
    const [{ words }, at] = this.#find(index)
    return [words[(at + KEY) / 4] ?? 0, words[(at + KEY) / 4 + 1] ?? 0]
  }

  /** The witness before a file was read, its restored digest afterwards. */
  digestOf(index: number): Buffer {
    const [{ bytes }, at] = this.#find(index)
    return Buffer.from(bytes.buffer, at + DIGEST, 32)
  }

  setDigest(index: number, digest: Uint8Array): void {
    const [{ bytes }, at] = this.#find(index)
    bytes.set(digest, at + DIGEST)
  }

  has(index: number, mark: number): boolean {
    const [{ bytes }, at] = this.#find(index)
    return ((bytes[at + MARKS] ?? 0) & mark) !== 0
  }

  mark(index: number, mark: number): void {
    const [{ bytes }, at] = this.#find(index)
    bytes[at + MARKS] = (bytes[at + MARKS] ?? 0) | mark
  }

  readingOf(index: number): Reading {
    const [{ bytes }, at] = this.#find(index)
    return (bytes[at + STATE] ?? 0) as Reading
  }

  setReading(index: number, reading: Reading): void {
    const [{ bytes }, at] = this.#find(index)
    bytes[at + STATE] = reading
  }

  #find(index: number): [Views, number] {
    const views = this.#views[Math.floor(index / CHUNK_RECORDS)]
    if (!views) throw new RangeError(`there is no record ${index}`)
    return [views, (index % CHUNK_RECORDS) * RECORD_BYTES]
  }
}

function viewsOf(chunk: SharedArrayBuffer): Views {
  return {
    numbers: new Float64Array(chunk),
    times: new BigInt64Array(chunk),
    bytes: Buffer.from(chunk),
    words: new Uint32Array(chunk),
  }
}
