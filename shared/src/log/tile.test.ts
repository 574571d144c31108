import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../crypto.ts'
import { appendLeaves, consistencyProof, rootOf } from './merkle.ts'
import type { ReadNodes } from './merkle.ts'
import {
  decodeBundle,
  encodeBundle,
  encodeTile,
  formatTilePath,
  nodesOfTile,
  parseTilePath,
  tileReader,
  tilesOf,
  widthIn,
} from './tile.ts'

test('paths are as the specification has them, and have one form', () => {
  expect(formatTilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067')
  expect(formatTilePath({ level: 'entries', index: 7, width: 9 })).toBe('tile/entries/007.p/9')
  fc.assert(
    fc.property(
      fc.oneof(fc.constant('entries' as const), fc.nat(63)),
      fc.nat(2 ** 40),
      fc.integer({ min: 1, max: 256 }),
      (level, index, width) => {
        const path = formatTilePath({ level, index, width })
        expect(parseTilePath(path)).toEqual({ level, index, width })
      },
    ),
  )
  for (const path of [
    'tile/0/0',
    'tile/00/000',
    'tile/0/x000/001',
    'tile/0/1234',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/001/002',
    'tile/0/../000',
    'tile/0/000/',
    'tile/-1/000',
    'tile/data/000',
  ]) {
    expect(() => parseTilePath(path), path).toThrow('no tile')
  }
})

test('a tree of 70,000 has the tiles that the specification counts', () => {
  const tiles = [...tilesOf(70_000)].filter(({ level }) => level !== 'entries')
  expect(tiles.filter(({ level, width }) => level === 0 && width === 256)).toHaveLength(273)
  expect(tiles.slice(273).map(formatTilePath)).toEqual([
    'tile/0/273.p/112',
    'tile/1/000',
    'tile/1/001.p/17',
    'tile/2/000.p/1',
  ])
  expect(Array.from(tilesOf(256), formatTilePath)).toEqual([
    'tile/entries/000',
    'tile/0/000',
    'tile/1/000.p/1',
  ])
  expect(widthIn({ level: 63, index: 0 }, Number.MAX_SAFE_INTEGER)).toBe(0)
})

test('every proof of a tree can be made of its tiles', async () => {
  const size = 66_000 // three levels of tiles
  const leaves = Array.from({ length: size }, (_, n) => sha256(Uint8Array.of(n >> 16, n >> 8, n)))
  const { nodes, root } = appendLeaves(0, [], leaves)
  const hashes = new Map(nodes.map(({ id, hash }) => [`${id.level}/${id.index}`, hash]))
  const read = tileReader(size, (path) => {
    const id = parseTilePath(path)
    if (id.level === 'entries') throw new Error('no entries are needed')
    const ids = nodesOfTile({ ...id, level: id.level })
    return Promise.resolve(
      encodeTile(ids.map(({ level, index }) => hashes.get(`${level}/${index}`) ?? new Uint8Array(32))),
    )
  })
  expect((await rootOf(size, read)).toHex()).toBe(root.toHex())
  const whole: ReadNodes = (ids) =>
    Promise.resolve(ids.map(({ level, index }) => hashes.get(`${level}/${index}`) ?? expect.fail('node')))
  const hex = (proof: readonly Uint8Array[]) => proof.map((hash) => hash.toHex())
  const proof = await consistencyProof(40_000, size, read)
  expect(hex(proof)).toEqual(hex(await consistencyProof(40_000, size, whole)))
})

test('a bundle comes back entry for entry, and a part of one does not', () => {
  const entries = [new Uint8Array(), new Uint8Array(300).fill(7), Uint8Array.of(1)]
  const bytes = encodeBundle(entries)
  expect(decodeBundle(bytes, 3)).toEqual(entries)
  expect(() => decodeBundle(bytes, 2)).toThrow('3 entries')
  for (let length = 1; length < bytes.length; length += 1) {
    expect(() => decodeBundle(bytes.subarray(0, length), 3)).toThrow('bundle')
  }
})
