import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytePathOf, compareInTree, isWithin } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { draw } from './draw.ts'
import { orderKey } from './order.ts'
import type { Choice, Drawn } from './draw.ts'
import type { Expected } from './expected.ts'

function item(path: string, over: Partial<Expected> = {}): Expected {
  return {
    path: bytePathOf(path),
    kind: 'file',
    size: 10,
    mtimeNs: 0n,
    ctimeNs: 0n,
    inode: 1,
    mode: 0o644,
    uid: 0,
    gid: 0,
    isListed: true,
    isResolved: true,
    witness: { state: 'none' },
    ...over,
  }
}

/** `folders` folders with `files` files each, and the nodes of the folders, in tree order. */
function tree(folders: number, files: number): Expected[] {
  const items = [item('/srv', { kind: 'dir', size: 0 })]
  for (let folder = 0; folder < folders; folder += 1) {
    items.push(item(`/srv/d${folder}`, { kind: 'dir', size: 0 }))
    for (let file = 0; file < files; file += 1) items.push(item(`/srv/d${folder}/f${file}`))
  }
  return items.toSorted((one, other) => compareInTree(one.path, other.path))
}

async function* inBatches(items: Expected[], size = 97): AsyncGenerator<Expected[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

const pathsOf = (drawn: Drawn, items: Expected[]): BytePath[] =>
  items.filter((one) => one.kind === 'file' && one.isListed && drawn.isDrawn(one)).map(({ path }) => path)

const sample = (files: number, seed = 's', after = ''): Choice => ({ mode: 'sample', files, seed, after })

test('a sample is the first files by SHA-256(seed || path), as anyone can draw them again', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.integer({ min: 1, max: 300 }), async (seed, wanted) => {
      const items = tree(20, 10)
      const { drawn, population } = await draw(inBatches(items), sample(wanted, seed))
      const byHand = items
        .filter(({ kind }) => kind === 'file')
        .map(({ path }) => ({
          path,
          key: createHash('sha256').update(seed).update(path, 'latin1').digest('hex'),
        }))
        .toSorted((one, other) => (one.key < other.key ? -1 : 1))
        .slice(0, wanted)
      expect(new Set(pathsOf(drawn, items))).toEqual(new Set(byHand.map(({ path }) => path)))
      expect(drawn).toMatchObject({
        files: byHand.length,
        bytes: byHand.length * 10,
        last: byHand.at(-1)?.key,
      })
      expect(population).toEqual({ files: 200, bytes: 2000, nodes: 221, folders: 20, oversized: 0 })
    }),
    { numRuns: 40 },
  )
})

test('replacements go on in the same order until the population is used up', async () => {
  const items = tree(3, 10)
  const seen: BytePath[] = []
  let after: string | null = ''
  for (let round = 0; after !== null && round < 10; round += 1) {
    const { drawn }: { drawn: Drawn } = await draw(inBatches(items), sample(7, 'x', after))
    seen.push(...pathsOf(drawn, items))
    after = drawn.last
  }
  expect(seen).toHaveLength(30)
  expect(new Set(seen).size).toBe(30)
})

test('links count as files; folders, devices and what is not in the snapshot do not', async () => {
  const items = [
    item('/a', { kind: 'dir' }),
    item('/a/file'),
    item('/a/gap', { isListed: false, witness: { state: 'gap' } }),
    item('/a/link', { kind: 'symlink', size: 0 }),
    item('/a/null', { kind: 'chardev', size: 0 }),
  ]
  const { drawn, population } = await draw(inBatches(items), { mode: 'full' })
  expect(population).toEqual({ files: 2, bytes: 10, nodes: 4, folders: 1, oversized: 0 })
  expect(drawn).toMatchObject({ algorithm: 'all', includes: null, files: 2, last: null })
})

test('what was asked for is drawn, folders with all in them', async () => {
  const items = tree(3, 4)
  const paths = ['/srv/d1', '/srv/d2/f0', '/srv/d', '/nowhere'].map(bytePathOf)
  const { drawn } = await draw(inBatches(items), { mode: 'requested', paths })
  expect(drawn).toMatchObject({ algorithm: 'requested', files: 5, bytes: 50 })
  expect(pathsOf(drawn, items)).toHaveLength(5)
})

test('too many patterns for too many nodes: whole folders instead, as many as are needed', async () => {
  const items = tree(500, 50)
  const { drawn } = await draw(inBatches(items), sample(600))
  expect(drawn.algorithm).toBe('sha256-order/folders')
  expect(drawn.files).toBeGreaterThanOrEqual(600)
  expect(drawn.files).toBeLessThan(700)
  expect(pathsOf(drawn, items)).toHaveLength(drawn.files)
  expect(drawn.includes?.every((folder) => isWithin(folder, '/srv') && folder !== '/srv')).toBe(true)
})

test('files directly in a folder too large to come whole are drawn too, as many as are their share', async () => {
  const items = tree(500, 50)
  const loose = Array.from({ length: 5_000 }, (_, at) => item(`/srv/loose${at}`))
  const all = [...items, ...loose].toSorted((one, other) => compareInTree(one.path, other.path))
  const { drawn } = await draw(inBatches(all), sample(600))
  expect(drawn.algorithm).toBe('sha256-order/folders')
  const singles = pathsOf(drawn, all).filter((path) => path.startsWith('/srv/loose'))
  expect(singles).toHaveLength(100)
  expect(pathsOf(drawn, all)).toHaveLength(drawn.files)
  const { drawn: again } = await draw(inBatches(all), sample(600))
  expect(again.includes).toEqual(drawn.includes)
})

test('one huge folder: single files while they are few, else everything', async () => {
  const items = tree(1, 30_000)
  const { drawn: few } = await draw(inBatches(items), sample(500))
  expect(few).toMatchObject({ algorithm: 'sha256-order/files', files: 500 })
  const { drawn } = await draw(inBatches(items), sample(501))
  expect(drawn).toMatchObject({ includes: null, files: 30_000 })
})

test('the seed is in the key, and so are the bytes of the path', () => {
  expect(orderKey('a', bytePathOf('/æ'))).toBe(createHash('sha256').update('a/æ').digest('hex'))
})

test('a budget ends the draw at the first file that does not fit; larger ones than all of it are left out', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 400 }),
      fc.integer({ min: 0, max: 400 }),
      fc.integer({ min: 1, max: 40 }),
      async (sizes, bytes, used, wanted) => {
        const items = sizes.map((size, at) => item(`/f${at}`, { size }))
        const budget = { bytes, leftBytes: bytes - used }
        const choice: Choice = { mode: 'sample', files: wanted, seed: 's', after: '', budget }
        const { drawn, population } = await draw(inBatches(items), choice)
        const ordered = items
          .filter(({ size }) => size <= bytes)
          .toSorted((one, other) => (orderKey('s', one.path) < orderKey('s', other.path) ? -1 : 1))
          .slice(0, wanted)
        let left = bytes - used
        const fitting = ordered.findIndex(({ size }) => (left -= size) < 0)
        const expected = fitting === -1 ? ordered : ordered.slice(0, fitting)
        expect(population.oversized).toBe(items.filter(({ size }) => size > bytes).length)
        expect(new Set(drawn.includes)).toEqual(new Set(expected.map(({ path }) => path)))
        expect(drawn.isCut).toBe(fitting !== -1)
        expect(drawn.bytes).toBeLessThanOrEqual(Math.max(0, bytes - used))
      },
    ),
  )
})
