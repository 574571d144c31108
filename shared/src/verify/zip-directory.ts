/** The directory of a zip: where each entry lies, and what is said of it. */
import { BevisError } from '../error.ts'
import { NameList } from './name-list.ts'
import { ZIP, viewOf } from './zip-format.ts'
import type { ByteSource } from './zip-format.ts'

export interface ZipLimits {
  readonly entries: number
  readonly totalBytes: number
  /** See {@link WIDE_FROM_BYTES}. */
  readonly wideFromBytes?: number
}

/** Where an entry lies, and what the directory says of it. */
export interface Entry {
  readonly name: string
  readonly nameBytes: Uint8Array
  readonly flags: number
  readonly crc: number
  readonly sizeBytes: number
  /** Its size has eight bytes wherever it is written. */
  readonly isWide: boolean
  readonly headerAt: number
  readonly dataAt: number
  readonly endAt: number
}

const RECORD_BYTES = 46
const LOCAL_BYTES = 30
const END_BYTES = 22
const LOCATOR_BYTES = 20
const WIDE_END_BYTES = 56
const WINDOW_BYTES = 2 ** 20
/** A record's names and fields have two bytes for their lengths. */
const RECORD_LIMIT_BYTES = RECORD_BYTES + 3 * 0xffff

export function refuse(why: string): never {
  throw new BevisError('PACK_INVALID', `the zip is refused: ${why}`)
}

export interface End {
  readonly entries: number
  /** The directory's first byte, and the one behind its last. */
  readonly directoryStart: number
  readonly directoryEnd: number
}

/** The end record must be the last bytes: a comment could hide a second directory. */
export function readEnd(source: ByteSource, wideFromBytes: number): End {
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
  const narrowed = (bytes: number) => (bytes < wideFromBytes ? bytes : ZIP.elsewhere32)
  const sound =
    tail.getUint32(wide, true) === 0x06064b50 &&
    tail.getBigUint64(wide + 4, true) === 44n &&
    tail.getUint16(wide + 12, true) === ZIP.madeBy &&
    tail.getUint16(wide + 14, true) === ZIP.neededWide &&
    tail.getBigUint64(wide + 16, true) === 0n &&
    tail.getBigUint64(wide + 24, true) === BigInt(entries) &&
    tail.getUint32(locator + 4, true) === 0 &&
    tail.getBigUint64(locator + 8, true) === BigInt(directoryEnd) &&
    tail.getUint32(locator + 16, true) === 1 &&
    directoryStart + directoryBytes === directoryEnd &&
    narrow.entries === Math.min(entries, ZIP.elsewhere16) &&
    narrow.directoryBytes === narrowed(directoryBytes) &&
    narrow.directoryStart === narrowed(directoryStart)
  if (!sound) refuse('its two ends contradict each other')
  return { entries, directoryStart, directoryEnd }
}

/** What the directory says, in some fifty bytes for each entry. */
export class Directory {
  readonly names = new NameList()
  readonly #headerAt: Float64Array
  readonly #sizeBytes: Float64Array
  readonly #crc: Uint32Array
  readonly #isDescribed: Uint8Array
  readonly #wideFromBytes: number

