/**
 * What a sample looks at besides chance: files that were never restored, those that are new, the largest, one of
 * each odd kind, canaries, and this run's share of a rotation after which every file had its turn. They make a
 * test find more; what may be said of the files that were not drawn rests on the random part alone.
 */
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { bytesOf, isWithin, nameOf, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { hasContent } from './expected.ts'
import type { Expected } from './expected.ts'
import { Smallest } from './order.ts'

/** What is known of a file from earlier tests; `changed`: it was restored in another version than it is now. */
export type Standing = 'unknown' | 'never' | 'changed' | 'restored'

/** This run's part of the rotation. */
export interface Rotation {
  /** From 0. */
  readonly part: number
  readonly of: number
  /** Makes the parts this set's own, and another's guess worthless. */
  readonly salt: string
  /** Folders with at most so many files in and below them stay together. */
  readonly unitFiles: number
}

export interface StrataRequest {
  /** Files, or folders with all in them. */
  readonly canaries: readonly BytePath[]
  /** At most so many files that are new, and so many that were never restored. */
  readonly most: number
  readonly standingOf: (item: Expected) => Standing
  readonly rotation: Rotation | null
}

export interface Stratum {
  readonly name: string
  /** That no stratum before it has drawn. */
  readonly files: number
  readonly [detail: string]: number | string | boolean
}

/** A file, or a folder with all below it. */
export interface Unit {
  readonly path: BytePath
  readonly isFolder: boolean
  readonly files: number
  readonly bytes: number
}

const MAX_CANARIES = 1_000

/** Sees every node once, in tree order, and keeps what it picks; memory does not grow with the set. */
export class Strata {
  readonly #request: StrataRequest
  readonly #largestBytes: number
  readonly #new: Smallest<Unit>
  readonly #never: Smallest<Unit>
  readonly #kinds = new Map<string, { key: string; unit: Unit }>()
  readonly #canaries: Unit[] = []
  readonly #found = new Set<BytePath>()
  readonly #rotation: Units | null
  #largest: Unit | null = null
  #counted = { new: 0, never: 0 }

  /** @param largestBytes what is larger is drawn by none of them */
  constructor(request: StrataRequest, largestBytes: number) {
    this.#request = request
    this.#largestBytes = largestBytes
    this.#new = new Smallest(request.most)
    this.#never = new Smallest(request.most)
    this.#rotation = request.rotation && new Units(request.rotation)
  }

  /** @param key of the file in the seed's order; asked for only where it is needed, since it is a digest */
  offer(item: Expected, key: () => string): void {
    this.#rotation?.offer(item, item.size > this.#largestBytes)
    if (!hasContent(item)) return
    const standing = this.#request.standingOf(item)
    if (item.size > this.#largestBytes) return
    const kinds = kindsOf(item)
    const isLargest = item.kind === 'file' && item.size > (this.#largest?.bytes ?? 0)
    const { canaries } = this.#request
    const canary = canaries.length === 0 ? undefined : canaries.find((path) => isWithin(item.path, path))
    if (standing === 'restored' && kinds === NONE && !isLargest && canary === undefined) return
    const unit: Unit = { path: item.path, isFolder: false, files: 1, bytes: item.size }
    if (canary !== undefined) {
      this.#found.add(canary)
      if (this.#canaries.length < MAX_CANARIES) this.#canaries.push(unit)
    }
    if (isLargest) this.#largest = unit
    for (const kind of kinds) {
      const first = this.#kinds.get(kind)
      if (first === undefined || key() < first.key) this.#kinds.set(kind, { key: key(), unit })
    }
    if (standing === 'never') {
      this.#counted.never += 1
      this.#never.offer(key(), unit)
    } else if (standing !== 'restored') {
      this.#counted.new += 1
      this.#new.offer(key(), unit)
    }
  }

  /** By stratum, the most needed first; the rotation last, since it is the longest. */
  take(): { name: string; units: readonly Unit[]; detail: Record<string, number | string> }[] {
    const units = (all: { value: Unit }[]): Unit[] => all.map(({ value }) => value)
    const { canaries, rotation } = this.#request
    const absent = canaries.filter((path) => !this.#found.has(path)).length
    const special = [...this.#kinds].toSorted(([one], [other]) => (one < other ? -1 : 1))
    return [
      { name: 'canary', units: this.#canaries, detail: absent > 0 ? { absent } : {} },
      { name: 'new', units: units(this.#new.take()), detail: { of: this.#counted.new } },
      { name: 'never-restored', units: units(this.#never.take()), detail: { of: this.#counted.never } },
      { name: 'largest', units: this.#largest ? [this.#largest] : [], detail: {} },
      {
        name: 'special',
        units: special.map(([, { unit }]) => unit),
        detail: special.length > 0 ? { kinds: special.map(([kind]) => kind).join(' ') } : {},
      },
      {
        name: 'rotation',
        units: this.#rotation?.take() ?? [],
        detail: rotation
          ? {
              part: rotation.part + 1,
              parts: rotation.of,
              salt: rotation.salt,
              together: rotation.unitFiles,
            }
          : {},
      },
    ]
  }
}

const NONE: readonly string[] = []

/** In bytes: control characters, what is no ASCII, and what restic takes for a pattern. */
// oxlint-disable-next-line no-control-regex -- names may hold them, and are odd for it
const UNUSUAL = /[\x00-\x1f\x7f-\xff\\*?[]/
const PATTERN = /[\\*?[]/

/** What is odd about a file; most have nothing. */
function kindsOf({ kind, size, mode, path }: Expected): readonly string[] {
  const name = nameOf(path)
  const isUnusual = UNUSUAL.test(name)
  if (kind === 'file' && size > 0 && (mode & 0o7000) === 0 && !isUnusual) return NONE
  const bytes = bytesOf(name)
  return [
    ...(kind === 'symlink' ? ['symlink'] : size === 0 ? ['empty'] : []),
    ...(kind === 'file' && (mode & 0o7000) !== 0 ? ['setuid'] : []),
    ...(isUnusual && !isUtf8(bytes) ? ['bytes-name'] : []),
    ...(isUnusual && (PATTERN.test(name) || bytes.some((byte) => byte < 0x20 || byte === 0x7f))
      ? ['odd-name']
      : []),
  ]
}

/** Which part a unit belongs to: anyone with the salt can work it out. */
export function partOf(salt: string, path: BytePath, of: number): number {
  return (
    hash('sha256', Buffer.concat([Buffer.from(salt, 'utf8'), bytesOf(path)]), 'buffer').readUInt32BE(0) % of
  )
}

interface Frame {
  readonly path: BytePath
  files: number
  bytes: number
  /** More files are below it than stay together: each of its parts is a unit of its own. */
  isSplit: boolean
  parts: Unit[]
}

/**
 * Cuts a tree into units: folders that are as large as may stay together, and the single files of those that are
 * larger. A unit is one include for restic; it costs by the number of those.
 */
class Units {
  readonly #rotation: Rotation
  readonly #stack: Frame[] = [openFrame('/' as BytePath)]
  readonly #drawn: Unit[] = []

  constructor(rotation: Rotation) {
    this.#rotation = rotation
  }

  /** @param isLeftOut it is drawn by nobody, and nothing that holds it can come as a whole */
  offer(item: Expected, isLeftOut: boolean): void {
    while (this.#stack.length > 1 && !isWithin(item.path, this.#top.path)) this.#close()
    if (item.kind === 'dir') this.#stack.push(openFrame(item.path))
    if (!hasContent(item)) return
    const top = this.#top
    if (isLeftOut) return this.#split(top)
    top.files += 1
    top.bytes += item.size
    this.#add(top, { path: item.path, isFolder: false, files: 1, bytes: item.size })
  }

  take(): readonly Unit[] {
    while (this.#stack.length > 0) this.#close()
    return this.#drawn
  }

  get #top(): Frame {
    const top = this.#stack.at(-1)
    if (top === undefined) throw new Error('the tree has ended')
    return top
  }

  #add(frame: Frame, unit: Unit): void {
    if (frame.isSplit) this.#emit(unit)
    else frame.parts.push(unit)
    if (frame.files > this.#rotation.unitFiles) this.#split(frame)
  }

  #split(frame: Frame): void {
    frame.isSplit = true
    for (const part of frame.parts) this.#emit(part)
    frame.parts = []
  }

  #close(): void {
    const frame = this.#stack.pop()
    const parent = this.#stack.at(-1)
    if (frame === undefined) return
    if (parent) {
      parent.files += frame.files
      parent.bytes += frame.bytes
    }
    if (frame.isSplit) {
      if (parent && !parent.isSplit) this.#split(parent)
      return
    }
    if (frame.files === 0) return
    const unit: Unit = { path: frame.path, isFolder: true, files: frame.files, bytes: frame.bytes }
    if (parent) this.#add(parent, unit)
    else this.#emit(unit)
  }

  #emit(unit: Unit): void {
    const { salt, part, of } = this.#rotation
    if (partOf(salt, unit.path, of) === part) this.#drawn.push(unit)
  }
}

function openFrame(path: BytePath): Frame {
  return { path, files: 0, bytes: 0, isSplit: false, parts: [] }
}

/** Files and whole folders that were drawn, each file counted once, whatever it is part of. */
export class Parts {
  readonly #files = new Set<BytePath>()
  readonly #folders = new Set<BytePath>()
  /** What of it lies below each folder. */
  readonly #below = new Map<BytePath, { files: number; bytes: number }>()
  readonly #total = { files: 0, bytes: 0 }

  get files(): number {
    return this.#total.files
  }

  get bytes(): number {
    return this.#total.bytes
  }

  /** What restic is to be told; none of them lies in another. */
  get includes(): BytePath[] {
    return [...this.#folders, ...this.#files]
  }

  has(path: BytePath): boolean {
    return this.#files.has(path) || this.#isInFolder(path)
  }

  /** What the unit would add to what is there. */
  costOf({ path, files, bytes }: Unit): Size {
    if (this.has(path)) return { files: 0, bytes: 0 }
    const below = this.#below.get(path)
    return { files: files - (below?.files ?? 0), bytes: bytes - (below?.bytes ?? 0) }
  }

  add(unit: Unit, cost: Size = this.costOf(unit)): void {
    const { path, isFolder, files, bytes } = unit
    if (this.has(path)) return
    this.#count(this.#total, cost)
    for (let at = path; at !== '/';) {
      at = parentOf(at)
      const below = this.#below.get(at) ?? { files: 0, bytes: 0 }
      this.#count(below, cost)
      this.#below.set(at, below)
    }
    if (!isFolder) {
      this.#files.add(path)
      return
    }
    if (this.#below.has(path))
      for (const held of [this.#files, this.#folders])
        for (const one of held) if (isWithin(one, path)) held.delete(one)
    this.#folders.add(path)
    this.#below.set(path, { files, bytes })
  }

  #count(into: { files: number; bytes: number }, { files, bytes }: Size): void {
    into.files += files
    into.bytes += bytes
  }

  #isInFolder(path: BytePath): boolean {
    if (this.#folders.size === 0) return false
    for (let at = path; ; at = parentOf(at)) {
      if (this.#folders.has(at)) return true
      if (at === '/') return false
    }
  }
}

interface Size {
  readonly files: number
  readonly bytes: number
}
