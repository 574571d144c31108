import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { draw } from '../restore/draw.ts'
import type { Expected } from '../restore/expected.ts'
import { hasContent } from '../restore/expected.ts'
import { Strata } from '../restore/strata.ts'
import { bytePathOf, compareInTree, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { openCoverage, readCoverage } from './coverage-ledger.ts'
import type { FinishedTest, SetCoverage } from './coverage-ledger.ts'
import { CoverageTable, versionOf } from './coverage-table.ts'

let stateDir: string
beforeAll(() => void (stateDir = mkdtempSync(join(tmpdir(), 'bevis-coverage-'))))
afterAll(() => rmSync(stateDir, { recursive: true }))

function item(path: BytePath, version: number, over: Partial<Expected> = {}): Expected {
  const times = { mtimeNs: BigInt(version), ctimeNs: BigInt(version) }
  const whose = { inode: null, mode: 0o644, uid: 0, gid: 0 }
  const state = { isListed: true, isResolved: true, witness: { state: 'none' as const } }
  return { path, kind: 'file', size: 10, ...times, ...whose, ...state, ...over }
}

/** Files by path, with their versions. */
type Tree = ReadonlyMap<string, number>

function itemsOf(tree: Tree): Expected[] {
  const folders = new Set<BytePath>()
  for (const path of tree.keys())
    for (let at = parentOf(bytePathOf(path)); at !== '/'; at = parentOf(at)) folders.add(at)
  const nodes = [...folders].map((path) => item(path, 0, { kind: 'dir', size: 0 }))
  const files = [...tree].map(([path, version]) => item(bytePathOf(path), version))
  return [...nodes, ...files].toSorted((one, other) => compareInTree(one.path, other.path))
}

let day = 0
interface Played {
  readonly coverage: SetCoverage
  readonly restored: BytePath[]
}

/** One sample test as the story runs it; `keep` says which of the drawn files came back identical. */
async function play(
  set: string,
  tree: Tree,
  options: {
    cycle?: number
    keep?: (path: BytePath) => boolean
    counts?: boolean
    part?: FinishedTest['part']
  } = {},
): Promise<Played> {
  const { cycle = 7, keep = () => true, counts = true, part = 'whole' } = options
  const items = itemsOf(tree)
  const run = await openCoverage(stateDir, set, cycle, () => Promise.resolve(tree.size))
  const { rotation } = run
  const request = { canaries: [], most: 2, standingOf: (one: Expected) => run.standingOf(one), rotation }
  run.restart()
  const strata = new Strata(request, Infinity)
  const choice = { mode: 'sample' as const, files: 1, seed: `seed ${day}`, after: '', strata }
  const batches = (async function* () {
    yield items
  })()
  const { drawn } = await draw(batches, choice)
  const restored = items.filter((one) => hasContent(one) && drawn.isDrawn(one) && keep(one.path))
  for (const one of restored) run.restored(one)
  const at = new Date(Date.UTC(2026, 0, 1) + (day += 1) * 86_400_000)
  const finished = run.finish({ at, files: tree.size, counts, part })
  if (finished === null) throw new Error('not all files were seen')
  await finished.save()
  expect(readCoverage(stateDir, set)).toEqual(finished.coverage)
  return { coverage: finished.coverage, restored: restored.map(({ path }) => path) }
}

const many = (count: number): Map<string, number> =>
  new Map(Array.from({ length: count }, (_, at) => [`/s/d${at % 9}/e${at % 4}/f${at}`, 1]))

test('within N tests every file was restored, by the rotation alone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 80 }),
      async (cycle, count) => {
        const set = `cycle-${cycle}-${count}`
        const tree = many(count)
        let last: SetCoverage | null = null
        for (let test_ = 0; test_ < cycle; test_ += 1) last = (await play(set, tree, { cycle })).coverage
        expect(last).toMatchObject({ files: count, restored: count, current: count })
        expect(last?.lastCycle).toMatchObject({ restored: count, files: count })
        rmSync(join(stateDir, 'coverage', `${set}.ledger`))
      },
    ),
    { numRuns: 15 },
  )
}, 60_000)

