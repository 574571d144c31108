import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256Hex } from '@bevis/shared/crypto'
import { expect, onTestFinished, test } from 'vitest'
import { openDigestPool } from '../tree/digest-pool.ts'
import { MARK } from '../tree/pair-table.ts'
import { bytePathOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { statPath } from '../tree/walk.ts'
import { AwaitedFiles } from './awaited.ts'
import type { Expected } from './expected.ts'
import { lookAtAll, openSound } from './sound.ts'
import { openStream } from './stream.ts'

const MODIFIED_S = 1_700_000_000

/** Restored beside their sources, named to a stream and read; `after` is what restic does to them in the end. */
async function streamed(names: readonly string[], after: (name: string, restored: string) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-sound-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [source, target] = [join(folder, 'source'), join(folder, 'target')]
  for (const made of [source, `${target}${source}`]) mkdirSync(made, { recursive: true })
  const files = new AwaitedFiles()
  const items = names.map((name): Expected => {
    const path = bytePathOf(join(source, name))
    for (const place of [path, `${target}${path}`]) writeFileSync(place, `bytes of ${name}`)
    utimesSync(path, MODIFIED_S, MODIFIED_S)
    const stat = statPath(path)
    if ('error' in stat) throw new Error(stat.error)
    const sha256 = sha256Hex(name === 'damaged' ? 'other bytes' : `bytes of ${name}`)
    const witness = name === 'bare' ? ({ state: 'none' } as const) : witnessOf(sha256)
    return { ...stat, path, isResolved: true, isListed: true, witness }
  })
  for (const item of items) files.add(item)
  files.close()
  const pool = openDigestPool(1)
  onTestFinished(() => pool.close())
  const at = { pool, files, target: bytePathOf(target) }
  const fail = (error: unknown): never => {
    throw error
  }
  const limits = { isSample: false, limitBytes: 1e6, usedBytes: () => 0, onFailure: fail }
  const stream = openStream({ ...at, ...limits })
  for (const { path, size } of items) stream.onEvent({ action: 'restored', path, sizeBytes: size })
  await stream.settle()
  for (const [n, { path }] of items.entries()) {
    const place = `${target}${path}`
    utimesSync(place, MODIFIED_S, MODIFIED_S)
    after(names[n] ?? '', place)
  }
  return { items, at }
}

function witnessOf(sha256: string) {
  return { state: 'witness' as const, sha256, racy: false }
}

function readingOf(items: readonly Expected[]) {
  return async function* (isWanted: (path: BytePath) => boolean = () => true) {
    yield items.filter(({ path }) => isWanted(path))
  }
}

const nothing = (): null => null

test('a sound file is counted, once; what is damaged, bare, other than expected or complained of is left', async () => {
  const plain = Array.from({ length: 10 }, (_, at) => `plain${at}`)
  const odd = ['damaged', 'bare', 'mode', 'time', 'complaint']
  const { items, at } = await streamed([...plain, ...odd], (name, restored) => {
    if (name === 'mode') chmodSync(restored, 0o600)
    if (name === 'time') utimesSync(restored, 1, 1)
  })
  const told: { path: BytePath; size: number; ctimeNs: bigint }[] = []
  const coverage = {
    restart: nothing,
    standingOf: () => 'unknown' as const,
    restored: (one: (typeof told)[number]) => void told.push(one),
  }
  const complaintOf = (path: BytePath): string | null => (path.endsWith('complaint') ? 'lchown' : null)
  await lookAtAll({ ...at, expected: readingOf(items), isOver: () => true })
  const sound = openSound({ ...at, coverage, complaintOf })
  const left = items.filter(({ path }) => sound.isLeft(path)).map(({ path }) => path.split('/').at(-1))
  expect(left.filter((name) => !name?.startsWith('plain'))).toEqual(odd)
  const counted = items.filter(({ path }) => !left.includes(path.split('/').at(-1)))
  expect(counted.length).toBeGreaterThan(3)
  expect(left.length + counted.length).toBe(items.length)
  const bytes = counted.reduce((sum, { size }) => sum + size, 0)
  expect(sound.take()).toEqual({ files: counted.length, bytes })
  expect(sound.take()).toEqual({ files: 0, bytes: 0 })
  expect(told).toMatchObject(counted.map(({ path, size, ctimeNs }) => ({ path, size, ctimeNs })))
})

test('a path that comes twice is no second file', async () => {
  const { items, at } = await streamed(['a', 'b', 'c', 'd'], nothing)
  await lookAtAll({ ...at, expected: readingOf(items), isOver: () => true })
  const sound = openSound({ ...at, complaintOf: nothing })
  const counted = items.filter(({ path }) => !sound.isLeft(path))
  expect(counted).not.toHaveLength(0)
  const again = (): boolean[] => [1, 2].map(() => sound.isLeft(counted[0]?.path ?? bytePathOf('/')))
  expect(again).toThrow('two paths have one record')
})

test('looked at behind restic: none before its time is set, and none is waited for when restic has ended', async () => {
  const names = Array.from({ length: 40 }, (_, at) => `f${at}`)
  const { items, at } = await streamed(names, (_, restored) => utimesSync(restored, 1, 1))
  const [set, never] = [items.slice(0, 30), items.slice(30)]
  let isOver = false
  const expected = async function* (isWanted: (path: BytePath) => boolean = () => true) {
    for (let from = 0; from < items.length; from += 10)
      yield items.slice(from, from + 10).filter(({ path }) => isWanted(path))
  }
  const looking = lookAtAll({ ...at, expected, isOver: () => isOver })
  for (const { path } of set) {
    await sleep(5)
    utimesSync(`${at.target}${path}`, MODIFIED_S, MODIFIED_S)
  }
  await sleep(100)
  const isSet = ({ path }: Expected): boolean => at.files.table.has(at.files.find(path), MARK.asExpected)
  expect(never.some(isSet)).toBe(false)
  isOver = true
  await looking
  expect(items.filter(isSet).length).toBeGreaterThan(15)
  expect(never.some(isSet)).toBe(false)
})
