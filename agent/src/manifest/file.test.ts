import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bytePath, bytePathOf } from '../tree/path.ts'
import { FLAGS, formatEntry, parseEntry } from './entry.ts'
import type { ManifestEntry } from './entry.ts'
import { createManifest, findEntry, findManifest, listManifests, openManifest } from './file.ts'
import type { ManifestFile, ManifestHeader } from './file.ts'

function snapshotOf(hex: string): ManifestHeader['snapshot'] {
  return {
    id: hex.repeat(32),
    time: '2026-11-23T04:05:07.000Z',
    tree: 'aa'.repeat(32),
    host: 'web',
    paths: ['/srv'],
  }
}

const header: ManifestHeader = {
  manifest: 1,
  set: 'shop',
  snapshot: snapshotOf('ab'),
  startedAt: '2026-11-23T04:05:06.000Z',
  restic: '0.19.1',
  turn: 3,
}
const entry: ManifestEntry = {
  path: bytePathOf('/srv/æ'),
  kind: 'file',
  size: 3,
  mtimeNs: 1_763_878_000_123_456_789n,
  ctimeNs: 1_763_878_000_123_456_790n,
  inode: 2 ** 53 - 1,
  mode: 0o4755,
  uid: 1000,
  gid: 4_294_967_294,
  sha256: 'cd'.repeat(32),
  flags: ['witness', 'racy'],
}

let folder: string
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'bevis-manifest-'))))
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, entries: ManifestEntry[], head = header): Promise<ManifestFile> {
  const writer = await createManifest(join(folder, name), head)
  for (const one of entries) await writer.append([one])
  return writer.finish()
}

async function read(found: ManifestFile): Promise<ManifestEntry[]> {
  const all: ManifestEntry[] = []
  const { entries } = await openManifest(found)
  for await (const batch of entries) all.push(...batch)
  return all
}

test('any entry survives its line', () => {
  const any = fc.record<ManifestEntry>({
    path: fc.uint8Array({ minLength: 1, maxLength: 30 }).map(bytePath),
    kind: fc.constantFrom('file', 'dir', 'symlink', 'fifo', 'socket', 'chardev', 'dev', 'irregular'),
    size: fc.maxSafeNat(),
    mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
    ctimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
    inode: fc.option(fc.maxSafeNat()),
    mode: fc.nat(0o7777),
    uid: fc.nat(4_294_967_295),
    gid: fc.nat(4_294_967_295),
    sha256: fc.option(fc.constant('0f'.repeat(32))),
    flags: fc.uniqueArray(fc.constantFrom(...FLAGS)),
  })
  fc.assert(
    fc.property(any, (one) => {
      const line = formatEntry(one)
      expect(line).not.toContain('\n')
      expect(parseEntry(line)).toEqual(one)
    }),
  )
})

test('what was written is read, in order, under a name that carries its digest', async () => {
  const entries = Array.from({ length: 20_000 }, (_, index) => ({
    ...entry,
    path: bytePathOf(`/srv/${index}\n`),
  }))
  const found = await write('whole', entries)
  expect(await read(found)).toEqual(entries)
  expect(await findManifest(join(folder, 'whole'), header.snapshot.id)).toEqual(found)
  expect((await openManifest(found)).header).toEqual(header)
})

test('manifests are listed by time; an unfinished one is not there', async () => {
  const later = { ...header, snapshot: snapshotOf('cd'), startedAt: '2026-11-24T04:05:06.000Z' }
  await write('order', [entry], later)
  await write('order', [entry])
  const unfinished = await createManifest(join(folder, 'order'), { ...header, snapshot: snapshotOf('ef') })
  await unfinished.append([entry])
  const found = await listManifests(join(folder, 'order'))
  expect(found.map(({ snapshot }) => snapshot)).toEqual([header.snapshot.id, later.snapshot.id])
  await unfinished.discard()
  expect(await readdir(join(folder, 'order'))).toHaveLength(2)
})

test('a finished one can be taken back, too', async () => {
  const writer = await createManifest(join(folder, 'taken-back'), header)
  await writer.finish()
  expect(await readdir(join(folder, 'taken-back'))).toHaveLength(1)
  await writer.discard()
  expect(await readdir(join(folder, 'taken-back'))).toEqual([])
})

