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

  /** Entries of a tlog-tiles bundle: each behind its length in two bytes, big-endian. */
  const entries: Uint8Array[] = []
  const bundle = file('tile/entries/000.p/15')
  for (let at = 0; at < bundle.length;) {
    const length = (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0)
    entries.push(bundle.slice(at + 2, at + 2 + length))
    at += 2 + length
  }
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

  test('the tile holds our leaves', () => {
    const tile = file('tile/0/000.p/15')
    expect(tile.toHex()).toBe(leaves.map((leaf) => leaf.toHex()).join(''))
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
      expect(() => openCheckpoint(changed, key)).toThrow(/CHECKPOINT|checkpoint/)
    }
  })
})
