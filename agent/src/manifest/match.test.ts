import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Node } from '../restic/restic.ts'
import {
  bytePath,
  bytePathOf,
  bytesOf,
  compareInTree,
  isWithin,
  joinPath,
  lossyText,
  parentOf,
} from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { walkTree } from '../tree/walk.ts'
import type { Stat } from '../tree/stat.ts'
import { matchTree } from './match.ts'
import type { Matched, MatchScope } from './match.ts'

/** A folder for one tree; removed at the end of the property's run. */
function makeTree(paths: readonly BytePath[]): BytePath {
  const root = bytePathOf(mkdtempSync(join(tmpdir(), 'bevis-match-')))
  for (const path of paths) {
    const full = `${root}${path}` as BytePath
    try {
      mkdirSync(bytesOf(parentOf(full)), { recursive: true })
      writeFileSync(bytesOf(full), bytesOf(path))
    } catch {
      // The name is a folder already, or a folder's name a file.
    }
  }
  return root
}

/** The listing that restic would give: lossy names, in tree order, the folders above the root first. */
function listingOf(root: BytePath, isHeld: (path: BytePath) => boolean, withInode: boolean): Node[] {
  const above: BytePath[] = []
  for (let at = root; at !== '/'; at = parentOf(at)) above.unshift(at)
  const found = [...walkTree(root, isHeld)]
  const stat = (path: BytePath): Stat | undefined => found.find((one) => one.path === path)?.stat
  return [...above, ...found.map(({ path }) => path)].map((path) => {
    const own = stat(path)
    const text = path
      .split('/')
      .map((name) => bytesOf(lossyText(name as BytePath)).toString('utf8'))
      .join('/')
    return {
      path: text,
      lossy: text.includes('\uFFFD'),
      kind: own?.kind ?? 'dir',
      size: own?.size ?? 0,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeNs: own?.mtimeNs ?? 0n,
      ctimeNs: own?.ctimeNs ?? 0n,
      inode: withInode ? (own?.inode ?? null) : null,
    }
  })
}

async function match(nodes: Node[], scope: Partial<MatchScope> & { roots: BytePath[] }): Promise<Matched[]> {
  const all: Matched[] = []
  const stream = (async function* () {
    for (const node of nodes) yield [node]
  })()
  for await (const batch of matchTree(stream, { isExcluded: () => false, isOld: () => true, ...scope }))
    all.push(...batch)
  return all
}

const name = fc
  .oneof(
    fc.constantFrom(
      [0x61],
      [0x62],
      [0x61, 0x2d],
      [0x61, 0x2e],
      [0xff],
      [0xfe],
      [0x61, 0xff],
      [0xc3, 0xa6],
      [0xef, 0xbf, 0xbd],
      [0x0a],
    ),
    fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 3 }),
  )
  .map((bytes) => bytePath(Uint8Array.from(bytes)))
  .filter((text) => !text.includes('/') && text !== '.' && text !== '..')
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => `/${names.join('/')}` as BytePath)

test('every listed name is found again, and every other one is told, whatever bytes they are of', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(path, { maxLength: 12 }), fc.func(fc.boolean()), async (paths, held) => {
      const root = makeTree(paths)
      try {
        const there = [...walkTree(root)]
        const isHeld = (at: BytePath): boolean => held(at.slice(root.length))
        const listed = [...walkTree(root, isHeld)].map(({ path: at }) => at)
        const matched = await match(listingOf(root, isHeld, true), { roots: [root] })
        const found = matched.flatMap((one) =>
          one.state === 'listed' && one.path && isWithin(one.path, root) ? one.path : [],
        )
        expect(found.slice(1)).toEqual(listed)
        const unlisted = matched.flatMap((one) => (one.state === 'unlisted' ? one.path : []))
        expect(unlisted.toSorted(compareInTree)).toEqual(
          there.map(({ path: at }) => at).filter((at) => !listed.includes(at)),
        )
        // The order in which a manifest is written is the order in which the next one is read beside it.
        expect(found.toSorted(compareInTree)).toEqual(found)
      } finally {
        rmSync(root, { recursive: true })
      }
    }),
    { numRuns: 150 },
  )
})

test('several roots, one inside another, a file as a root: only what they hold is in scope', async () => {
  const top = makeTree(['/a/one', '/a/b/two', '/beside/not', '/file', '/other'].map(bytePathOf))
  const at = (text: string): BytePath => joinPath(top, bytePathOf(text))
  const matched = await match([], { roots: [at('a'), at('a/b'), at('file')] })
  expect(matched.flatMap((one) => (one.state === 'unlisted' ? one.path.slice(top.length) : []))).toEqual(
    expect.arrayContaining(['/a', '/a/b', '/a/b/two', '/a/one', '/file']),
  )
  expect(matched.some((one) => one.state === 'unlisted' && /beside|other/.test(one.path))).toBe(false)
  rmSync(top, { recursive: true })
})

test('a lossy name that no real entry certainly has stays unresolved, and none of its kind is called unlisted', async () => {
  const root = makeTree([bytePath(Uint8Array.of(0x2f, 0xff)), bytePath(Uint8Array.of(0x2f, 0xfe))])
  const nodes = listingOf(root, () => true, true).map((node) =>
    node.lossy ? { ...node, inode: 1, ctimeNs: 5n } : node,
  )
  const matched = await match(nodes, { roots: [root] })
  expect(matched.filter((one) => one.state === 'unlisted')).toEqual([])
  expect(matched.filter((one) => one.state === 'listed' && one.path === null)).toHaveLength(2)
  rmSync(root, { recursive: true })
})

test('two names of one file, both lossy, each find their own', async () => {
  const root = makeTree([bytePath(Uint8Array.of(0x2f, 0xff))])
  linkSync(bytesOf(`${root}/\xff` as BytePath), bytesOf(`${root}/\xfe` as BytePath))
  const matched = await match(
    listingOf(root, () => true, false),
    { roots: [root] },
  )
  const found = matched.flatMap((one) => (one.state === 'listed' && one.path ? one.path : []))
  expect(found.slice(-2)).toEqual([`${root}/\xfe`, `${root}/\xff`])
  rmSync(root, { recursive: true })
})

test('a folder that was replaced since is not searched for gaps', async () => {
  const root = makeTree(['/d/old'].map(bytePathOf))
  const nodes = listingOf(root, (at) => !at.endsWith('old'), true)
  const replaced = nodes.map((node) => (node.path.endsWith('/d') ? { ...node, inode: 1 } : node))
  const matched = await match(replaced, { roots: [root] })
  expect(matched.filter((one) => one.state === 'unlisted')).toEqual([])
  symlinkSync('nowhere', `${root}/link`)
  expect((await match(nodes, { roots: [root] })).filter((one) => one.state === 'unlisted')).toHaveLength(2)
  rmSync(root, { recursive: true })
})