test('a folder that is not there has no manifests', async () => {
  expect(await listManifests(join(folder, 'nowhere'))).toEqual([])
})

test('one flipped byte anywhere is MANIFEST_DAMAGED', async () => {
  const found = await write('flipped', [entry, { ...entry, path: bytePathOf('/srv/b') }])
  const bytes = await readFile(found.file)
  for (let at = 0; at < bytes.length; at += 1) {
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] ?? 0) ^ 0x20
    await writeFile(found.file, flipped)
    // zstd's header has bits that change nothing in what is decompressed: then the content still holds.
    const outcome = await read(found).then(
      (entries) => entries.map(formatEntry).join(),
      (error: { code?: string }) => error.code,
    )
    const whole = [entry, { ...entry, path: bytePathOf('/srv/b') }].map(formatEntry).join()
    expect(['MANIFEST_DAMAGED', whole]).toContain(outcome)
  }
})

test('a cut-off file and one that was swapped in from another snapshot are MANIFEST_DAMAGED', async () => {
  const found = await write('cut', [entry])
  const bytes = await readFile(found.file)
  await writeFile(found.file, bytes.subarray(0, bytes.length - 10))
  await expect(read(found)).rejects.toMatchObject({ code: 'MANIFEST_DAMAGED' })
  await writeFile(found.file, bytes)
  await expect(read({ ...found, snapshot: 'ef'.repeat(32) })).rejects.toMatchObject({
    code: 'MANIFEST_DAMAGED',
  })
  await expect(read({ ...found, sha256: 'ef'.repeat(32) })).rejects.toMatchObject({
    code: 'MANIFEST_DAMAGED',
  })
})

test('a full disk fails the writer, and is no unhandled rejection', async () => {
  const writer = await createManifest('/proc/self', header).catch((error: unknown) => error)
  if (writer instanceof Error) return
  await expect((writer as Awaited<ReturnType<typeof createManifest>>).finish()).rejects.toThrow()
})

test('a reading of a part is the whole reading without the rest, and keeps what the snapshot does not have', async () => {
  const names = ['plain', 'two words', 'a"b', 'back\\slash', 'new\nline', '\u00e6\u00f8\u00e5', 'x"unlisted']
  const all = [
    ...names.map((name) => bytePathOf(`/srv/${name}`)),
    bytePath(Buffer.from('/srv/\xff', 'latin1')),
  ]
  const entries = all.flatMap((path, size) => [
    { ...entry, path, size },
    { ...entry, path: `${path}.gone` as typeof path, sha256: null, flags: ['unlisted', 'gap'] as const },
  ])
  const found = await write('part', entries)
  for (const path of all) {
    const part: string[] = []
    const { entries: batches } = await openManifest(found, (one) => one === path)
    for await (const batch of batches) part.push(...batch.map((one) => one.path))
    // The last name looks as if it were unlisted, and is read for nothing.
    const needed: string[] = entries
      .filter((one) => one.path === path || one.sha256 === null)
      .map((one) => one.path)
    expect(part.filter((one) => needed.includes(one))).toEqual(needed)
    expect(part.length).toBeLessThanOrEqual(needed.length + 1)
  }
})

test('one entry is found by its very path, whatever bytes the names are made of', async () => {
  const name = fc
    .uint8Array({ minLength: 1, maxLength: 4 })
    .map((bytes) => bytes.map((byte) => [0x61, 0x0a, 0x22, 0x5b, 0x5c, 0xff, 0x2c][byte % 7] ?? 0x61))
  const path = name.map((bytes) => bytePath(Buffer.concat([Buffer.from('/'), bytes])))
  let n = 0
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(path, { minLength: 1, maxLength: 30 }), path, async (all, other) => {
      const found = await write(
        `find-${(n += 1)}`,
        all.map((one, size) => ({ ...entry, path: one, size })),
      )
      for (const [size, one] of all.entries())
        expect((await findEntry(found, one)).entry).toMatchObject({ path: one, size })
      if (!all.includes(other)) expect((await findEntry(found, other)).entry).toBeNull()
    }),
    { numRuns: 15 },
  )
})
