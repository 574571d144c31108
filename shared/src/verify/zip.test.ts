import { describe, expect, test } from 'vitest'
import { packOf } from '../../../test/kit/pack.ts'
import { smallWorld } from '../../../test/kit/world.ts'
import { writeZip, zipOf } from '../../../test/kit/zip.ts'
import type { ZipEntry } from '../../../test/kit/zip.ts'
import { isPackFile, linesOf } from './pack.ts'
import { openZip, readZip } from './zip.ts'
import type { ByteSource } from './zip.ts'

const any: (name: string) => boolean = () => true
const bytes = (text: string) => new TextEncoder().encode(text)
const readme: ZipEntry = { name: 'README.txt', content: bytes('hello') }
const refusal = (zip: Uint8Array, isKnown = any, limits?: Parameters<typeof readZip>[2]) =>
  readZip(zip, isKnown, limits).then(
    () => 'read',
    (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
  )

test('an honest zip gives its files', async () => {
  const files = await packOf(await smallWorld(1))
  const read = await readZip(zipOf(files), isPackFile)
  expect([...read.keys()]).toEqual([...files.keys()])
  for (const [name, content] of files) expect(Buffer.from(read.get(name) ?? []).equals(content)).toBe(true)
})

test('the pieces of a large file are read into one room, and its lines hold all the same', () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n} ${'x'.repeat(n % 100)}`)
  const zip = writeZip([{ name: 'a.jsonl', content: bytes(`${lines.join('\n')}\n`) }])
  const rooms = new Set<Uint8Array | undefined>()
  const source: ByteSource = {
    sizeBytes: zip.length,
    read(from, to, room = new Uint8Array(to - from)) {
      if (to - from > 100_000) rooms.add(room)
      room.set(zip.subarray(from, to))
      return room.subarray(0, to - from)
    },
  }
  const files = openZip(source, any)
  const read = Array.from(linesOf(files.pieces('a.jsonl') ?? [], 'a.jsonl'), ({ text }) => text)
  expect(read).toEqual(lines)
  expect(rooms.size).toBe(1)
})

describe('names', () => {
  test.each([
    ['../README.txt', /does not belong/],
    ['keys/../../etc/passwd', /does not belong/],
    ['/etc/passwd', /does not belong/],
    ['C:/README.txt', /does not belong/],
    ['keys\\log.vkey', /does not belong/],
    ['virus.exe', /does not belong/],
    ['proofs/', /does not belong/],
    ['proofs/01.tlog-proof', /does not belong/],
    ['README.txt\0', /does not belong/],
    ['__proto__', /does not belong/],
    ['', /does not belong/],
  ])('%j is refused', async (name, why) => {
    expect(await refusal(writeZip([{ name, content: bytes('x') }]), isPackFile)).toMatch(why)
  })

  test('twice is refused, in capitals too', async () => {
    expect(await refusal(writeZip([readme, readme]))).toMatch(/README.txt: twice/)
    expect(await refusal(writeZip([readme, { ...readme, name: 'readme.TXT' }]))).toMatch(/readme.TXT: twice/)
  })

  test('another name in the local header is refused: unpacking programs disagree about it', async () => {
    expect(await refusal(writeZip([{ ...readme, localName: 'REAMDE.txt' }]))).toMatch(
      /contradicts the directory/,
    )
  })
})

describe('entries', () => {
  test.each<[string, Partial<ZipEntry>, RegExp]>([
    ['a symbolic link', { externalAttributes: (0o120777 << 16) >>> 0 }, /packed anew/],
    ['a directory', { externalAttributes: 0x10 }, /packed anew/],
    ['another mode', { externalAttributes: (0o100755 << 16) >>> 0 }, /packed anew/],
    ['an encrypted entry', { flags: 0x0801 }, /packed anew/],
    ['a strongly encrypted entry', { flags: 0x0840 }, /packed anew/],
    ['a packed entry', { deflate: true }, /packed anew/],
    ['an unknown method', { method: 93 }, /packed anew/],
    ['a name without its encoding', { flags: 0 }, /packed anew/],
    ['a field of its own', { extra: Uint8Array.of(0x55, 0x54, 1, 0, 0) }, /packed anew/],
    ['a comment', { comment: 'look here' }, /packed anew/],
    ['more declared than there is', { declaredBytes: 6 }, /packed anew/],
    ['less declared than there is', { declaredBytes: 4 }, /packed anew/],
    ['a wrong checksum', { crc: 7 }, /checksum/],
  ])('%s is refused', async (_, change, why) => {
    expect(await refusal(writeZip([{ ...readme, ...change }]))).toMatch(why)
  })
})

describe('sizes', () => {
  test('a bomb does not go off: nothing is ever unpacked', async () => {
    const bomb: ZipEntry = { name: 'README.txt', content: new Uint8Array(50_000_000), deflate: true }
    const before = process.memoryUsage().arrayBuffers
    expect(await refusal(writeZip([bomb]))).toMatch(/packed anew/)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000)
  })

  test('limits hold for the whole and for the number of entries', async () => {
    const limits = { entries: 3, totalBytes: 1_000 }
    expect(await refusal(writeZip([{ ...readme, content: new Uint8Array(1_000) }]), any, limits)).toMatch(
      /larger/,
    )
    const four = ['a', 'b', 'c', 'd'].map((name) => ({ ...readme, name }))
    expect(await refusal(writeZip(four), any, limits)).toMatch(/4 entries/)
  })

  test('entries that lie over each other are refused', async () => {
    const zip = Buffer.from(writeZip([readme, { ...readme, name: 'index.jsonl' }]))
    const second = zip.lastIndexOf(Buffer.from('504b0102', 'hex'))
    zip.writeUInt32LE(0, second + 42)
    expect(await refusal(zip)).toMatch(/index.jsonl: does not begin where/)
  })
})

describe('the file around the entries', () => {
  const zip = writeZip([readme])

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['text', bytes('this is no zip, though it is long enough to be one')],
    ['cut off', zip.subarray(0, -1)],
    ['bytes before', Buffer.concat([bytes('#!/bin/sh\n'), zip])],
    ['bytes behind', Buffer.concat([zip, bytes('\n')])],
    ['bytes between', writeZip([readme], { gap: bytes('hidden') })],
    ['a comment', writeZip([readme], { comment: 'hidden' })],
    [
      'two zips, one in the comment of the other',
      writeZip([readme], { comment: writeZip([readme]).toString('latin1') }),
    ],
  ])('%s is refused', async (_, content) => {
    expect(await refusal(content)).toMatch(/^PACK_INVALID the zip/)
  })
})
