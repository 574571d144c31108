import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytePathOf, compareInTree, isWithin, parentOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { draw } from './draw.ts'
import type { Drawn } from './draw.ts'
import type { Expected } from './expected.ts'
import { hasContent } from './expected.ts'
import { orderKey } from './order.ts'
import { Parts, Strata } from './strata.ts'
import type { Rotation, Standing, StrataRequest, Unit } from './strata.ts'

function item(path: string, over: Partial<Expected> = {}): Expected {
  const times = { mtimeNs: 0n, ctimeNs: 0n }
  const whose = { inode: null, mode: 0o644, uid: 0, gid: 0 }
  const state = { isListed: true, isResolved: true, witness: { state: 'none' as const } }
  return { path: bytePathOf(path), kind: 'file', size: 10, ...times, ...whose, ...state, ...over }
}

/** Files at these paths, with the folders above them, in tree order. */
function treeOf(paths: readonly string[], sizeOf: (path: string) => number = () => 10): Expected[] {
  const files = new Set(paths)
  const folders = new Set<string>()
  for (const path of files)
    for (let at = parentOf(bytePathOf(path)); at !== '/'; at = parentOf(at)) folders.add(at)
  const nodes = [...folders].map((path) => item(path, { kind: 'dir', size: 0 }))
  const plain = [...files]
    .filter((path) => !folders.has(path))
    .map((path) => item(path, { size: sizeOf(path) }))
  return [...nodes, ...plain].toSorted((one, other) => compareInTree(one.path, other.path))
}

const anyTree = fc
  .array(fc.array(fc.constantFrom('a', 'b', 'c', 'd-', 'e'), { minLength: 1, maxLength: 5 }), {
    maxLength: 120,
  })
  .map((all) => treeOf(all.map((names, at) => `/s/${names.join('/')}/f${at}`)))

const nothing: StrataRequest = { canaries: [], most: 0, standingOf: () => 'restored', rotation: null }
const rotation = (part: number, of: number, unitFiles: number): Rotation => ({
  part,
  of,
  salt: 'salt',
  unitFiles,
})

function unitsOf(items: readonly Expected[], request: Partial<StrataRequest>, largest = Infinity) {
  const strata = new Strata({ ...nothing, ...request }, largest)
  for (const one of items) strata.offer(one, () => orderKey('seed', one.path))
  return new Map(strata.take().map(({ name, units }) => [name, units]))
}

async function drawn(
  items: readonly Expected[],
  files: number,
  request?: Partial<StrataRequest>,
  bytes?: number,
) {
  const strata = request && new Strata({ ...nothing, ...request }, bytes ?? Infinity)
  const budget = bytes === undefined ? {} : { budget: { bytes, leftBytes: bytes } }
  const choice = {
    mode: 'sample' as const,
    files,
    seed: 'seed',
    after: '',
    ...budget,
    ...(strata && { strata }),
  }
  return (await draw(batches(items), choice)).drawn
}
async function* batches(items: readonly Expected[]): AsyncGenerator<readonly Expected[]> {
  for (let at = 0; at < items.length; at += 7) yield items.slice(at, at + 7)
}
const pathsIn = ({ isDrawn }: Pick<Drawn, 'isDrawn'>, items: readonly Expected[]): BytePath[] =>
  items.filter((one) => hasContent(one) && isDrawn(one)).map(({ path }) => path)

test('over a cycle every file is in one part, and in one only; what stays together is small', () => {
  fc.assert(
    fc.property(
      anyTree,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 30 }),
      (items, of, most) => {
        const files = items.filter(hasContent)
        const times = new Map<BytePath, number>()
        for (let part = 0; part < of; part += 1) {
          for (const unit of unitsOf(items, { rotation: rotation(part, of, most) }).get('rotation') ?? []) {
            const inside = files.filter(({ path }) => isWithin(path, unit.path))
            expect(inside).toHaveLength(unit.files)
            expect(inside.reduce((sum, { size }) => sum + size, 0)).toBe(unit.bytes)
            if (unit.isFolder) expect(unit.files).toBeLessThanOrEqual(most)
            for (const { path } of inside) times.set(path, (times.get(path) ?? 0) + 1)
          }
        }
        expect(times.size).toBe(files.length)
        expect([...times.values()].every((once) => once === 1)).toBe(true)
      },
    ),
  )
})

test('a file that is larger than the budget takes none of its neighbours along', () => {
  const items = treeOf(['/s/a/f1', '/s/a/f2', '/s/b/large', '/s/b/f3'], (path) =>
    path.endsWith('large') ? 99 : 1,
  )
  const units = unitsOf(items, { rotation: rotation(0, 1, 100) }, 50).get('rotation') ?? []
  expect(units.map(({ path }) => path).toSorted()).toEqual(['/s/a', '/s/b/f3'])
})

