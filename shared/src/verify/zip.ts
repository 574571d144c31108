import { crc32, inflateRawSync } from 'node:zlib'
import { fromBufferPromise } from 'yauzl'
import type { Entry, LocalFileHeader } from 'yauzl'
import { BevisError, errorMessageOf } from '../error.ts'

/** What a zip may hold before it is refused unread: a guard against bombs. */
export interface ZipLimits {
  readonly entries: number
  /** Unpacked size of one entry. */
  readonly entryBytes: number
  /** Unpacked size of all entries together. */
  readonly totalBytes: number
}

/** Room for some two hundred thousand statements, and for a machine of ordinary size to hold them. */
export const ZIP_LIMITS: ZipLimits = { entries: 600_000, entryBytes: 768 * 2 ** 20, totalBytes: 2 ** 30 }

const STORED = 0
const DEFLATED = 8
const FLAG_DESCRIPTOR = 0x0008
const FLAG_UTF8 = 0x0800
const ZIP64_EXTRA = 0x0001
const REGULAR_FILE = 0o100000
const FILE_TYPE_MASK = 0o170000
const END_BYTES = 22

/**
 * Unpacks a zip into memory, by name, refusing whatever two programs could read differently (APPNOTE 6.3.9):
 * names in capitals and small letters, absolute and climbing names, links, encryption, comments, bytes before,
 * between or after the entries, and a local header that does not say what the directory says.
 * @param isKnown says which names belong in this zip
 * @throws BevisError PACK_INVALID naming the entry
 */
export async function readZip(
  bytes: Uint8Array,
  isKnown: (name: string) => boolean,
  limits: ZipLimits = ZIP_LIMITS,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    const end = readEnd(buffer)
    if (end.entries > limits.entries) refuse(`it has ${end.entries} entries, more than ${limits.entries}`)
    const zip = await fromBufferPromise(buffer, { strictFileNames: true })
    const seen = new Set<string>()
    let directoryBytes = 0
    let cursor = 0
    let total = 0
    for await (const entry of zip.eachEntry()) {
      assertPlain(entry, isKnown, seen)
      total += entry.uncompressedSize
      if (entry.uncompressedSize > limits.entryBytes) refuse(`${entry.fileName}: larger than allowed`)
      if (total > limits.totalBytes) refuse(`unpacked it is larger than ${limits.totalBytes} bytes`)
      if (entry.relativeOffsetOfLocalHeader !== cursor) {
        refuse(`${entry.fileName}: does not begin where the entry before it ends`)
      }
      const header = await zip.readLocalFileHeaderPromise(entry)
      assertSameHeader(entry, header)
      cursor = header.fileDataStart + entry.compressedSize
      files.set(entry.fileName, unpack(entry, buffer.subarray(header.fileDataStart, cursor)))
      if ((entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) !== 0)
        cursor += readDescriptor(entry, buffer, cursor)
      directoryBytes += 46 + entry.fileNameLength + entry.extraFieldLength
    }
    if (cursor !== end.directoryStart || cursor + directoryBytes !== end.start) {
      refuse('there are bytes that belong to no entry')
    }
    if (files.size !== end.entries) refuse('the number of entries is not what its end says')
  } catch (error) {
    if (error instanceof BevisError) throw error
    throw new BevisError('PACK_INVALID', `the zip cannot be read: ${errorMessageOf(error)}`, { cause: error })
  }
  return files
}

function refuse(why: string): never {
  throw new BevisError('PACK_INVALID', `the zip is refused: ${why}`)
}

/** The end record must be the last bytes: a comment could hide a second directory (yauzl looks for the last). */
function readEnd(buffer: Buffer): { start: number; entries: number; directoryStart: number } {
  const at = buffer.length - END_BYTES
  if (at < 0 || buffer.readUInt32LE(at) !== 0x06054b50 || buffer.readUInt16LE(at + 20) !== 0) {
    refuse('it does not end with a directory; is it whole?')
  }
  const narrow = {
    entries: buffer.readUInt16LE(at + 10),
    directoryBytes: buffer.readUInt32LE(at + 12),
    directoryStart: buffer.readUInt32LE(at + 16),
  }
  if (buffer.readUInt32LE(at + 4) !== 0 || buffer.readUInt16LE(at + 8) !== narrow.entries) {
    refuse('it is spread over several disks')
  }
  const locator = at - 20
  if (locator < 56 || buffer.readUInt32LE(locator) !== 0x07064b50) {
    if (narrow.directoryStart + narrow.directoryBytes !== at)
      refuse('its directory is not where its end says')
    return { start: at, ...narrow }
  }
  const start = locator - 56
  const wide = {
    entries: Number(buffer.readBigUInt64LE(start + 32)),
    directoryBytes: Number(buffer.readBigUInt64LE(start + 40)),
    directoryStart: Number(buffer.readBigUInt64LE(start + 48)),
  }
  const sound =
    buffer.readUInt32LE(start) === 0x06064b50 &&
    buffer.readBigUInt64LE(start + 4) === 44n &&
    buffer.readBigUInt64LE(start + 16) === 0n &&
    buffer.readBigUInt64LE(start + 24) === BigInt(wide.entries) &&
    buffer.readUInt32LE(locator + 4) === 0 &&
    buffer.readBigUInt64LE(locator + 8) === BigInt(start) &&
    buffer.readUInt32LE(locator + 16) === 1 &&
    wide.directoryStart + wide.directoryBytes === start &&
    (narrow.entries === 0xffff || narrow.entries === wide.entries) &&
    (narrow.directoryBytes === 0xffffffff || narrow.directoryBytes === wide.directoryBytes) &&
    (narrow.directoryStart === 0xffffffff || narrow.directoryStart === wide.directoryStart)
  if (!sound) refuse('its two ends contradict each other')
  return { start, ...wide }
}

