import { crc32 } from '../crypto.ts'
import { BevisError } from '../error.ts'
import { PACK_LIMITS } from './pack.ts'

/** Bytes that are read where they lie: a file of a disk, a file that was dropped on a page, or memory. */
export interface ByteSource {
  readonly sizeBytes: number
  /** The bytes [from, to); both lie within the size. */
  read(from: number, to: number): Uint8Array
}

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
}

const FLAG_DESCRIPTOR = 0x0008
const FLAG_UTF8 = 0x0800
/** What our writer says of itself and of every entry: fixed, so that no byte of the zip is left to chance. */
const MADE_BY = 0x033f
const NEEDED = 20
const NEEDED_WIDE = 45
const REGULAR_FILE = 0o100644 * 2 ** 16
const FIRST_OF_1980 = 0x21
const LOCAL_BYTES = 30
const DIRECTORY_BYTES = 46
const DESCRIPTOR_BYTES = 16
const END_BYTES = 22
const LOCATOR_BYTES = 20
const WIDE_END_BYTES = 56

/** Where an entry lies, and what the directory says of it. */
interface Entry {
  readonly name: string
  readonly flags: number
  readonly crc: number
  readonly sizeBytes: number
  readonly headerAt: number
  readonly dataAt: number
  readonly endAt: number
}

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
  limits: typeof PACK_LIMITS = PACK_LIMITS,
): PackContent {
  if (source.sizeBytes > limits.totalBytes) refuse(`it is larger than ${limits.totalBytes} bytes`)
  const end = readEnd(source)
  if (end.entries > limits.entries) refuse(`it has ${end.entries} entries, more than ${limits.entries}`)
  const entries = readDirectory(source, end, isKnown)
  return {
    size: entries.size,
    has: (name) => entries.has(name),
    keys: () => entries.keys(),
    get(name) {
      const entry = entries.get(name)
      return entry === undefined ? undefined : readEntry(source, entry)
    },
  }
}

/** All files of a zip at once. @throws BevisError PACK_INVALID, as {@link openZip} */
export async function readZip(
  bytes: Uint8Array,
  isKnown: (name: string) => boolean,
  limits: typeof PACK_LIMITS = PACK_LIMITS,
): Promise<Map<string, Uint8Array>> {
  const zip = openZip(sourceOf(bytes), isKnown, limits)
  return new Map(Array.from(zip.keys(), (name) => [name, zip.get(name) ?? new Uint8Array()]))
}

function refuse(why: string): never {
  throw new BevisError('PACK_INVALID', `the zip is refused: ${why}`)
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

interface End {
  readonly entries: number
  /** The directory's first byte, and the one behind its last. */
  readonly directoryStart: number
  readonly directoryEnd: number
}

/** The end record must be the last bytes: a comment could hide a second directory. */
function readEnd(source: ByteSource): End {
  const at = source.sizeBytes - END_BYTES
  if (at < 0) refuse('it does not end with a directory; is it whole?')
  const tailAt = Math.max(0, at - LOCATOR_BYTES - WIDE_END_BYTES)
  const tail = viewOf(source.read(tailAt, source.sizeBytes))
  const end = at - tailAt
  if (tail.getUint32(end, true) !== 0x06054b50 || tail.getUint16(end + 20, true) !== 0) {
    refuse('it does not end with a directory; is it whole?')
  }
  const narrow = {
    entries: tail.getUint16(end + 10, true),
    directoryBytes: tail.getUint32(end + 12, true),
    directoryStart: tail.getUint32(end + 16, true),
  }
  if (tail.getUint32(end + 4, true) !== 0 || tail.getUint16(end + 8, true) !== narrow.entries) {
    refuse('it is spread over several disks')
  }
  const locator = end - LOCATOR_BYTES
  const wide = locator - WIDE_END_BYTES
  if (wide < 0 || tail.getUint32(locator, true) !== 0x07064b50) {
    if (narrow.directoryStart + narrow.directoryBytes !== at)
      refuse('its directory is not where its end says')
    return { entries: narrow.entries, directoryStart: narrow.directoryStart, directoryEnd: at }
  }
  const entries = Number(tail.getBigUint64(wide + 32, true))
  const directoryBytes = Number(tail.getBigUint64(wide + 40, true))
  const directoryStart = Number(tail.getBigUint64(wide + 48, true))
  const directoryEnd = at - LOCATOR_BYTES - WIDE_END_BYTES
  const sound =
    tail.getUint32(wide, true) === 0x06064b50 &&
    tail.getBigUint64(wide + 4, true) === 44n &&
    tail.getUint16(wide + 12, true) === MADE_BY &&
    tail.getUint16(wide + 14, true) === NEEDED_WIDE &&
    tail.getBigUint64(wide + 16, true) === 0n &&
    tail.getBigUint64(wide + 24, true) === BigInt(entries) &&
    tail.getUint32(locator + 4, true) === 0 &&
    tail.getBigUint64(locator + 8, true) === BigInt(directoryEnd) &&
    tail.getUint32(locator + 16, true) === 1 &&
    directoryStart + directoryBytes === directoryEnd &&
    (narrow.entries === 0xffff || narrow.entries === entries) &&
    (narrow.directoryBytes === 0xffffffff || narrow.directoryBytes === directoryBytes) &&
    (narrow.directoryStart === 0xffffffff || narrow.directoryStart === directoryStart)
  if (!sound) refuse('its two ends contradict each other')
  return { entries, directoryStart, directoryEnd }
}

function readDirectory(
  source: ByteSource,
  { entries, directoryStart, directoryEnd }: End,
  isKnown: (name: string) => boolean,
): Map<string, Entry> {
  const bytes = source.read(directoryStart, directoryEnd)
  const view = viewOf(bytes)
  const read = new Map<string, Entry>()
  const seen = new Set<string>()
  let [at, cursor] = [0, 0]
  while (at < bytes.length) {
    if (at + DIRECTORY_BYTES > bytes.length || view.getUint32(at, true) !== 0x02014b50) {
      refuse('there are bytes that belong to no entry')
    }
    const nameBytes = view.getUint16(at + 28, true)
    const next = at + DIRECTORY_BYTES + nameBytes
    if (next > bytes.length) refuse('there are bytes that belong to no entry')
    const name = readName(bytes.subarray(at + DIRECTORY_BYTES, next))
    if (!isKnown(name)) refuse(`${JSON.stringify(name.slice(0, 200))} does not belong in an evidence pack`)
    // A file system that does not tell capitals apart would write one over the other.
    if (seen.has(name.toLowerCase())) refuse(`${name}: twice in the zip`)
    seen.add(name.toLowerCase())
    const entry = readRecord(view, at, name, nameBytes)
    if (entry.headerAt !== cursor) refuse(`${name}: does not begin where the entry before it ends`)
    if (entry.endAt > directoryStart) refuse(`${name}: reaches into the directory`)
    read.set(name, entry)
    cursor = entry.endAt
    at = next
  }
  if (cursor !== directoryStart) refuse('there are bytes that belong to no entry')
  if (read.size !== entries) refuse('the number of entries is not what its end says')
  return read
}

function readName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return refuse('a name that is not UTF-8')
  }
}

