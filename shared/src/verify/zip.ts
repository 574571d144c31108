import { crc32 } from 'node:zlib'
import { fromBufferPromise } from 'yauzl'
import type { Entry, LocalFileHeader } from 'yauzl'
import { BevisError, errorMessageOf } from '../error.ts'
import { PACK_LIMITS } from './pack.ts'

const STORED = 0
const FLAG_DESCRIPTOR = 0x0008
const FLAG_UTF8 = 0x0800
/** What our writer says of itself and of every entry: fixed, so that no byte of the zip is left to chance. */
const MADE_BY = 0x033f
const NEEDED = 20
const NEEDED_WIDE = 45
const REGULAR_FILE = 0o100644 * 2 ** 16
const MIDNIGHT = 0
const FIRST_OF_1980 = 0x21
const DIRECTORY_BYTES = 46
const DESCRIPTOR_BYTES = 16
const END_BYTES = 22

/**
 * Takes a zip apart, by name, refusing whatever two programs could read differently (APPNOTE 6.3.9): names in
 * capitals and small letters, absolute and climbing names, links, encryption, comments, bytes before, between or
 * after the entries, a local header that does not say what the directory says. Entries are stored, not packed:
 * nothing can swell, and no bits are left over that nobody reads. Every other field must be as the collector
 * writes it, so that one changed byte anywhere is seen; a zip that was packed anew is refused.
 * @param isKnown says which names belong in this zip
 * @throws BevisError PACK_INVALID naming the entry
 */
export async function readZip(
  bytes: Uint8Array,
  isKnown: (name: string) => boolean,
  limits: typeof PACK_LIMITS = PACK_LIMITS,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    if (buffer.length > limits.totalBytes) refuse(`it is larger than ${limits.totalBytes} bytes`)
    const end = readEnd(buffer)
    if (end.entries > limits.entries) refuse(`it has ${end.entries} entries, more than ${limits.entries}`)
    const zip = await fromBufferPromise(buffer, { strictFileNames: true, validateEntrySizes: false })
    const seen = new Set<string>()
    let record = end.directoryStart
    let cursor = 0
    for await (const entry of zip.eachEntry()) {
      assertPlain(entry, isKnown, seen)
      if (buffer.readUInt16LE(record + 34) !== 0) refuse(`${entry.fileName}: on another disk`)
      record += DIRECTORY_BYTES + entry.fileNameLength
      if (entry.relativeOffsetOfLocalHeader !== cursor) {
        refuse(`${entry.fileName}: does not begin where the entry before it ends`)
      }
      const header = await zip.readLocalFileHeaderPromise(entry)
      assertSameHeader(entry, header)
      cursor = header.fileDataStart + entry.compressedSize
      const content = buffer.subarray(header.fileDataStart, cursor)
      if (crc32(content) !== entry.crc32) refuse(`${entry.fileName}: its checksum does not fit`)
      files.set(entry.fileName, content)
      if ((entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) !== 0) {
        assertDescriptor(entry, buffer, cursor)
        cursor += DESCRIPTOR_BYTES
      }
    }
    if (cursor !== end.directoryStart || record !== end.start)
      refuse('there are bytes that belong to no entry')
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
    buffer.readUInt16LE(start + 12) === MADE_BY &&
    buffer.readUInt16LE(start + 14) === NEEDED_WIDE &&
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
  const asWritten =
    entry.compressionMethod === STORED &&
    entry.compressedSize === entry.uncompressedSize &&
    (entry.generalPurposeBitFlag & ~FLAG_DESCRIPTOR) === FLAG_UTF8 &&
    entry.externalFileAttributes === REGULAR_FILE &&
    entry.internalFileAttributes === 0 &&
    entry.extraFieldLength === 0 &&
    entry.fileCommentLength === 0 &&
    entry.versionMadeBy === MADE_BY &&
    entry.versionNeededToExtract === NEEDED &&
    entry.lastModFileTime === MIDNIGHT &&
    entry.lastModFileDate === FIRST_OF_1980
  if (!asWritten) refuse(`${name}: not as the collector writes it; was it packed anew?`)
}

/** Programs that unpack as they read go by the local header; all others by the directory. */
function assertSameHeader(entry: Entry, header: LocalFileHeader): void {
  const described = (entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) !== 0
  const same =
    header.fileName.equals(entry.fileNameRaw) &&
    header.extraFieldLength === 0 &&
    header.versionNeededToExtract === entry.versionNeededToExtract &&
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
function assertDescriptor(entry: Entry, buffer: Buffer, at: number): void {
  const same =
    at + DESCRIPTOR_BYTES <= buffer.length &&
    buffer.readUInt32LE(at) === 0x08074b50 &&
    buffer.readUInt32LE(at + 4) === entry.crc32 &&
    buffer.readUInt32LE(at + 8) === entry.compressedSize &&
    buffer.readUInt32LE(at + 12) === entry.uncompressedSize
  if (!same) refuse(`${entry.fileName}: the sizes behind its data contradict the directory`)
}