function assertPlain(entry: Entry, isKnown: (name: string) => boolean, seen: Set<string>): void {
  const name = entry.fileName
  if (!isKnown(name)) refuse(`${JSON.stringify(name.slice(0, 200))} does not belong in an evidence pack`)
  // A file system that does not tell capitals apart would write one over the other.
  if (seen.has(name.toLowerCase())) refuse(`${name}: twice in the zip`)
  seen.add(name.toLowerCase())
  if (entry.isEncrypted()) refuse(`${name}: encrypted`)
  if ((entry.generalPurposeBitFlag & ~(FLAG_DESCRIPTOR | FLAG_UTF8)) !== 0) refuse(`${name}: unknown flags`)
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    refuse(`${name}: packed by an unknown method`)
  }
  const type = (entry.externalFileAttributes >>> 16) & FILE_TYPE_MASK
  if ((type !== 0 && type !== REGULAR_FILE) || (entry.externalFileAttributes & 0x10) !== 0) {
    refuse(`${name}: not a regular file`)
  }
  if (entry.fileCommentLength !== 0) refuse(`${name}: carries a comment`)
  if (entry.extraFields.some(({ id }) => id !== ZIP64_EXTRA)) refuse(`${name}: carries unknown fields`)
}

/** Programs that unpack as they read go by the local header; all others by the directory. */
function assertSameHeader(entry: Entry, header: LocalFileHeader): void {
  const described = (entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) !== 0
  const same =
    header.fileName.equals(entry.fileNameRaw) &&
    header.extraFieldLength === 0 &&
    header.generalPurposeBitFlag === entry.generalPurposeBitFlag &&
    header.compressionMethod === entry.compressionMethod &&
    header.lastModFileTime === entry.lastModFileTime &&
    header.lastModFileDate === entry.lastModFileDate &&
    header.crc32 === (described ? 0 : entry.crc32) &&
    header.compressedSize === (described ? 0 : entry.compressedSize) &&
    header.uncompressedSize === (described ? 0 : entry.uncompressedSize)
  if (!same) refuse(`${entry.fileName}: its own header contradicts the directory`)
}

/** The descriptor behind the data of an entry whose size was not known before it was written. */
function readDescriptor(entry: Entry, buffer: Buffer, at: number): number {
  const wide = entry.extraFields.some(({ id }) => id === ZIP64_EXTRA)
  const length = wide ? 24 : 16
  if (at + length > buffer.length) refuse(`${entry.fileName}: cut off`)
  const same =
    buffer.readUInt32LE(at) === 0x08074b50 &&
    buffer.readUInt32LE(at + 4) === entry.crc32 &&
    (wide
      ? buffer.readBigUInt64LE(at + 8) === BigInt(entry.compressedSize) &&
        buffer.readBigUInt64LE(at + 16) === BigInt(entry.uncompressedSize)
      : buffer.readUInt32LE(at + 8) === entry.compressedSize &&
        buffer.readUInt32LE(at + 12) === entry.uncompressedSize)
  if (!same) refuse(`${entry.fileName}: the sizes behind its data contradict the directory`)
  return length
}

function unpack(entry: Entry, packed: Buffer): Uint8Array {
  let content: Uint8Array = packed
  if (entry.compressionMethod === DEFLATED) {
    // One byte more than declared is enough to see that the declaration is wrong, and no bomb goes off.
    const options = { maxOutputLength: entry.uncompressedSize + 1, info: true } as const
    const { buffer, engine } = inflate(packed, options, entry.fileName)
    if (engine.bytesWritten !== packed.length) refuse(`${entry.fileName}: bytes behind its packed data`)
    content = buffer
  }
  if (content.length !== entry.uncompressedSize) refuse(`${entry.fileName}: not of the size it declares`)
  if (crc32(content) !== entry.crc32) refuse(`${entry.fileName}: its checksum does not fit`)
  return content
}

function inflate(packed: Buffer, options: { maxOutputLength: number; info: true }, name: string) {
  try {
    // With `info` the result is not a buffer but holds one; the type definitions do not say so.
    return inflateRawSync(packed, options) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
  } catch (cause) {
    throw new BevisError(
      'PACK_INVALID',
      `the zip is refused: ${name}: cannot be unpacked to what it declares`,
      { cause },
    )
  }
}
