/**
 * Tiles of a Merkle tree (C2SP tlog-tiles v0.1.0): 256 hashes of a level together, the rightmost tile of a level
 * with fewer; bundles of 256 entries likewise. What is full never changes.
 */
import { BevisError } from '../error.ts'
import { nodeHash } from './merkle.ts'
import type { NodeId, ReadNodes } from './merkle.ts'

export const TILE_WIDTH = 256
const TILE_HEIGHT = 8
/** Above it no tree of whole numbers reaches. */
const LEVEL_MAX = 6

/** `level` is a tile's level, or `entries` for a bundle; `width` is 256 for a full one. */
export interface TileId {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

const notFound = (path: string) => new BevisError('NOT_FOUND', `no tile has the name ${path.slice(0, 200)}`)

/** `tile/<L>/<N>[.p/<W>]`, the index in groups of three digits: 1234067 is `x001/x234/067`. */
export function formatTilePath({ level, index, width }: TileId): string {
  const digits = String(index)
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? []
  const path = groups.map((group, n) => (n < groups.length - 1 ? `x${group}` : group)).join('/')
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`
}

/** Reads a path in its one form. @throws BevisError NOT_FOUND */
export function parseTilePath(path: string): TileId {
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path)
  if (match === null) throw notFound(path)
  const [, level = '', groups = '', partial] = match
  const id: TileId = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  }
  if (id.width > TILE_WIDTH || !Number.isSafeInteger(id.index) || formatTilePath(id) !== path) {
    throw notFound(path)
  }
  return id
}

/** How many hashes (entries) the tile has in a tree of `size` leaves: 256, fewer at the right edge, or 0. */
export function widthIn({ level, index }: Omit<TileId, 'width'>, size: number): number {
  const height = level === 'entries' ? 0 : level
  if (height > LEVEL_MAX) return 0
  const hashes = Math.floor(size / TILE_WIDTH ** height)
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH))
}

/** The nodes whose hashes a tile holds, in their order. */
export function nodesOfTile({ level, index, width }: TileId & { level: number }): NodeId[] {
  return Array.from({ length: width }, (_, n) => ({
    level: level * TILE_HEIGHT,
    index: index * TILE_WIDTH + n,
  }))
}

/** Every tile and bundle of a tree, as it is published for a checkpoint of this size. */
export function* tilesOf(size: number): Generator<TileId> {
  for (const level of ['entries', ...Array.from({ length: LEVEL_MAX + 1 }, (_, n) => n)] as const) {
    for (let index = 0; ; index += 1) {
      const width = widthIn({ level, index }, size)
      if (width === 0) break
      yield { level, index, width }
    }
  }
}

/** @throws BevisError PROOF_INVALID when the bytes are no tile of this width */
function decodeTile(bytes: Uint8Array, width: number): Uint8Array[] {
  if (bytes.length !== width * 32)
    throw new BevisError('PROOF_INVALID', `a tile of ${width} has 32 bytes each`)
  return Array.from({ length: width }, (_, n) => bytes.slice(n * 32, (n + 1) * 32))
}

export function encodeTile(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * 32)
  for (const [n, hash] of hashes.entries()) bytes.set(hash, n * 32)
  return bytes
}

/** Entries one after the other, each behind its length in two bytes, big-endian. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((sum, { length }) => sum + 2 + length, 0))
  let at = 0
  for (const entry of entries) {
    if (entry.length > 0xffff) throw new RangeError('an entry has at most 65,535 bytes')
    bytes.set([entry.length >> 8, entry.length & 0xff], at)
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

/** @throws BevisError PROOF_INVALID when the bytes are not exactly `width` entries */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length) {
    const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    const end = at + 2 + length
    if (end > bytes.length) throw new BevisError('PROOF_INVALID', 'a bundle ends within an entry')
    entries.push(bytes.slice(at + 2, end))
    at = end
  }
  if (entries.length === width) return entries
  throw new BevisError('PROOF_INVALID', `a bundle of ${entries.length} entries where ${width} were due`)
}

/**
 * Reads a tree of `size` leaves by its tiles, so that whoever can fetch them can make any proof of it.
 * What comes is believed only through a root that is computed of it.
 * @param fetchTile the bytes at a path such as `tile/0/000.p/7`
 */
export function tileReader(size: number, fetchTile: (path: string) => Promise<Uint8Array>): ReadNodes {
  const tiles = new Map<string, Promise<Uint8Array[]>>()

  const hashesOf = (level: number, index: number): Promise<Uint8Array[]> => {
    const width = widthIn({ level, index }, size)
    const path = formatTilePath({ level, index, width })
    const known = tiles.get(path) ?? fetchTile(path).then((bytes) => decodeTile(bytes, width))
    tiles.set(path, known)
    return known
  }

  const nodeAt = async ({ level, index }: NodeId): Promise<Uint8Array> => {
    const height = level % TILE_HEIGHT
    const count = 2 ** height
    const first = index * count
    const tile = await hashesOf(Math.floor(level / TILE_HEIGHT), Math.floor(first / TILE_WIDTH))
    let hashes = tile.slice(first % TILE_WIDTH, (first % TILE_WIDTH) + count)
    if (hashes.length !== count) throw new RangeError(`a tree of ${size} has no node ${level}/${index}`)
    while (hashes.length > 1) {
      hashes = hashes.flatMap((left, n) => {
        const right = hashes[n + 1]
        return n % 2 === 0 && right !== undefined ? [nodeHash(left, right)] : []
      })
    }
    return hashes[0] ?? new Uint8Array()
  }

  return (ids) => Promise.all(ids.map(nodeAt))
}
