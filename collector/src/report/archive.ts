/**
 * The zip of a pack (APPNOTE 6.3.9), written as it is read. Entries are stored, not packed: zlib's output differs by
 * processor and has bits that nobody reads, and so every byte of the zip is one that counts. yazl looks through
 * all entries again for each new one, a minute of work for the hundred thousand proofs of a few agents' years.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BevisError } from '@bevis/shared/error'
import { PACK_LIMITS } from '@bevis/shared/verify/pack'
import type { ZipLimits } from '@bevis/shared/verify/zip-directory'
import { WIDE_FROM_BYTES, ZIP } from '@bevis/shared/verify/zip-format'
import type { Archived, Placed } from './archived.ts'

export interface ArchiveFile {
  readonly path: string
  /** At once, or piece by piece when it may be large. */
  readonly content: string | Uint8Array | Iterable<string> | AsyncIterable<string>
  /** How many bytes the pieces have together: must be told of what may be larger than 4 GiB. */
  readonly sizeBytes?: number
}

/** Small files are handed on together. */
const BATCH_BYTES = 2 ** 16

/**
 * The zip's bytes, one file after the other. `archived` has each file before the next one is asked for, so that the
 * last one can describe the others.
 * @throws BevisError REQUEST_TOO_LARGE when no verifier would read it; INTERNAL for a file of another size than told
 */
export async function* zipOf(
  files: AsyncIterable<ArchiveFile>,
  archived: Archived,
  limits: ZipLimits = PACK_LIMITS,
): AsyncGenerator<Buffer> {
  const { wideFromBytes = WIDE_FROM_BYTES } = limits
  let offset = 0
  let [batch, batchBytes]: [Buffer[], number] = [[], 0]
  for await (const file of files) {
    for await (const bytes of entryOf(file, offset, archived, wideFromBytes)) {
      offset += bytes.length
      batch.push(bytes)
      batchBytes += bytes.length
      if (offset > limits.totalBytes) refuse()
      if (batchBytes < BATCH_BYTES) continue
      yield Buffer.concat(batch, batchBytes)
      ;[batch, batchBytes] = [[], 0]
    }
    if (archived.count > limits.entries) refuse()
  }
  yield Buffer.concat(batch, batchBytes)
  let directoryBytes = 0
  for (const records of directoryOf(archived, wideFromBytes)) {
    directoryBytes += records.length
    if (offset + directoryBytes > limits.totalBytes) refuse()
    yield records
  }
  yield endRecords(archived.count, directoryBytes, offset, wideFromBytes)
}

function refuse(): never {
  throw new BevisError(
    'REQUEST_TOO_LARGE',
    'this pack would be larger than bevis-verify reads (64 GiB, or 8 million files); make one for fewer agents',
  )
}

async function* entryOf(
  { path, content, sizeBytes: told }: ArchiveFile,
  headerAt: number,
  archived: Archived,
  wideFromBytes: number,
): AsyncGenerator<Buffer> {
  const name = path
  const isDescribed = !(typeof content === 'string' || content instanceof Uint8Array)
  const hash = createHash('sha256')
  let [crc, sizeBytes] = [0, 0]
  const take = (piece: string | Uint8Array): Buffer => {
    const bytes =
      typeof piece === 'string'
        ? Buffer.from(piece)
        : Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    hash.update(bytes)
    crc = crc32(bytes, crc)
    sizeBytes += bytes.length
    return bytes
  }
  if (typeof content === 'string' || content instanceof Uint8Array) {
    const bytes = take(content)
    yield localHeader({ name, crc, sizeBytes, isDescribed: false, headerAt }, wideFromBytes)
    yield bytes
  } else {
    // What stands behind the data is not known yet; how many bytes it will have is.
    const isWide = (told ?? 0) >= wideFromBytes
    const before = { name, crc: 0, sizeBytes: isWide ? (told ?? 0) : 0, isDescribed: true, headerAt }
    yield localHeader(before, wideFromBytes)
    for await (const piece of content) yield take(piece)
    if (sizeBytes >= wideFromBytes !== isWide || (told ?? sizeBytes) !== sizeBytes) {
      throw new BevisError('INTERNAL', `${name} has ${sizeBytes} bytes, and ${told ?? 'fewer'} were told`)
    }
    yield descriptor(crc, sizeBytes, isWide)
  }
  archived.add({ name, crc, sizeBytes, isDescribed, headerAt }, hash.digest())
}

/** From "version needed" to "name length": what the local header and the directory both say. */
function commonFields(
  { name, crc, sizeBytes, isDescribed }: Placed,
  { isWide, isExtended }: { isWide: boolean; isExtended: boolean },
): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(isExtended ? ZIP.neededWide : ZIP.needed, 0)
  fields.writeUInt16LE(ZIP.flagUtf8 | (isDescribed ? ZIP.flagDescriptor : 0), 2)
  // Nothing of the machine or the moment: the same content gives the same bytes.
  fields.writeUInt16LE(ZIP.firstOf1980, 8)
  fields.writeUInt32LE(crc, 10)
  fields.writeUInt32LE(isWide ? ZIP.elsewhere32 : sizeBytes, 14)
  fields.writeUInt32LE(isWide ? ZIP.elsewhere32 : sizeBytes, 18)
  fields.writeUInt16LE(Buffer.byteLength(name), 22)
  return fields
}