  /** @throws BevisError PACK_INVALID naming the entry */
  constructor(source: ByteSource, end: End, isKnown: (name: string) => boolean, wideFromBytes: number) {
    const { entries, directoryStart, directoryEnd } = end
    if (entries * RECORD_BYTES > directoryEnd - directoryStart)
      refuse('the number of entries is not what its end says')
    this.#wideFromBytes = wideFromBytes
    this.#headerAt = new Float64Array(entries)
    this.#sizeBytes = new Float64Array(entries)
    this.#crc = new Uint32Array(entries)
    this.#isDescribed = new Uint8Array(entries)
    const capitals = new Set<string>()
    let cursor = 0
    for (const entry of recordsOf(source, end, wideFromBytes)) {
      const { name } = entry
      if (!isKnown(name)) refuse(`${JSON.stringify(name.slice(0, 200))} does not belong in an evidence pack`)
      if (this.names.size === entries) refuse('the number of entries is not what its end says')
      // A file system that does not tell capitals apart would write one over the other.
      const small = name.toLowerCase()
      const isTwin = capitals.has(small) || (small !== name && this.names.has(small))
      const place = isTwin ? -1 : this.names.add(name)
      if (place < 0) refuse(`${name}: twice in the zip`)
      if (small !== name) capitals.add(small)
      if (entry.headerAt !== cursor) refuse(`${name}: does not begin where the entry before it ends`)
      if (entry.endAt > directoryStart) refuse(`${name}: reaches into the directory`)
      this.#headerAt[place] = entry.headerAt
      this.#sizeBytes[place] = entry.sizeBytes
      this.#crc[place] = entry.crc
      this.#isDescribed[place] = (entry.flags & ZIP.flagDescriptor) === 0 ? 0 : 1
      cursor = entry.endAt
    }
    if (cursor !== directoryStart) refuse('there are bytes that belong to no entry')
    if (this.names.size !== entries) refuse('the number of entries is not what its end says')
  }

