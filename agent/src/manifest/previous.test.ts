import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytePath, compareInTree } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { ManifestEntry } from './entry.ts'
import type { OpenManifest } from './file.ts'
import { readPrevious } from './previous.ts'

function entry(path: BytePath, unresolved = false): ManifestEntry {
  const stat = {
    kind: 'file',
    size: 1,
    mtimeNs: 1n,
    ctimeNs: 1n,
    inode: 1,
    mode: 0o644,
    uid: 0,
    gid: 0,
  } as const
  return { ...stat, path, sha256: null, flags: unresolved ? ['unresolved'] : [] }
}

function manifestOf(paths: readonly BytePath[], size: number): OpenManifest {
  const entries = (async function* () {
    for (let at = 0; at < paths.length; at += size)
      yield paths.slice(at, at + size).map((path) => entry(path))
  })()
  const snapshot = {
    id: '0'.repeat(64),
    time: '2026-11-23T04:05:07.000Z',
    tree: '0'.repeat(64),
    host: 'web',
    paths: [],
  }
  const startedAt = '2026-11-23T04:05:06.000Z'
  return { header: { manifest: 1, set: 's', snapshot, startedAt, restic: '0.19.1', turn: 0 }, entries }
}

const name = fc
  .uint8Array({ minLength: 1, maxLength: 3 })
  .map((bytes) => bytes.map((byte) => [0x61, 0x2d, 0x2f, 0xff, 0x2e][byte % 5] ?? 0x61))
const path = fc
  .array(name, { minLength: 1, maxLength: 3 })
  .map((names) => bytePath(Buffer.concat(names.flatMap((one) => [Buffer.from('/'), one]))))
const paths = fc.uniqueArray(path, { maxLength: 40 }).map((all) => all.toSorted(compareInTree))

test('one pass over both finds every entry that is there, no other, and all that nobody asked for', async () => {
  await fc.assert(
    fc.asyncProperty(paths, paths, fc.integer({ min: 1, max: 9 }), async (held, asked, size) => {
      const passed: BytePath[] = []
      const previous = readPrevious(manifestOf(held, size), (one) => passed.push(one.path))
      const there = new Set(held)
      for (const one of asked) {
        expect((await previous.at(one))?.path ?? null).toBe(there.has(one) ? one : null)
      }
      await previous.drain()
      expect(passed).toEqual(held.filter((one) => !asked.includes(one)))
      await previous.close()
    }),
  )
})

test('names that were not resolved identify nothing', async () => {
  const one = bytePath(Buffer.from('/a'))
  const manifest = manifestOf([], 1)
  const entries = (async function* () {
    yield [entry(one, true)]
  })()
  expect(await readPrevious({ ...manifest, entries }).at(one)).toBeNull()
})

test('without a last manifest nothing is carried over', async () => {
  expect(await readPrevious(null).at(bytePath(Buffer.from('/a')))).toBeNull()
})
