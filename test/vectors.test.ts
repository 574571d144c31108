/** The log's code against published vectors of other implementations. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openCheckpoint, parseVkey } from '@bevis/shared/log/checkpoint'
import {
  appendLeaves,
  consistencyProof,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '@bevis/shared/log/merkle'
import type { NodeId } from '@bevis/shared/log/merkle'
import { decodeBundle, encodeBundle, encodeTile, formatTilePath, tilesOf } from '@bevis/shared/log/tile'

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`vectors/${name}`, import.meta.url), 'utf8'))
const base64 = z
  .string()
  .nullable()
  .transform((text) => (text === null ? new Uint8Array() : Uint8Array.fromBase64(text)))
const proof = z
  .array(base64)
  .nullable()
  .transform((hashes) => hashes ?? [])

describe('RFC 6962 proofs of transparency-dev/merkle', () => {
  const inclusion = z
    .object({
      vectors: z.array(
        z.object({
          leafIdx: z.number(),
          treeSize: z.number(),
          root: base64,
          leafHash: base64,
          proof,
          wantErr: z.boolean(),
          file: z.string(),
        }),
      ),
    })
    .parse(read('merkle-inclusion.json')).vectors

  test.each(inclusion)('$file', (vector) => {
    const held = verifyInclusion({ ...vector, index: vector.leafIdx, size: vector.treeSize })
    expect(held).toBe(!vector.wantErr)
  })

  const consistency = z
    .object({
      vectors: z.array(
        z.object({
          size1: z.number(),
          size2: z.number(),
          root1: base64,
          root2: base64,
          proof,
          wantErr: z.boolean(),
          file: z.string(),
        }),
      ),
    })
    .parse(read('merkle-consistency.json')).vectors
  // Its roots have 12 bytes; ours have 32 or are refused.
  const refused = 'testdata/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json'

  test.each(consistency)('$file', (vector) => {
    const { size1: from, size2: to, root1: fromRoot, root2: toRoot } = vector
    const held = verifyConsistency({ from, to, fromRoot, toRoot, proof: vector.proof })
    expect(held).toBe(vector.file === refused ? false : !vector.wantErr)
  })

  test('all of them were there', () => {
    expect([inclusion.length, consistency.length]).toEqual([98, 98])
    expect(consistency.filter(({ file }) => file === refused)).toHaveLength(1)
  })
})

describe('the log of transparency-dev/tessera', () => {
  const log = z
    .object({ vkey: z.string(), files: z.record(z.string(), base64) })
    .parse(read('tessera-log.json'))
  const key = parseVkey(log.vkey)
  const file = (name: string) => log.files[name] ?? expect.fail(`the vectors hold no ${name}`)
  const checkpointOf = (size: number) =>
    openCheckpoint(new TextDecoder().decode(file(`checkpoint.${size}`)), key)

  const entries = decodeBundle(file('tile/entries/000.p/15'), 15)
  const leaves = entries.map(leafHash)
  const { nodes } = appendLeaves(0, [], leaves)
  const stored = new Map(nodes.map(({ id, hash }) => [`${id.level}/${id.index}`, hash]))
  const readNodes = (ids: readonly NodeId[]) =>
    Promise.resolve(
      ids.map(
        (id) => stored.get(`${id.level}/${id.index}`) ?? expect.fail(`no node ${id.level}/${id.index}`),
      ),
    )

  test('every checkpoint is signed, and its root is the root of our tree', async () => {
    for (let size = 0; size <= 15; size += 1) {
      const root = await rootOf(size, readNodes)
      expect(checkpointOf(size).root.toHex()).toBe(root.toHex())
    }
    expect(checkpointOf(0).root.toHex()).toBe(EMPTY_ROOT.toHex())
  })

  test('every tile and every bundle is the one that we would serve, at the path where we would serve it', () => {
    for (let size = 1; size <= 15; size += 1) {
      const paths = Array.from(tilesOf(size), formatTilePath)
      expect(paths).toEqual([`tile/entries/000.p/${size}`, `tile/0/000.p/${size}`])
      expect(file(`tile/0/000.p/${size}`).toHex()).toBe(encodeTile(leaves.slice(0, size)).toHex())
      expect(file(`tile/entries/000.p/${size}`)).toEqual(encodeBundle(entries.slice(0, size)))
    }
  })

  test('every inclusion proof that we make holds under the signed root, and under no other', async () => {
    for (let size = 1; size <= 15; size += 1) {
      const { root } = checkpointOf(size)
      for (let index = 0; index < size; index += 1) {
        const path = await inclusionProof(index, size, readNodes)
        const leaf = leaves[index] ?? expect.fail('leaf')
        expect(verifyInclusion({ index, size, leafHash: leaf, proof: path, root })).toBe(true)
        const other = leaves[(index + 1) % leaves.length] ?? expect.fail('leaf')
        expect(verifyInclusion({ index, size, leafHash: other, proof: path, root })).toBe(false)
      }
    }
  })

  test('every consistency proof that we make holds between the signed roots', async () => {
    for (let from = 1; from <= 15; from += 1) {
      for (let to = from; to <= 15; to += 1) {
        const path = await consistencyProof(from, to, readNodes)
        const [fromRoot, toRoot] = [checkpointOf(from).root, checkpointOf(to).root]
        expect(verifyConsistency({ from, to, fromRoot, toRoot, proof: path })).toBe(true)
        if (from !== to) {
          expect(verifyConsistency({ from, to, fromRoot: toRoot, toRoot, proof: path })).toBe(false)
        }
      }
    }
  })

  test('a checkpoint with one character changed is refused', () => {
    const note = new TextDecoder().decode(file('checkpoint.15'))
    for (let at = 0; at < note.length; at += 1) {
      const changed = `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`
      expect(() => openCheckpoint(changed, key)).toThrow(/checkpoint|note/)
    }
  })
})
