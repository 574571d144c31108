import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import type { Node } from '../restic/restic.ts'
import { openDigestPool } from '../tree/digest-pool.ts'
import { bytePathOf, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath, walkTree } from '../tree/walk.ts'
import { openManifest } from './file.ts'
import { takeWitness } from './witness.ts'

const pool = openDigestPool(1)
let folder: string
let source: BytePath
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-rename-'))
  source = bytePathOf(join(folder, 'source'))
  mkdirSync(source)
})
afterEach(() => rmSync(folder, { recursive: true }))
afterAll(() => pool.close())

const write = (name: string, content = name): void => writeFileSync(`${source}/${name}`, content)
const move = (from: string, to: string): void => renameSync(`${source}/${from}`, `${source}/${to}`)

/** The listing of what is there now, as restic would give it. */
function listing(withInode: boolean): Node[] {
  const above: BytePath[] = []
  for (let at = source; at !== '/'; at = parentOf(at)) above.unshift(at)
  const inside = [...walkTree(source)].map(({ path }) => path)
  return [...above, ...inside].map((path) => {
    const stat = statPath(path)
    if ('error' in stat) throw new Error(stat.error)
    return { ...stat, path, lossy: false, inode: withInode ? stat.inode : null }
  })
}

/** @param startedAt in the future, every ctime is as old as on a file system where a rename leaves it alone */
async function witness(nodes: readonly Node[], startedAt: Date) {
  const snapshot = {
    id: 'ab'.repeat(32),
    time: startedAt.toISOString(),
    tree: 'cd'.repeat(32),
    host: 'web',
    paths: [source],
  }
  const taken = await takeWitness({
    nodes: (async function* () {
      yield nodes
    })(),
    roots: [source],
    excludes: [],
    notJudged: [],
    unreadable: { paths: [], isComplete: true },
    header: { set: 'shop', snapshot, startedAt: startedAt.toISOString(), restic: '0.19.1' },
    folder: join(folder, 'manifests'),
    previous: null,
    pool,
  })
  const entries = []
  for await (const batch of (await openManifest(taken.manifest)).entries) entries.push(...batch)
  return { ...taken, entries }
}
const later = new Date(Date.now() + 3_600_000)

test.each([
  ['before its old name', 'm', 'a', true],
  ['after its old name', 'm', 'z', true],
  ['without inodes, as restic 0.14 lists', 'm', 'a', false],
])('a file that was renamed meanwhile is no gap: %s', async (_, from, to, withInode) => {
  for (const name of ['b', from]) write(name)
  const nodes = listing(withInode)
  move(from, to)
  const { tally, entries } = await witness(nodes, later)
  expect(tally).toMatchObject({
    gaps: { count: 0 },
    torn: { count: 1 },
    renamed: { count: 1, paths: [`${source}/${to}`] },
  })
  expect(entries.filter(({ flags }) => flags.includes('unlisted'))).toEqual([])
  expect(entries.find(({ path }) => path.endsWith(`/${from}`))?.flags).toContain('absent')
})

test('what is missing for no reason stays a gap beside it', async () => {
  for (const name of ['b', 'm']) write(name)
  const nodes = listing(true)
  write('lost')
  write('other', 'm-') // as large as another, and not it
  move('m', 'z')
  const { tally, entries } = await witness(nodes, later)
  const gaps = ['lost', 'other'].map((name) => `${source}/${name}`)
  expect(tally).toMatchObject({ gaps: { count: 2, paths: gaps }, renamed: { count: 1 } })
  expect(entries.filter(({ flags }) => flags.includes('gap')).map(({ path }) => path)).toEqual(gaps)
})

test('where a rename moves ctime there never was a gap, and it is told all the same', async () => {
  write('m')
  const nodes = listing(true)
  move('m', 'z')
  const { tally } = await witness(nodes, new Date(Date.now() - 60_000))
  expect(tally).toMatchObject({ gaps: { count: 0 }, renamed: { count: 1 } })
})

test('another file in the place of a deleted one is no rename', async () => {
  write('m')
  const nodes = listing(true)
  write('z', 'x')
  rmSync(`${source}/m`)
  expect((await witness(nodes, later)).tally).toMatchObject({ gaps: { count: 1 }, renamed: { count: 0 } })
})