test('strata find what chance would not, and say how much there was of it', () => {
  const standings: Record<string, Standing> = {
    '/s/new1': 'unknown',
    '/s/new2': 'changed',
    '/s/never': 'never',
  }
  const items = [
    ...treeOf(['/s/a', '/s/new1', '/s/new2', '/s/never', '/s/canary/x', '/s/z'], (path) =>
      path === '/s/z' ? 70 : 10,
    ),
    item('/s/zz-empty', { size: 0 }),
    item('/s/zz-link', { kind: 'symlink', size: 0 }),
    item('/s/zz-setuid', { mode: 0o4755 }),
    item('/s/zz\n', {}),
    item('/s/zz', { path: '/s/zz\xff' as BytePath }),
  ]
  const canaries = ['/s/canary', '/s/gone'].map(bytePathOf)
  const standingOf = ({ path }: Expected): Standing => standings[path] ?? 'restored'
  const found = unitsOf(items, { canaries, most: 5, standingOf })
  const named = (name: string) => (found.get(name) ?? []).map(({ path }) => path).toSorted()
  expect(named('canary')).toEqual(['/s/canary/x'])
  expect(named('new')).toEqual(['/s/new1', '/s/new2'])
  expect(named('never-restored')).toEqual(['/s/never'])
  expect(named('largest')).toEqual(['/s/z'])
  expect(named('special')).toEqual(
    ['/s/zz\n', '/s/zz-empty', '/s/zz-link', '/s/zz-setuid', '/s/zz\xff'].toSorted(),
  )
  const strata = new Strata({ ...nothing, canaries, most: 1, standingOf }, Infinity)
  for (const one of items) strata.offer(one, () => orderKey('seed', one.path))
  const told = strata.take()
  expect(told.find(({ name }) => name === 'canary')?.detail).toEqual({ absent: 1 })
  expect(told.find(({ name }) => name === 'new')).toMatchObject({ detail: { of: 2 }, units: [{ files: 1 }] })
})

test('the random part is what it would be alone, and each file is counted once', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyTree,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 6 }),
      async (items, n, of) => {
        const canaries = [bytePathOf('/s/a'), bytePathOf('/s/b/c')]
        const request = {
          canaries,
          most: 5,
          standingOf: () => 'never' as const,
          rotation: rotation(0, of, 9),
        }
        const [alone, with_] = [await drawn(items, n), await drawn(items, n, request)]
        const all = pathsIn(with_, items)
        expect(all).toHaveLength(with_.files)
        expect(with_.bytes).toBe(all.length * 10)
        const random = items
          .filter((one) => hasContent(one) && with_.besides?.isRandom(one))
          .map(({ path }) => path)
        expect(random).toEqual(pathsIn(alone, items))
        expect((with_.besides?.strata ?? []).reduce((sum, { files }) => sum + files, 0)).toBe(all.length)
        // Anyone with seed, salt and manifest draws the same.
        expect(pathsIn(await drawn(items, n, request), items)).toEqual(all)
        const includes = with_.includes ?? []
        expect(
          items.filter((one) => hasContent(one) && includes.some((path) => isWithin(one.path, path))),
        ).toHaveLength(all.length)
      },
    ),
  )
})

test('the budget is kept, and what it leaves out is told', async () => {
  const items = treeOf(Array.from({ length: 60 }, (_, at) => `/s/d${at % 6}/f${at}`))
  const { bytes, besides } = await drawn(items, 5, { rotation: rotation(0, 1, 10) }, 250)
  expect(bytes).toBeLessThanOrEqual(250)
  expect(besides?.strata).toMatchObject([
    { name: 'random', files: 5 },
    {},
    { name: 'rotation', leftOut: expect.any(Number) },
  ])
})

test('a set in twenty thousand folders comes whole when its parts would cost more', async () => {
  const items = treeOf(Array.from({ length: 20_000 }, (_, at) => `/s/d${at}/f`))
  const few = await drawn(items, 5, { rotation: rotation(0, 2, 1) })
  expect(few).toMatchObject({ includes: null, files: 20_000 })
  expect(few.besides?.strata.map(({ name }) => name)).toEqual(['random', 'largest', 'rotation', 'rest'])
  // A sample's cost stays that of the sample: no more patterns than the part has units, and few single files.
  const all = { most: 5_000, standingOf: () => 'never' as const }
  expect((await drawn(items, 5, all)).includes?.length).toBeLessThan(300)
  const some = await drawn(items, 5, { rotation: rotation(0, 1_000, 40) })
  expect(some.includes?.length).toBeLessThan(80)
})

test('what was drawn is counted as a set of files would be', () => {
  const items = treeOf(
    ['a', 'b'].flatMap((x) => ['a', 'b'].flatMap((y) => ['a', 'f', 'g'].map((z) => `/s/${x}/${y}/${z}`))),
  )
  const files = items.filter(hasContent).map(({ path }) => path)
  fc.assert(
    fc.property(fc.array(fc.nat(items.length - 1), { maxLength: 12 }), (chosen) => {
      const parts = new Parts()
      const oracle = new Set<BytePath>()
      for (const at of chosen) {
        const { path, kind } = items[at] ?? item('/s')
        const inside = files.filter((file) => isWithin(file, path))
        const one: Unit = { path, isFolder: kind === 'dir', files: inside.length, bytes: inside.length * 3 }
        const before = oracle.size
        const cost = parts.costOf(one)
        parts.add(one, cost)
        for (const file of inside) oracle.add(file)
        expect(cost).toEqual({ files: oracle.size - before, bytes: (oracle.size - before) * 3 })
        expect(parts.files).toBe(oracle.size)
        expect(files.filter((file) => parts.has(file))).toHaveLength(oracle.size)
      }
    }),
  )
})
