/**
 * What a test restores for its metadata alone: an empty folder, a FIFO, two names of one file. A draw of files
 * would never bring them, and yet a restore that loses them is not what went in.
 */
import { isWithin } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { Expected } from './expected.ts'

/** Names of one file. */
export interface LinkPair {
  readonly one: Expected
  readonly other: Expected
}

export interface ExtraItems {
  /** Folders, FIFOs and devices that hold nothing, and symbolic links. */
  readonly nodes: readonly Expected[]
  readonly links: readonly LinkPair[]
}

const MOST_OF_A_KIND = 3
const MAX_INODES = 50_000
/** A pair of large files would cost more than it tells. */
const MAX_LINKED_BYTES = 1024 * 1024

/** Sees every node once, in tree order, and keeps a few of each kind: chosen by the seed, and in flat memory. */
export class Extras {
  readonly #salt: number
  readonly #canMakeDevices: boolean
  readonly #kinds = new Map<string, { key: number; item: Expected }[]>()
  readonly #links: { key: number; item: LinkPair }[] = []
  /** Of each inode its first name, and what tells its file from another: as few objects as can be, for so many. */
  readonly #names = new Map<number, BytePath>()
  readonly #marks = new Map<number, number>()
  #folder: Expected | null = null

  constructor(seed: string, canMakeDevices: boolean) {
    this.#salt = fnv(0x811c9dc5, seed)
    this.#canMakeDevices = canMakeDevices
  }

  offer(item: Expected): void {
    if (!item.isListed || !item.isResolved) return
    if (this.#folder && !isWithin(item.path, this.#folder.path)) this.#keep('empty folder', this.#folder)
    this.#folder = item.kind === 'dir' ? item : null
    const { kind, inode, size } = item
    if (kind === 'symlink' || kind === 'fifo') this.#keep(kind, item)
    if ((kind === 'chardev' || kind === 'dev') && this.#canMakeDevices) this.#keep(kind, item)
    if (kind !== 'file' || inode === null || size > MAX_LINKED_BYTES || item.witness.state !== 'witness')
      return
    const [path, mark] = [this.#names.get(inode), markOf(item, item.witness)]
    if (path === undefined) {
      if (this.#names.size >= MAX_INODES) return
      this.#names.set(inode, item.path)
      this.#marks.set(inode, mark)
    } else if (this.#marks.get(inode) === mark)
      keepFew(this.#links, this.#keyOf(item.path), { one: { ...item, path }, other: item })
  }

  take(): ExtraItems {
    if (this.#folder) this.#keep('empty folder', this.#folder)
    this.#folder = null
    return {
      nodes: [...this.#kinds.values()].flatMap((all) => all.map(({ item }) => item)),
      links: this.#links.map(({ item }) => item),
    }
  }

  #keep(kind: string, item: Expected): void {
    const all = this.#kinds.get(kind) ?? []
    keepFew(all, this.#keyOf(item.path), item)
    this.#kinds.set(kind, all)
  }

  #keyOf(path: BytePath): number {
    return fnv(this.#salt, path)
  }
}

/** Two file systems can have one inode number; one number with one time and one content is one file. */
function markOf({ ctimeNs, size }: Expected, { sha256 }: { sha256: string }): number {
  return Number(BigInt.asUintN(32, ctimeNs)) ^ Number.parseInt(sha256.slice(0, 7), 16) ^ size
}

function keepFew<T>(all: { key: number; item: T }[], key: number, item: T): void {
  all.push({ key, item })
  if (all.length <= MOST_OF_A_KIND) return
  all.sort((one, other) => one.key - other.key)
  all.pop()
}

function fnv(start: number, text: string): number {
  let hash = start
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
