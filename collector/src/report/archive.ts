/**
 * The zip of a pack (APPNOTE 6.3.9), written as it is read. Entries are stored, not packed: zlib's output differs by
 * processor and has bits that nobody reads, and so every byte of the zip is one that counts. yazl looks through
 * all entries again for each new one, a minute of work for the hundred thousand proofs of a few agents' years.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BevisError } from '@bevis/shared/error'
import { PACK_LIMITS } from '@bevis/shared/verify/pack'

export interface ArchiveFile {
  readonly path: string
  /** At once, or piece by piece when it may be large. */
  readonly content: string | Uint8Array | Iterable<string> | AsyncIterable<string>
}

/** What the archive knows of a file that it has written. */
export interface ArchivedFile {
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
}

const MADE_BY = 0x033f
const NEEDED = 20
const NEEDED_WIDE = 45
const FLAG_UTF8 = 0x0800
const FLAG_DESCRIPTOR = 0x0008
/** Nothing of the machine or the moment: the same content gives the same bytes. */
const FIRST_OF_1980 = 0x21
const REGULAR_FILE = 0o100644 * 2 ** 16
/** The end record's way to say: look into the wide one (zip64). */
const MANY_ENTRIES = 0xffff

interface Written {
  readonly name: Buffer
  readonly flags: number
  readonly crc: number
  readonly sizeBytes: number
  readonly offset: number
}

/**
 * The zip's bytes, one file after the other. `written` is told of each file before the next one is asked for, so
 * that the last one can describe the others.
 * @throws BevisError REQUEST_TOO_LARGE when no verifier would read it
 */
export async function* zipOf(
  files: AsyncIterable<ArchiveFile>,
  written: (file: ArchivedFile) => void,
): AsyncGenerator<Buffer> {
  const directory: Written[] = []
  let offset = 0
  for await (const { path, content } of files) {
    const name = Buffer.from(path)
    const hash = createHash('sha256')
    let [crc, sizeBytes] = [0, 0]
    const take = (piece: string | Uint8Array): Buffer => {
      const bytes = Buffer.from(piece)
      hash.update(bytes)
      crc = crc32(bytes, crc)
      sizeBytes += bytes.length
      if (offset + sizeBytes > PACK_LIMITS.totalBytes) refuse()
      return bytes
    }
    const isWhole = typeof content === 'string' || content instanceof Uint8Array
    const flags = isWhole ? FLAG_UTF8 : FLAG_UTF8 | FLAG_DESCRIPTOR
    const headBytes = 30 + name.length
    if (isWhole) {
      const bytes = take(content)
      yield Buffer.concat([localHeader(name, flags, crc, sizeBytes), bytes])
    } else {
      yield localHeader(name, flags, 0, 0) // both stand behind the data
      for await (const piece of content) yield take(piece)
      yield descriptor(crc, sizeBytes)
    }
    directory.push({ name, flags, crc, sizeBytes, offset })
    offset += headBytes + sizeBytes + (isWhole ? 0 : 16)
    written({ path, sizeBytes, sha256: hash.digest('hex') })
  }
  const records = Buffer.concat(directory.map(directoryRecord))
  const ends = endRecords(directory.length, records.length, offset)
  const totalBytes = offset + records.length + ends.length
  if (directory.length > PACK_LIMITS.entries || totalBytes > PACK_LIMITS.totalBytes) refuse()
  yield records
  yield ends
}

function refuse(): never {
  throw new BevisError(
    'REQUEST_TOO_LARGE',
    'this pack would be larger than bevis-verify reads (1 GiB); make one for fewer agents',
  )
}

/** From "version needed" to "name length": what the local header and the directory both say. */
function commonFields(name: Buffer, flags: number, crc: number, sizeBytes: number): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(NEEDED, 0)
  fields.writeUInt16LE(flags, 2)
  fields.writeUInt16LE(FIRST_OF_1980, 8)
  fields.writeUInt32LE(crc, 10)
  fields.writeUInt32LE(sizeBytes, 14)
  fields.writeUInt32LE(sizeBytes, 18)
  fields.writeUInt16LE(name.length, 22)
  return fields
}

function localHeader(name: Buffer, flags: number, crc: number, sizeBytes: number): Buffer {
  return Buffer.concat([Buffer.from('PK\u0003\u0004'), commonFields(name, flags, crc, sizeBytes), name])
}

function descriptor(crc: number, sizeBytes: number): Buffer {
  const record = Buffer.alloc(16)
  record.write('PK\u0007\u0008')
  record.writeUInt32LE(crc, 4)
  record.writeUInt32LE(sizeBytes, 8)
  record.writeUInt32LE(sizeBytes, 12)
  return record
}

function directoryRecord({ name, flags, crc, sizeBytes, offset }: Written): Buffer {
  const head = Buffer.alloc(6)
  head.write('PK\u0001\u0002')
  head.writeUInt16LE(MADE_BY, 4)
  const tail = Buffer.alloc(14)
  tail.writeUInt32LE(REGULAR_FILE, 6)
  tail.writeUInt32LE(offset, 10)
  return Buffer.concat([head, commonFields(name, flags, crc, sizeBytes), tail, name])
}

function endRecords(entries: number, directoryBytes: number, directoryStart: number): Buffer {
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006')
  const few = Math.min(entries, MANY_ENTRIES)
  end.writeUInt16LE(few, 8)
  end.writeUInt16LE(few, 10)
  end.writeUInt32LE(directoryBytes, 12)
  end.writeUInt32LE(directoryStart, 16)
  if (entries < MANY_ENTRIES) return end
  const wide = Buffer.alloc(76)
  wide.write('PK\u0006\u0006')
  wide.writeBigUInt64LE(44n, 4)
  wide.writeUInt16LE(MADE_BY, 12)
  wide.writeUInt16LE(NEEDED_WIDE, 14)
  wide.writeBigUInt64LE(BigInt(entries), 24)
  wide.writeBigUInt64LE(BigInt(entries), 32)
  wide.writeBigUInt64LE(BigInt(directoryBytes), 40)
  wide.writeBigUInt64LE(BigInt(directoryStart), 48)
  wide.write('PK\u0006\u0007', 56)
  wide.writeBigUInt64LE(BigInt(directoryStart + directoryBytes), 64)
  wide.writeUInt32LE(1, 72)
  return Buffer.concat([wide, end])
}
