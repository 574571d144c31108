import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import { expect, test } from 'vitest'
import { isPackFile, proofFile } from '@bevis/shared/verify/pack'
import { readZip } from '@bevis/shared/verify/zip'
import { zipOf } from './archive.ts'
import type { ArchiveFile, ArchivedFile } from './archive.ts'

async function* numbered(count: number): AsyncGenerator<ArchiveFile> {
  for (let leaf = 0; leaf < count; leaf += 1) yield { path: proofFile(leaf), content: `${leaf}` }
}

test('a file that comes piece by piece is described behind its data', async () => {
  const written: ArchivedFile[] = []
  async function* files(): AsyncGenerator<ArchiveFile> {
    yield { path: 'README.txt', content: ['hel', 'lo'] }
    expect(written).toMatchObject([{ path: 'README.txt', sizeBytes: 5 }])
    yield { path: 'index.jsonl', content: 'æ' }
  }
  const read = await readZip(await buffer(zipOf(files(), (file) => written.push(file))), isPackFile)
  expect([...read].map(([name, content]) => [name, Buffer.from(content).toString()])).toEqual([
    ['README.txt', 'hello'],
    ['index.jsonl', 'æ'],
  ])
  expect(written[0]?.sha256).toBe('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824')
})

test('more files than an old zip can count (zip64), and one changed byte of its ends is seen', async () => {
  const zip = await buffer(zipOf(numbered(65_600), () => {}))
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

test('what no verifier would read is not written', async () => {
  const large: ArchiveFile = {
    path: 'evidence.csv',
    content: Array.from({ length: 1_100 }, () => 'x'.repeat(2 ** 20)),
  }
  async function* files(): AsyncGenerator<ArchiveFile> {
    yield large
  }
  const reading = finished(Readable.from(zipOf(files(), () => {})).resume())
  await expect(reading).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' })
})