function readRecord(view: DataView, at: number, name: string, nameBytes: number): Entry {
  const flags = view.getUint16(at + 8, true)
  const sizeBytes = view.getUint32(at + 24, true)
  const asWritten =
    view.getUint16(at + 4, true) === MADE_BY &&
    view.getUint16(at + 6, true) === NEEDED &&
    (flags & ~FLAG_DESCRIPTOR) === FLAG_UTF8 &&
    view.getUint16(at + 10, true) === 0 && // stored
    view.getUint16(at + 12, true) === 0 && // midnight
    view.getUint16(at + 14, true) === FIRST_OF_1980 &&
    view.getUint32(at + 20, true) === sizeBytes &&
    view.getUint16(at + 30, true) === 0 && // no extra field
    view.getUint16(at + 32, true) === 0 && // no comment
    view.getUint16(at + 34, true) === 0 && // on this disk
    view.getUint16(at + 36, true) === 0 &&
    view.getUint32(at + 38, true) === REGULAR_FILE
  if (!asWritten) refuse(`${name}: not as the collector writes it; was it packed anew?`)
  const headerAt = view.getUint32(at + 42, true)
  const dataAt = headerAt + LOCAL_BYTES + nameBytes
  const isDescribed = (flags & FLAG_DESCRIPTOR) !== 0
  const endAt = dataAt + sizeBytes + (isDescribed ? DESCRIPTOR_BYTES : 0)
  return { name, flags, crc: view.getUint32(at + 16, true), sizeBytes, headerAt, dataAt, endAt }
}

/**
 * Programs that unpack as they read go by what stands before and behind the data; all others by the directory.
 * There is one way to write each, so they are made again and compared.
 */
function readEntry(source: ByteSource, entry: Entry): Uint8Array {
  const { name, headerAt, dataAt, endAt, sizeBytes, crc } = entry
  const bytes = source.read(headerAt, endAt)
  const content = bytes.subarray(dataAt - headerAt, dataAt - headerAt + sizeBytes)
  if (!equals(bytes.subarray(0, dataAt - headerAt), localHeaderOf(entry)))
    refuse(`${name}: its own header contradicts the directory`)
  if (!equals(bytes.subarray(dataAt - headerAt + sizeBytes), descriptorOf(entry)))
    refuse(`${name}: the sizes behind its data contradict the directory`)
  if (crc32(content) !== crc) refuse(`${name}: its checksum does not fit`)
  return content
}

function localHeaderOf({ name, flags, crc, sizeBytes }: Entry): Uint8Array {
  const nameBytes = new TextEncoder().encode(name)
  const header = new Uint8Array(LOCAL_BYTES + nameBytes.length)
  const view = viewOf(header)
  const isDescribed = (flags & FLAG_DESCRIPTOR) !== 0
  view.setUint32(0, 0x04034b50, true)
  view.setUint16(4, NEEDED, true)
  view.setUint16(6, flags, true)
  view.setUint16(12, FIRST_OF_1980, true)
  view.setUint32(14, isDescribed ? 0 : crc, true)
  view.setUint32(18, isDescribed ? 0 : sizeBytes, true)
  view.setUint32(22, isDescribed ? 0 : sizeBytes, true)
  view.setUint16(26, nameBytes.length, true)
  header.set(nameBytes, LOCAL_BYTES)
  return header
}

function descriptorOf({ flags, crc, sizeBytes }: Entry): Uint8Array {
  if ((flags & FLAG_DESCRIPTOR) === 0) return new Uint8Array()
  const view = new DataView(new ArrayBuffer(DESCRIPTOR_BYTES))
  view.setUint32(0, 0x08074b50, true)
  view.setUint32(4, crc, true)
  view.setUint32(8, sizeBytes, true)
  view.setUint32(12, sizeBytes, true)
  return new Uint8Array(view.buffer)
}

function equals(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}
