/**
 * Whether files look encrypted: their bytes are as even as chance, and they do not begin as any of the usual compressed
 * formats does. An honest guess for an alarm, never a verdict.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { bytesOf, pathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'

/** Of less, even random bytes do not look even. */
const LEAST_BYTES = 4_096
const MOST_BYTES = 65_536
/** Bits a byte. 4,096 random bytes measure 7.95, text 4 to 6, machine code 6 to 7. */
const EVEN_BITS = 7.9

/** Files in these formats are as even as encrypted ones, and are not. Bytes at an offset, as hexadecimal digits. */
const COMPRESSED: readonly (readonly [offset: number, magic: string])[] = [
  [0, '1f8b'], // gzip
  [0, '28b52ffd'], // zstd
  [0, 'fd377a585a00'], // xz
  [0, '425a68'], // bzip2
  [0, '04224d18'], // lz4
  [0, '504b0304'], // zip, office documents, jar
  [0, '377abcaf271c'], // 7z
  [0, '52617221'], // rar
  [0, 'ffd8ff'], // jpeg
  [0, '89504e47'], // png
  [0, '47494638'], // gif
  [0, '25504446'], // pdf
  [8, '57454250'], // webp
  [4, '66747970'], // mp4, heic, avif
  [0, '1a45dfa3'], // matroska, webm
  [0, '494433'], // mp3
  [0, '4f676753'], // ogg
  [0, '664c6143'], // flac
  [0, '5041434b'], // git's packs
  [0, '5047444d50'], // pg_dump
  [0, '774f4632'], // woff2
]

export interface LookedEncrypted {
  /** Large enough to be measured, and readable. */
  readonly looked: number
  readonly count: number
  /** The first twenty. */
  readonly paths: readonly string[]
}

export function lookEncrypted(sample: readonly BytePath[]): LookedEncrypted {
  let looked = 0
  const paths: string[] = []
  for (const path of sample) {
    const bytes = readStart(path)
    if (bytes === null || bytes.length < LEAST_BYTES) continue
    looked += 1
    if (!isCompressed(bytes) && bitsPerByte(bytes) >= EVEN_BITS) paths.push(pathText(path))
  }
  return { looked, count: paths.length, paths: paths.slice(0, 20) }
}

/** Shannon's entropy of the bytes, from 0 to 8. */
export function bitsPerByte(bytes: Uint8Array): number {
  const counts = new Uint32Array(256)
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1
  let bits = 0
  for (const count of counts) if (count > 0) bits -= (count / bytes.length) * Math.log2(count / bytes.length)
  return bits
}

function isCompressed(bytes: Buffer): boolean {
  return COMPRESSED.some(
    ([offset, magic]) => bytes.toString('hex', offset, offset + magic.length / 2) === magic,
  )
}

/** The name itself; and a FIFO that somebody put in its place would keep us waiting for ever. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Null where it is not a file any more, or cannot be read. */
function readStart(path: BytePath): Buffer | null {
  try {
    const file = openSync(bytesOf(path), FLAGS)
    try {
      if (!fstatSync(file).isFile()) return null
      const bytes = Buffer.alloc(MOST_BYTES)
      return bytes.subarray(0, readSync(file, bytes, 0, MOST_BYTES, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    return null
  }
}
