import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { isPackFile, proofFile } from '@bevis/shared/verify/pack'
import { readZip } from '@bevis/shared/verify/zip'
import { zipOf } from './archive.ts'
import type { ArchiveFile } from './archive.ts'
import { Archived } from './archived.ts'

async function* numbered(count: number): AsyncGenerator<ArchiveFile> {
  for (let leaf = 0; leaf < count; leaf += 1) yield { path: proofFile(leaf), content: `${leaf}` }
}

async function* these(...files: readonly ArchiveFile[]): AsyncGenerator<ArchiveFile> {
  yield* files
}

const textsOf = (files: ReadonlyMap<string, Uint8Array>) =>
  Array.from(files, ([name, content]) => [name, Buffer.from(content).toString()])

test('a file that comes piece by piece is described behind its data', async () => {
  const archived = new Archived()
  async function* files(): AsyncGenerator<ArchiveFile> {
    yield { path: 'README.txt', content: ['hel', 'lo'] }
    expect([...archived]).toMatchObject([{ path: 'README.txt', sizeBytes: 5 }])
    yield { path: 'index.jsonl', content: 'æ' }
  }
  const read = await readZip(await buffer(zipOf(files(), archived)), isPackFile)
  expect(textsOf(read)).toEqual([
    ['README.txt', 'hello'],
    ['index.jsonl', 'æ'],
  ])
  expect([...archived][0]?.sha256).toBe('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824')
})

test('more files than an old zip can count (zip64), and one changed byte of its ends is seen', async () => {
  const zip = await buffer(zipOf(numbered(65_600), new Archived()))
  const files = await readZip(zip, isPackFile)
  expect(files.size).toBe(65_600)
  expect(Buffer.from(files.get(proofFile(65_599)) ?? []).toString()).toBe('65599')
  for (let back = 1; back <= 98; back += 1) {
    zip[zip.length - back] = (zip.at(-back) ?? 0) ^ 1
    await expect(readZip(zip, isPackFile), `${back} bytes before the end`).rejects.toMatchObject({
      code: 'PACK_INVALID',
    })
    zip[zip.length - back] = (zip.at(-back) ?? 0) ^ 1
  }
})

test('sizes and places beyond four bytes (zip64): every byte counts', async () => {
  const limits = { entries: 100, totalBytes: 10_000, wideFromBytes: 200 }
  const large = 'x'.repeat(150)
  const files = [
    { path: 'README.txt', content: 'small' },
    { path: 'evidence.intoto.jsonl', content: [large, large], sizeBytes: 300 },
    { path: 'index.jsonl', content: ['far'] },
    { path: 'evidence.csv', content: `${large}${large}` },
  ]
  const zip = await buffer(zipOf(these(...files), new Archived(), limits))
  expect(textsOf(await readZip(zip, isPackFile, limits))).toEqual(
    files.map(({ path, content }) => [path, [content].flat().join('')]),
  )
  const taken: number[] = []
  for (let at = 0; at < zip.length; at += 1) {
    const changed = Buffer.from(zip)
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
    const read = readZip(changed, isPackFile, limits)
    await read.then(
      () => taken.push(at),
      ({ code }: { code?: string }) => expect(code).toBe('PACK_INVALID'),
    )
  }
  expect(taken).toEqual([])
  // Wide where it need not be is another form.
  await expect(readZip(zip, isPackFile)).rejects.toMatchObject({ code: 'PACK_INVALID' })
})

test('a file of another size than was told is not written', async () => {
  const limits = { entries: 100, totalBytes: 10_000, wideFromBytes: 200 }
  for (const sizeBytes of [undefined, 0, 299, 301]) {
    const file = {
      path: 'evidence.csv',
      content: ['x'.repeat(300)],
      ...(sizeBytes !== undefined && { sizeBytes }),
    }
    await expect(buffer(zipOf(these(file), new Archived(), limits))).rejects.toMatchObject({
      code: 'INTERNAL',
    })
  }
})

test('what no verifier would read is not written', async () => {
  const large: ArchiveFile = {
    path: 'evidence.csv',
    content: Array.from({ length: 11 }, () => 'x'.repeat(100)),
  }
  const limits = { entries: 10, totalBytes: 1_000 }
  const write = (files: AsyncIterable<ArchiveFile>) =>
    finished(Readable.from(zipOf(files, new Archived(), limits)).resume())
  await expect(write(these(large))).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' })
  await expect(write(numbered(11))).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' })
})