test('whatever comes, goes, is renamed or changed: never more is told than came back', async () => {
  type Step = {
    remove: number[]
    rename: number[]
    add: number
    change: number[]
    bad: number
    caught: boolean
  }
  const pick = fc.array(fc.nat(200), { maxLength: 6 })
  const step: fc.Arbitrary<Step> = fc.record({
    remove: pick,
    rename: pick,
    add: fc.nat(5),
    change: pick,
    bad: fc.nat(4),
    caught: fc.boolean(),
  })
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const set = `any-${(round += 1)}`
      const tree = many(40)
      /** By path: the version in which it came back. */
      const oracle = new Map<string, number>()
      let made = 0
      for (const { remove, rename, add, change, bad, caught } of steps) {
        const paths = [...tree.keys()]
        for (const at of remove) tree.delete(paths[at] ?? '')
        for (const at of rename) {
          const from = paths[at] ?? ''
          const version = tree.get(from)
          if (version === undefined) continue
          tree.delete(from)
          tree.set(`${from}-${(made += 1)}`, version)
        }
        for (let n = 0; n < add; n += 1) tree.set(`/s/new/n${(made += 1)}`, 1)
        for (const at of change) {
          const path = paths[at] ?? ''
          if (tree.has(path)) tree.set(path, (tree.get(path) ?? 0) + 1_000)
        }
        if (tree.size === 0) return
        const keep = (path: BytePath): boolean => path.length % 5 !== bad
        const { coverage, restored } = await play(set, tree, { keep, counts: caught })
        if (caught) for (const path of restored) oracle.set(path, tree.get(path) ?? 0)
        for (const path of [...oracle.keys()]) if (!tree.has(path)) oracle.delete(path)
        const current = [...oracle].filter(([path, version]) => tree.get(path) === version).length
        expect(coverage).toMatchObject({ files: tree.size, restored: oracle.size, current })
        expect(coverage.since === null).toBe(oracle.size === 0)
      }
    }),
    { numRuns: 40 },
  )
}, 60_000)

test('a part that could not be drawn whole comes again, but not for ever', async () => {
  const tree = many(30)
  const parts: number[] = []
  for (let n = 0; n < 5; n += 1) {
    const run = await openCoverage(stateDir, 'hindered', 3, () => Promise.resolve(30))
    parts.push(run.rotation.part)
    await play('hindered', tree, { cycle: 3, part: 'hindered' })
  }
  expect(parts).toEqual([0, 0, 0, 0, 1])
})

test('what was not seen to its end, or cannot be trusted, counts for nothing', async () => {
  const tree = many(20)
  await play('torn', tree)
  const run = await openCoverage(stateDir, 'torn', 7, () => Promise.resolve(20))
  expect(run.finish({ at: new Date(), files: 20, counts: true, part: 'whole' })).toBeNull()
  const file = join(stateDir, 'coverage', 'torn.ledger')
  const bytes = readFileSync(file)
  bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1
  writeFileSync(file, bytes)
  const before = readCoverage(stateDir, 'torn')?.restored ?? 0
  const { coverage, restored } = await play('torn', tree)
  expect(before).toBeGreaterThan(0)
  expect(coverage.restored).toBe(restored.length)
})

test('another length of the cycle forgets nothing that was restored', async () => {
  const tree = many(40)
  const before = (await play('length', tree, { cycle: 4 })).coverage
  const { coverage } = await play('length', tree, { cycle: 9, keep: () => false })
  expect(coverage).toMatchObject({ restored: before.restored, cycle: { tests: 1, of: 9, restored: 0 } })
})

test('the table keeps a hundred thousand files apart, on disk too', () => {
  const table = new CoverageTable('salt')
  for (let at = 0; at < 100_000; at += 1)
    table.put(table.keyOf(`/s/${at}` as BytePath), { turn: at % 1_000, version: at, isChanged: at % 3 === 0 })
  const bytes = table.toBytes()
  expect(bytes).toHaveLength(1_600_000)
  const again = CoverageTable.fromBytes('salt', bytes)
  for (const at of [0, 1, 2, 3, 50_000, 99_999])
    expect(again.get(again.keyOf(`/s/${at}` as BytePath))).toEqual({
      turn: at % 1_000,
      version: at,
      isChanged: at % 3 === 0,
    })
  expect(again.get(again.keyOf('/s/other' as BytePath))).toBeNull()
  expect(versionOf({ ctimeNs: 1n, size: 1 })).not.toBe(versionOf({ ctimeNs: 2n, size: 1 }))
})