  find(name: string): Entry | undefined {
    const place = this.names.placeOf(name)
    if (place < 0) return undefined
    return locate({
      name,
      nameBytes: new TextEncoder().encode(name),
      flags: ZIP.flagUtf8 | (this.#isDescribed[place] === 1 ? ZIP.flagDescriptor : 0),
      crc: this.#crc[place] ?? 0,
      sizeBytes: this.#sizeBytes[place] ?? 0,
      isWide: (this.#sizeBytes[place] ?? 0) >= this.#wideFromBytes,
      headerAt: this.#headerAt[place] ?? 0,
    })
  }
}

function locate(entry: Omit<Entry, 'dataAt' | 'endAt'>): Entry {
  const { nameBytes, flags, sizeBytes, isWide, headerAt } = entry
  const dataAt = headerAt + LOCAL_BYTES + nameBytes.length + (isWide ? 20 : 0)
  const descriptorBytes = (flags & ZIP.flagDescriptor) === 0 ? 0 : isWide ? 24 : 16
  return { ...entry, dataAt, endAt: dataAt + sizeBytes + descriptorBytes }
}

function* recordsOf(
  source: ByteSource,
  { directoryStart, directoryEnd }: End,
  wideFromBytes: number,
): Generator<Entry> {
  let window: Uint8Array = new Uint8Array()
  let windowAt = directoryStart
  for (let at = directoryStart; at < directoryEnd;) {
    if (at + RECORD_LIMIT_BYTES > windowAt + window.length && windowAt + window.length < directoryEnd) {
      window = source.read(at, Math.min(directoryEnd, at + WINDOW_BYTES))
      windowAt = at
    }
    const { entry, bytes } = readRecord(window.subarray(at - windowAt), wideFromBytes)
    yield entry
    at += bytes
  }
}

function readRecord(record: Uint8Array, wideFromBytes: number): { entry: Entry; bytes: number } {
  const view = viewOf(record)
  if (record.length < RECORD_BYTES || view.getUint32(0, true) !== 0x02014b50)
    refuse('there are bytes that belong to no entry')
  const extraAt = RECORD_BYTES + view.getUint16(28, true)
  const bytes = extraAt + view.getUint16(30, true)
  if (bytes > record.length) refuse('there are bytes that belong to no entry')
  const nameBytes = record.slice(RECORD_BYTES, extraAt)
  const name = readName(nameBytes)
  const flags = view.getUint16(8, true)
  const { sizeBytes, headerAt, isWide, isSound } = readPlaces(view, extraAt, bytes, wideFromBytes)
  const asWritten =
    isSound &&
    view.getUint16(4, true) === ZIP.madeBy &&
    view.getUint16(6, true) === (bytes > extraAt ? ZIP.neededWide : ZIP.needed) &&
    (flags & ~ZIP.flagDescriptor) === ZIP.flagUtf8 &&
    view.getUint16(10, true) === 0 && // stored
    view.getUint16(12, true) === 0 && // midnight
    view.getUint16(14, true) === ZIP.firstOf1980 &&
    view.getUint16(32, true) === 0 && // no comment
    view.getUint16(34, true) === 0 && // on this disk
    view.getUint16(36, true) === 0 &&
    view.getUint32(38, true) === ZIP.regularFile
  if (!asWritten) refuse(`${name}: not as the collector writes it; was it packed anew?`)
  const crc = view.getUint32(16, true)
  return { entry: locate({ name, nameBytes, flags, crc, sizeBytes, isWide, headerAt }), bytes }
}

/** Size and place: in the record where four bytes hold them, else in the one field behind the name (zip64). */
function readPlaces(view: DataView, extraAt: number, end: number, wideFromBytes: number) {
  const [packed, size, place] = [20, 24, 42].map((at) => view.getUint32(at, true))
  const isWide = size === ZIP.elsewhere32
  const isFar = place === ZIP.elsewhere32
  const fieldBytes = (isWide ? 16 : 0) + (isFar ? 8 : 0)
  const extraBytes = fieldBytes === 0 ? 0 : 4 + fieldBytes
  let isSound = packed === size && end - extraAt === extraBytes
  if (!isSound || size === undefined || place === undefined)
    return { sizeBytes: 0, headerAt: 0, isWide, isSound: false }
  if (extraBytes === 0) return { sizeBytes: size, headerAt: place, isWide, isSound }
  const wideAt = (at: number) => Number(view.getBigUint64(extraAt + 4 + at, true))
  const sizeBytes = isWide ? wideAt(0) : size
  const headerAt = isFar ? wideAt(isWide ? 16 : 0) : place
  isSound =
    view.getUint16(extraAt, true) === ZIP.wideField &&
    view.getUint16(extraAt + 2, true) === fieldBytes &&
    (!isWide || (sizeBytes >= wideFromBytes && wideAt(8) === sizeBytes)) &&
    (!isFar || headerAt >= wideFromBytes)
  return { sizeBytes, headerAt, isWide, isSound }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readName(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    return refuse('a name that is not UTF-8')
  }
}

/**
 * Programs that unpack as they read go by what stands before and behind the data; all others by the directory.
 * There is one way to write each, so they are made again and compared.
 */
export function localHeaderOf({ nameBytes, flags, crc, sizeBytes, isWide }: Entry): Uint8Array {
  const header = new Uint8Array(LOCAL_BYTES + nameBytes.length + (isWide ? 20 : 0))
  const view = viewOf(header)
  const isDescribed = (flags & ZIP.flagDescriptor) !== 0
  const size = isWide ? ZIP.elsewhere32 : isDescribed ? 0 : sizeBytes
  view.setUint32(0, 0x04034b50, true)
  view.setUint16(4, isWide ? ZIP.neededWide : ZIP.needed, true)
  view.setUint16(6, flags, true)
  view.setUint16(12, ZIP.firstOf1980, true)
  view.setUint32(14, isDescribed ? 0 : crc, true)
  view.setUint32(18, size, true)
  view.setUint32(22, size, true)
  view.setUint16(26, nameBytes.length, true)
  header.set(nameBytes, LOCAL_BYTES)
  if (!isWide) return header
  const extraAt = LOCAL_BYTES + nameBytes.length
  view.setUint16(28, 20, true)
  view.setUint16(extraAt, ZIP.wideField, true)
  view.setUint16(extraAt + 2, 16, true)
  for (const at of [4, 12]) view.setBigUint64(extraAt + at, isDescribed ? 0n : BigInt(sizeBytes), true)
  return header
}

export function descriptorOf({ flags, crc, sizeBytes, isWide }: Entry): Uint8Array {
  if ((flags & ZIP.flagDescriptor) === 0) return new Uint8Array()
  const view = new DataView(new ArrayBuffer(isWide ? 24 : 16))
  view.setUint32(0, 0x08074b50, true)
  view.setUint32(4, crc, true)
  if (isWide) for (const at of [8, 16]) view.setBigUint64(at, BigInt(sizeBytes), true)
  else for (const at of [8, 12]) view.setUint32(at, sizeBytes, true)
  return new Uint8Array(view.buffer)
}
