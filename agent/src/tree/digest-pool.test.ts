import { createHash } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { digestInOrder, openDigestPool, splitByBytes } from './digest-pool.ts'
import type { DigestPool } from './digest-pool.ts'
import { digestPath } from './digest.ts'
import type { DigestJob } from './digest.ts'
import { bytePathOf } from './path.ts'
import type { Stat } from './stat.ts'
import { statPath } from './walk.ts'

const folder = mkdtempSync(join(tmpdir(), 'bevis-digest-'))
const at = (name: string) => bytePathOf(join(folder, name))
const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex')
let pool: DigestPool
beforeAll(() => void (pool = openDigestPool(2)))
afterAll(async () => {
  await pool.close()
  rmSync(folder, { recursive: true })
})

function statOfFile(name: string) {
  const stat = statPath(at(name))
  if ('error' in stat) throw new Error(stat.error)
  return stat
}

test('files of every size, links and holes are hashed as they are', () => {
  const sizes = [0, 1, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 3_000_000]
  for (const size of sizes) {
    const content = Buffer.alloc(size, `size ${size} `)
    writeFileSync(join(folder, `${size}`), content)
    expect(digestPath({ path: at(`${size}`), readIf: 'always' })).toMatchObject({
      state: 'read',
      sha256: sha256(content),
    })
  }
  writeFileSync(join(folder, 'hole'), '')
  truncateSync(join(folder, 'hole'), 5_000_000)
  expect(digestPath({ path: at('hole'), readIf: 'always' })).toMatchObject({
    sha256: sha256(Buffer.alloc(5_000_000)),
  })
  symlinkSync('nowhere/\u00e6', join(folder, 'link'))
  expect(digestPath({ path: at('link'), readIf: 'always' })).toMatchObject({
    sha256: sha256('nowhere/\u00e6'),
  })
})

test('a folder, a FIFO in a file’s place and a link in a file’s place are told, and nothing hangs', () => {
  mkdirSync(join(folder, 'folder'))
  execFileSync('mkfifo', [join(folder, 'fifo')])
  symlinkSync('0', join(folder, 'swapped'))
  const file = statOfFile('1')
  for (const [name, kind] of [
    ['folder', 'dir'],
    ['fifo', 'fifo'],
  ] as const) {
    const digest = digestPath({ path: at(name), readIf: 'always', expected: file })
    expect(digest).toMatchObject({ state: 'read', stat: { kind }, sha256: null })
  }
  expect(digestPath({ path: at('swapped'), readIf: 'same-stat', expected: file })).toMatchObject({
    state: 'read',
    stat: { kind: 'symlink' },
    sha256: null,
  })
})

test('what is not there, and what may not be read, are answers', () => {
  expect(digestPath({ path: at('absent'), readIf: 'always' })).toEqual({ state: 'deleted' })
  expect(digestPath({ path: at('1/below'), readIf: 'always' })).toEqual({ state: 'deleted' })
  if (process.getuid?.() === 0) return
  writeFileSync(join(folder, 'closed'), 'x')
  chmodSync(join(folder, 'closed'), 0)
  expect(digestPath({ path: at('closed'), readIf: 'always' })).toEqual({
    state: 'unreadable',
    detail: 'EACCES',
  })
})

test('bytes are read only if the stat allows, and carried only if it is the expected one', () => {
  writeFileSync(join(folder, 'kept'), 'kept')
  const expected = statOfFile('kept')
  const job: DigestJob = { path: at('kept'), readIf: 'same-stat', expected }
  const carried = '0'.repeat(64)
  expect(digestPath(job)).toMatchObject({ sha256: sha256('kept') })
  expect(digestPath({ ...job, carried })).toMatchObject({ sha256: carried })
  const moved = { ...expected, ctimeNs: expected.ctimeNs - 1n }
  expect(digestPath({ ...job, expected: moved })).toMatchObject({ state: 'read', sha256: null })
  expect(digestPath({ ...job, expected: moved, carried })).toMatchObject({ state: 'read', sha256: null })
  expect(digestPath({ ...job, expected: moved, readIf: 'same-size' })).toMatchObject({
    sha256: sha256('kept'),
  })
  expect(digestPath({ ...job, expected: { ...moved, size: 5 }, readIf: 'same-size' })).toMatchObject({
    sha256: null,
  })
})

test('a pool answers each batch in order, and batches in order, with few under way', async () => {
  const names = Array.from({ length: 500 }, (_, index) => `many-${index}`)
  for (const name of names) writeFileSync(join(folder, name), name)
  let [begun, ended, most] = [0, 0, 0]
  const batches = (function* () {
    for (let from = 0; from < names.length; from += 7) {
      begun += 1
      most = Math.max(most, begun - ended)
      yield names.slice(from, from + 7)
    }
  })()
  const seen: string[] = []
  for await (const results of digestInOrder(pool, batches, (name) => [
    { path: at(name), readIf: 'always' },
  ])) {
    ended += 1
    for (const { item, digests } of results) {
      seen.push(item)
      expect(digests).toMatchObject([{ state: 'read', sha256: sha256(item) }])
    }
  }
  expect(seen).toEqual(names)
  expect(most).toBeLessThanOrEqual(pool.threads * 2 + 1)
})

test('batches are cut where they have enough to hash', async () => {
  const source = (async function* () {
    yield [5, 6, 1, 9, 1].map((megabytes) => megabytes * 1024 * 1024)
  })()
  const sizes: number[] = []
  for await (const batch of splitByBytes(source, (bytes) => bytes)) sizes.push(batch.length)
  expect(sizes).toEqual([2, 2, 1])
})

test('what holds still is told of many files at once, and of the others as of a single one', async () => {
  const names = ['still-a', 'still-b', 'still-c', 'still-gone', 'still-moved', 'still-late']
  for (const name of names) writeFileSync(join(folder, name), name)
  symlinkSync('still-a', join(folder, 'still-link'))
  const jobs: DigestJob[] = [...names, 'still-link'].map((name) => ({
    path: at(name),
    readIf: 'same-stat',
    expected: statOfFile(name),
    ...(name === 'still-b' && { carried: '0'.repeat(64) }),
  }))
  const late = jobs[5]
  rmSync(join(folder, 'still-gone'))
  writeFileSync(join(folder, 'still-moved'), 'other')
  // In 64 bits it would be the time that the file has.
  const wrapped = (stat: Stat): Stat => ({ ...stat, mtimeNs: stat.mtimeNs + 2n ** 64n })
  const all = jobs.map((job) =>
    job === late && job.expected ? { ...job, expected: wrapped(job.expected) } : job,
  )
  const digests = await pool.digest(all)
  expect(digests).toEqual(all.map(digestPath))
  expect(digests.map((one) => (one.state === 'read' ? one.sha256 : one.state))).toEqual([
    sha256('still-a'),
    '0'.repeat(64),
    sha256('still-c'),
    'deleted',
    null,
    null,
    sha256('still-a'),
  ])
})

test('a closed pool refuses, and an unfinished batch is told', async () => {
  const other = openDigestPool(1)
  const large = { path: at('3000000'), readIf: 'always' as const }
  expect(statSync(join(folder, '3000000')).size).toBe(3_000_000)
  const unfinished = other.digest(Array.from({ length: 50 }, () => large))
  await Promise.all([expect(unfinished).rejects.toMatchObject({ code: 'INTERNAL' }), other.close()])
  await expect(other.digest([large])).rejects.toMatchObject({ code: 'INTERNAL' })
})
