import { crc32, deflateRawSync } from 'node:zlib'

/** One entry of a zip that a test writes byte by byte. What is left out is as an honest writer has it. */
export interface ZipEntry {
  name: string
  content: Uint8Array
  /** Packs it, which no pack does. */
  deflate?: boolean
  /** Different name in the local header. */
  localName?: string
  flags?: number
  method?: number
  declaredBytes?: number
  crc?: number
  externalAttributes?: number
  extra?: Uint8Array
  comment?: string
}

/** A zip with exactly these entries, sound or not. */
export function writeZip(
  entries: readonly ZipEntry[],
  options: { comment?: string; gap?: Uint8Array } = {},
): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const entry of entries) {
    const name = Buffer.from(entry.name)
    const localName = Buffer.from(entry.localName ?? entry.name)
    const data = entry.deflate === true ? deflateRawSync(entry.content) : Buffer.from(entry.content)
    const extra = Buffer.from(entry.extra ?? [])
    const comment = Buffer.from(entry.comment ?? '')
    const fixed = Buffer.alloc(26)
    fixed.writeUInt16LE(20, 0)
    fixed.writeUInt16LE(entry.flags ?? 0x0800, 2)
    fixed.writeUInt16LE(entry.method ?? (entry.deflate === true ? 8 : 0), 4)
    fixed.writeUInt16LE(0, 6)
    fixed.writeUInt16LE(0x21, 8)
    fixed.writeUInt32LE(entry.crc ?? crc32(entry.content), 10)
    fixed.writeUInt32LE(data.length, 14)
    fixed.writeUInt32LE(entry.declaredBytes ?? entry.content.length, 18)
    fixed.writeUInt16LE(localName.length, 22)
    const local = Buffer.concat([Buffer.from('504b0304', 'hex'), fixed, localName, data])
    fixed.writeUInt16LE(name.length, 22)
    fixed.writeUInt16LE(extra.length, 24)
    const tail = Buffer.alloc(14)
    tail.writeUInt16LE(comment.length, 0)
    tail.writeUInt32LE(entry.externalAttributes ?? (0o100644 << 16) >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('504b01023f03', 'hex'), fixed, tail, name, extra, comment]))
    parts.push(local)
    offset += local.length
  }
  const gap = Buffer.from(options.gap ?? [])
  const central = Buffer.concat(directory)
  const comment = Buffer.from(options.comment ?? '')
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset + gap.length, 12)
  end.writeUInt16LE(comment.length, 16)
  return Buffer.concat([...parts, gap, central, Buffer.from('504b0506', 'hex'), end, comment])
}

/** The honest zip of some files. */
export function zipOf(files: ReadonlyMap<string, Uint8Array>): Buffer {
  return writeZip([...files].map(([name, content]) => ({ name, content })))
}
