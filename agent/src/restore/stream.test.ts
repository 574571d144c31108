import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDigestPool } from '../tree/digest-pool.ts'
import { MARK, READING } from '../tree/pair-table.ts'
import { bytePathOf, bytesOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { sha256Hex } from '@bevis/shared/crypto'
import { statPath } from '../tree/walk.ts'
import { AwaitedFiles } from './awaited.ts'
import type { Expected } from './expected.ts'
import { openStream } from './stream.ts'

interface Place {
  readonly target: BytePath
  readonly path: (name: string) => BytePath
  readonly write: (name: string, content: string) => Expected
}

/** A source, and a target in which the same files were restored. */
function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-stream-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const source = join(folder, 'source')
  const target = join(folder, 'target')
  for (const made of [source, `${target}${source}`]) mkdirSync(made, { recursive: true })
  const path = (name: string): BytePath => bytePathOf(join(source, name))
  return {
    path,
    target: bytePathOf(target),
    write(name, content) {
      writeFileSync(join(source, name), content)
      writeFileSync(`${target}${source}/${name}`, content)
      const stat = statPath(path(name))
      if ('error' in stat) throw new Error(stat.error)
      const witness = { state: 'witness' as const, sha256: sha256Hex(content), racy: false }
      return { ...stat, path: path(name), isResolved: true, isListed: true, witness }
    },
  }
}

function awaited(items: readonly Expected[]): AwaitedFiles {
  const files = new AwaitedFiles()
  for (const item of items) files.add(item)
  files.close()
  return files
}

const event = (item: Expected) => ({ action: 'restored', path: item.path, sizeBytes: item.size })
const fail = (error: unknown): never => {
  throw error
}

test('identical files are emptied but for the specimen; what differs, has several names or was never named stays', async () => {
  const { target, write, path } = place()
  const items = ['specimen', 'a', 'b', 'damaged', 'touched', 'unnamed'].map((name) =>
    write(name, `bytes of ${name}`),
  )
  writeFileSync(`${target}${path('damaged')}`, 'BYTES of damaged')
  writeFileSync(bytesOf(path('touched')), 'bytes of touched')
  const [linked, link] = ['linked', 'link'].map((name) => ({ ...write(name, 'links'), inode: 7 }))
  if (!linked || !link) throw new Error('no links')
  const files = awaited([...items, linked, link])
  const pool = openDigestPool(1)
  onTestFinished(() => pool.close())
  const options = { pool, files, target, limitBytes: 1e6, usedBytes: () => 0, onFailure: fail }
  const stream = openStream({ ...options, isSample: false })
  for (const item of [...items.slice(0, -1), linked]) stream.onEvent(event(item))
  stream.onEvent({ action: 'restored', path: '/somewhere/else', sizeBytes: 1 })
  await stream.settle()
  const sizes = Object.fromEntries(
    ['specimen', 'a', 'b', 'damaged', 'touched', 'unnamed', 'linked'].map((name) => [
      name,
      [files.readingOf(path(name)), statSync(`${target}${path(name)}`).size > 0],
    ]),
  )
  expect(sizes).toEqual({
    specimen: [READING.clean, true],
    a: [READING.clean, false],
    b: [READING.clean, false],
    damaged: [READING.differs, true],
    touched: [READING.known, false],
    unnamed: [READING.none, true],
    linked: [READING.known, true],
  })
})

test('a sample that fits is read where it lies, and nothing of it is emptied', async () => {
  const { target, write } = place()
  const items = ['a', 'b', 'c'].map((name) => write(name, `bytes of ${name}`))
  const files = awaited(items)
  const pool = openDigestPool(1)
  onTestFinished(() => pool.close())
  const options = { pool, files, target, limitBytes: 1e6, usedBytes: () => 0, onFailure: fail }
  const stream = openStream({ ...options, isSample: true })
  for (const item of items) stream.onEvent(event(item))
  await stream.settle()
  for (const { path, size } of items) {
    expect(files.readingOf(path)).toBe(READING.clean)
    expect(statSync(`${target}${path}`).size).toBe(size)
  }
})

test('restic is held while the threads are behind, and goes on once they have nothing to read', async () => {
  const { target, write } = place()
  const items = Array.from({ length: 200 }, (_, at) => write(`f${at}`, 'x'.repeat(4096)))
  const files = awaited(items)
  const pool = openDigestPool(1)
  onTestFinished(() => pool.close())
  const said: string[] = []
  const stream = openStream({
    pool,
    files,
    target,
    isSample: true,
    limitBytes: 100 * 4096,
    usedBytes: () => 0,
    onFailure: fail,
  })
  stream.onStart({ hold: () => said.push('hold'), resume: () => said.push('resume') })
  for (const item of items) stream.onEvent(event(item))
  stream.onWritten(0)
  expect(said).toEqual(['hold'])
  await stream.settle()
  expect(said.at(-1)).toBe('resume')
  // A file under way fills the scratch, and there is nothing to read: only restic can finish it.
  stream.onWritten(1e9)
  expect(said.at(-1)).toBe('resume')
})

test('where files that differ would fill the scratch, their digests are kept instead of them', async () => {
  const { target, write } = place()
  const items = Array.from({ length: 300 }, (_, at) => write(`f${at}`, 'x'.repeat(4096)))
  for (const { path } of items) writeFileSync(`${target}${path}`, 'y'.repeat(4096))
  const files = awaited(items)
  const pool = openDigestPool(1)
  onTestFinished(() => pool.close())
  const stream = openStream({
    pool,
    files,
    target,
    isSample: true,
    limitBytes: 100 * 4096,
    usedBytes: () => 0,
    onFailure: fail,
  })
  for (const item of items) {
    stream.onEvent(event(item))
    await stream.settle()
  }
  const emptied = items.filter(({ path }) => files.table.has(files.find(path), MARK.emptied))
  expect(emptied.length).toBeGreaterThan(250)
  const digest = files.table.digestOf(files.find(emptied[0]?.path ?? bytePathOf('/'))).toString('hex')
  expect(digest).toBe(sha256Hex('y'.repeat(4096)))
})

test('a file is found by its path among many, and by no other path', () => {
  const items = Array.from({ length: 20_000 }, (_, at) => ({
    ...place0,
    path: bytePathOf(`/srv/d${at % 100}/f${at}`),
    size: at + 1,
  }))
  const files = awaited(items)
  expect(files.count).toBe(20_000)
  expect(items.every(({ path, size }) => files.table.sizeOf(files.find(path)) === size)).toBe(true)
  expect(files.find(bytePathOf('/srv/d1/f0'))).toBe(-1)
})

const place0: Expected = {
  path: bytePathOf('/'),
  kind: 'file',
  size: 1,
  mtimeNs: 1n,
  ctimeNs: 1n,
  inode: null,
  mode: 0o644,
  uid: 0,
  gid: 0,
  isListed: true,
  isResolved: true,
  witness: { state: 'none' },
}