/** The field for numbers of eight bytes (zip64); nothing without numbers. */
function wideField(numbers: readonly number[]): Buffer {
  if (numbers.length === 0) return Buffer.alloc(0)
  const field = Buffer.alloc(4 + 8 * numbers.length)
  field.writeUInt16LE(ZIP.wideField, 0)
  field.writeUInt16LE(8 * numbers.length, 2)
  for (const [n, number] of numbers.entries()) field.writeBigUInt64LE(BigInt(number), 4 + 8 * n)
  return field
}

function localHeader(file: Placed, wideFromBytes: number): Buffer {
  const { name, sizeBytes, isDescribed } = file
  const isWide = sizeBytes >= wideFromBytes
  const extra = wideField(isWide ? [isDescribed ? 0 : sizeBytes, isDescribed ? 0 : sizeBytes] : [])
  const fields = commonFields(file, { isWide, isExtended: isWide })
  fields.writeUInt16LE(extra.length, 24)
  return Buffer.concat([Buffer.from('PK\u0003\u0004'), fields, Buffer.from(name), extra])
}

function descriptor(crc: number, sizeBytes: number, isWide: boolean): Buffer {
  const record = Buffer.alloc(isWide ? 24 : 16)
  record.write('PK\u0007\u0008')
  record.writeUInt32LE(crc, 4)
  for (const n of [0, 1]) {
    if (isWide) record.writeBigUInt64LE(BigInt(sizeBytes), 8 + 8 * n)
    else record.writeUInt32LE(sizeBytes, 8 + 4 * n)
  }
  return record
}

function* directoryOf(archived: Archived, wideFromBytes: number): Generator<Buffer> {
  let [batch, batchBytes]: [Buffer[], number] = [[], 0]
  for (const file of archived.placed()) {
    const record = directoryRecord(file, wideFromBytes)
    batch.push(record)
    batchBytes += record.length
    if (batchBytes < BATCH_BYTES) continue
    yield Buffer.concat(batch, batchBytes)
    ;[batch, batchBytes] = [[], 0]
  }
  yield Buffer.concat(batch, batchBytes)
}

function directoryRecord(file: Placed, wideFromBytes: number): Buffer {
  const { name, sizeBytes, headerAt } = file
  const isWide = sizeBytes >= wideFromBytes
  const isFar = headerAt >= wideFromBytes
  const extra = wideField([...(isWide ? [sizeBytes, sizeBytes] : []), ...(isFar ? [headerAt] : [])])
  const head = Buffer.alloc(6)
  head.write('PK\u0001\u0002')
  head.writeUInt16LE(ZIP.madeBy, 4)
  const fields = commonFields(file, { isWide, isExtended: extra.length > 0 })
  fields.writeUInt16LE(extra.length, 24)
  const tail = Buffer.alloc(14)
  tail.writeUInt32LE(ZIP.regularFile, 6)
  tail.writeUInt32LE(isFar ? ZIP.elsewhere32 : headerAt, 10)
  return Buffer.concat([head, fields, tail, Buffer.from(name), extra])
}

function endRecords(
  entries: number,
  directoryBytes: number,
  directoryStart: number,
  wideFromBytes: number,
): Buffer {
  const narrowed = (bytes: number) => (bytes < wideFromBytes ? bytes : ZIP.elsewhere32)
  const end = Buffer.alloc(22)
  end.write('PK\u0005\u0006')
  const few = Math.min(entries, ZIP.elsewhere16)
  end.writeUInt16LE(few, 8)
  end.writeUInt16LE(few, 10)
  end.writeUInt32LE(narrowed(directoryBytes), 12)
  end.writeUInt32LE(narrowed(directoryStart), 16)
  if (entries < ZIP.elsewhere16 && directoryBytes < wideFromBytes && directoryStart < wideFromBytes)
    return end
  const wide = Buffer.alloc(76)
  wide.write('PK\u0006\u0006')
  wide.writeBigUInt64LE(44n, 4)
  wide.writeUInt16LE(ZIP.madeBy, 12)
  wide.writeUInt16LE(ZIP.neededWide, 14)
  wide.writeBigUInt64LE(BigInt(entries), 24)
  wide.writeBigUInt64LE(BigInt(entries), 32)
  wide.writeBigUInt64LE(BigInt(directoryBytes), 40)
  wide.writeBigUInt64LE(BigInt(directoryStart), 48)
  wide.write('PK\u0006\u0007', 56)
  wide.writeBigUInt64LE(BigInt(directoryStart + directoryBytes), 64)
  wide.writeUInt32LE(1, 72)
  return Buffer.concat([wide, end])
}
