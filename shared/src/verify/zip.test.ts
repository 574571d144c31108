import { describe, expect, test } from 'vitest'
import { packOf, smallWorld } from '../../../test/kit/pack.ts'
import { writeZip, zipOf } from '../../../test/kit/zip.ts'
import type { ZipEntry } from '../../../test/kit/zip.ts'
import { isPackFile } from './pack.ts'
import { readZip } from './zip.ts'

const any: (name: string) => boolean = () => true
const bytes = (text: string) => new TextEncoder().encode(text)
const readme: ZipEntry = { name: 'README.txt', content: bytes('hello'), deflate: true }
const refusal = (zip: Uint8Array, isKnown = any, limits?: Parameters<typeof readZip>[2]) =>
  readZip(zip, isKnown, limits).then(
    () => 'read',
    (error: { code?: string; message: string }) => `${error.code} ${error.message}`,
  )

test('an honest zip gives its files, packed or stored', async () => {
  const files = await packOf(await smallWorld(1))
  const read = await readZip(zipOf(files), isPackFile)
  expect([...read.keys()]).toEqual([...files.keys()])
  for (const [name, content] of files) expect(Buffer.from(read.get(name) ?? []).equals(content)).toBe(true)
})

describe('names', () => {
  test.each([
    ['../README.txt', /invalid relative path/],
    ['keys/../../etc/passwd', /invalid relative path/],
    ['/etc/passwd', /absolute path/],
    ['C:/README.txt', /absolute path/],
    ['keys\\log.vkey', /invalid characters/],
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
    expect(await refusal(writeZip([{ ...readme, localName: 'index.txt' }]))).toMatch(
      /contradicts the directory/,
    )
  })
})

describe('entries', () => {
  test.each<[string, Partial<ZipEntry>, RegExp]>([
    ['a symbolic link', { externalAttributes: (0o120777 << 16) >>> 0 }, /not a regular file/],
    ['a directory', { externalAttributes: 0x10 }, /not a regular file/],
    ['an encrypted entry', { flags: 0x0801 }, /encrypted/],
    ['a strongly encrypted entry', { flags: 0x0840 }, /encryption/],
    ['an unknown method', { method: 93 }, /unknown method/],
    ['an unknown field', { extra: Uint8Array.of(0x55, 0x54, 1, 0, 0) }, /unknown fields/],
    ['a comment', { comment: 'look here' }, /comment/],
    ['a wrong checksum', { crc: 7 }, /checksum/],
  ])('%s is refused', async (_, change, why) => {
    expect(await refusal(writeZip([{ ...readme, ...change }]))).toMatch(why)
  })
})

describe('sizes', () => {
  const bomb: ZipEntry = { name: 'README.txt', content: new Uint8Array(50_000_000), deflate: true }

  test('an entry that unpacks to more than it declares is stopped there', async () => {
    const before = process.memoryUsage().arrayBuffers
    expect(await refusal(writeZip([{ ...bomb, declaredBytes: 5 }]))).toMatch(
      /cannot be unpacked to what it declares/,
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000)
  })

  test('an entry that unpacks to less than it declares is refused', async () => {
    expect(await refusal(writeZip([{ ...readme, declaredBytes: 6 }]))).toMatch(/not of the size/)
  })

  test('limits hold for one entry, for all together, and for their number', async () => {
    const limits = { entries: 3, entryBytes: 40_000_000, totalBytes: 60_000_000 }
    expect(await refusal(writeZip([bomb]), any, limits)).toMatch(/larger than allowed/)
    const half = { ...bomb, content: new Uint8Array(35_000_000) }
    expect(await refusal(writeZip([half, { ...half, name: 'b' }]), any, limits)).toMatch(
      /unpacked it is larger/,
    )
    const four = ['a', 'b', 'c', 'd'].map((name) => ({ ...readme, name }))
    expect(await refusal(writeZip(four), any, limits)).toMatch(/4 entries/)
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

  test('one compressed stream followed by hidden bytes is refused', async () => {
    const packed = Buffer.concat([zip.subarray(40, 40 + 7), bytes('hidden')])
    expect(packed.length).toBeGreaterThan(0)
    const stored: ZipEntry = {
      name: 'README.txt',
      content: packed,
      method: 8,
      crc: 0x3610a686,
      declaredBytes: 5,
    }
    expect(await refusal(writeZip([stored]))).toMatch(/bytes behind its packed data/)
  })
})
