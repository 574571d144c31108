import { crc32 } from '../crypto.ts'
import { PACK_LIMITS } from './pack.ts'
import { Directory, descriptorOf, localHeaderOf, readEnd, refuse } from './zip-directory.ts'
import type { Entry, ZipLimits } from './zip-directory.ts'
import { WIDE_FROM_BYTES } from './zip-format.ts'
import type { ByteSource } from './zip-format.ts'

export type { ByteSource } from './zip-format.ts'

export function sourceOf(bytes: Uint8Array): ByteSource {
  return { sizeBytes: bytes.length, read: (from, to) => bytes.subarray(from, to) }
}

/** A pack's files by name; a file's bytes are read, and checked against their checksum, when they are asked for. */
export interface PackContent {
  readonly size: number
  has(name: string): boolean
  /** @throws BevisError PACK_INVALID when the bytes do not fit what the zip says of them */
  get(name: string): Uint8Array | undefined
  keys(): Iterable<string>
  /**
   * The same bytes piece by piece, each of which holds until the next is asked for; the checksum is looked at behind
   * the last. Left out where all is in memory.
   */
  pieces?(name: string): Iterable<Uint8Array> | undefined
}

/** A zip that is read where it lies. */
export interface ZipContent extends PackContent {
  pieces(name: string): Iterable<Uint8Array> | undefined
  /** A part of a file that was read before: nothing is checked. */
  part(name: string, from: number, to: number): Uint8Array | undefined
  sizeOf(name: string): number | undefined
}

/** What is read of a large file at once. */
const PIECE_BYTES = 2 ** 18
/** What a caller who wants a whole file may get: no honest pack has a larger one of those. */
const WHOLE_LIMIT_BYTES = 2 ** 29

/**
 * Opens a zip, refusing whatever two programs could read differently (APPNOTE 6.3.9): names in capitals and small
 * letters, links, encryption, comments, bytes before, between or after the entries, a local header that does not say
 * what the directory says. Entries are stored, not packed: nothing can swell, and no bits are left over that nobody
 * reads. Every other field must be as the collector writes it, so that one changed byte anywhere is seen; a zip that
 * was packed anew is refused.
 * @param isKnown says which names belong in this zip
 * @throws BevisError PACK_INVALID naming the entry
 */
export function openZip(
  source: ByteSource,
  isKnown: (name: string) => boolean,
  limits: ZipLimits = PACK_LIMITS,
): ZipContent {
  const { wideFromBytes = WIDE_FROM_BYTES } = limits
  if (source.sizeBytes > limits.totalBytes) refuse(`it is larger than ${limits.totalBytes} bytes`)
  const end = readEnd(source, wideFromBytes)
  if (end.entries > limits.entries) refuse(`it has ${end.entries} entries, more than ${limits.entries}`)
  const directory = new Directory(source, end, isKnown, wideFromBytes)
  return {
    size: directory.names.size,
    has: (name) => directory.names.has(name),
    keys: () => directory.names.names(),
    get(name) {
      const entry = directory.find(name)
      return entry === undefined ? undefined : readWhole(source, entry)
    },
    pieces(name) {
      const entry = directory.find(name)
      return entry === undefined ? undefined : readPieces(source, entry)
    },
    part(name, from, to) {
      const { dataAt, sizeBytes } = directory.find(name) ?? { dataAt: 0, sizeBytes: -1 }
      return from > to || to > sizeBytes ? undefined : source.read(dataAt + from, dataAt + to)
    },
    sizeOf: (name) => directory.find(name)?.sizeBytes,
  }
}

/** All files of a zip at once. @throws BevisError PACK_INVALID, as {@link openZip} */
export async function readZip(
  bytes: Uint8Array,
  isKnown: (name: string) => boolean,
  limits: ZipLimits = PACK_LIMITS,
): Promise<Map<string, Uint8Array>> {
  const zip = openZip(sourceOf(bytes), isKnown, limits)
  return new Map(Array.from(zip.keys(), (name) => [name, zip.get(name) ?? new Uint8Array()]))
}

function readWhole(source: ByteSource, entry: Entry): Uint8Array {
  const { name, headerAt, dataAt, endAt, sizeBytes, crc } = entry
  if (sizeBytes > WHOLE_LIMIT_BYTES) refuse(`${name}: ${sizeBytes} bytes are too many for such a file`)
  const bytes = source.read(headerAt, endAt)
  const dataEnd = dataAt - headerAt + sizeBytes
  const content = bytes.subarray(dataAt - headerAt, dataEnd)
  assertHeader(entry, bytes.subarray(0, dataAt - headerAt))
  assertDescriptor(entry, bytes.subarray(dataEnd))
  if (crc32(content) !== crc) refuse(`${name}: its checksum does not fit`)
  return content
}

function* readPieces(source: ByteSource, entry: Entry): Generator<Uint8Array> {
  const { name, headerAt, dataAt, endAt, sizeBytes, crc } = entry
  if (endAt - headerAt <= PIECE_BYTES) {
    yield readWhole(source, entry)
    return
  }
  assertHeader(entry, source.read(headerAt, dataAt))
  const dataEnd = dataAt + sizeBytes
  assertDescriptor(entry, source.read(dataEnd, endAt))
  let found = 0
  // One room for all: with one for each, a hundred megabytes of them wait at a time to be collected.
  const room = new Uint8Array(PIECE_BYTES)
  for (let at = dataAt; at < dataEnd; at += PIECE_BYTES) {
    const piece = source.read(at, Math.min(dataEnd, at + PIECE_BYTES), room)
    found = crc32(piece, found)
    yield piece
  }
  if (found !== crc) refuse(`${name}: its checksum does not fit`)
}

function assertHeader(entry: Entry, header: Uint8Array): void {
  if (!equals(header, localHeaderOf(entry))) refuse(`${entry.name}: its own header contradicts the directory`)
}

function assertDescriptor(entry: Entry, descriptor: Uint8Array): void {
  if (!equals(descriptor, descriptorOf(entry)))
    refuse(`${entry.name}: the sizes behind its data contradict the directory`)
}

function equals(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}
