import { createHash } from 'node:crypto'
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inventoryDelta } from '@bevis/shared/evidence/inventory'
import { foldInventory } from '../../../test/kit/inventory-fold.ts'
import type { Inventory, Snap } from '@bevis/shared/evidence/predicates'
import { encodeStatement } from '@bevis/shared/evidence/statement'
import { describe, expect, test } from 'vitest'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { parseConfig } from '../config.ts'
import { completeDraft } from '../evidence/record.ts'
import type { Draft, Recorder } from '../evidence/record.ts'
import { testPlace } from '../../../test/kit/restic-place.ts'
import type { TestPlace } from '../../../test/kit/restic-place.ts'
import { partsOf, runInventory } from './inventory.ts'
import type { InventoryContext } from './inventory.ts'

const { builds } = await resticVersions()
const takenAt = new Date('2026-11-23T04:05:06.000Z')

describe.each(builds)('restic $version', (build) => {
  test('the first inventory is the whole list, the next what has changed, and both fold', async () => {
    const place = testPlace(build)
    const restic = await place.make()
    const { context, recorded } = contextOf(place, await place.open())
    expect(await runInventory(context)).toMatchObject({ complete: true, count: 0, added: 0 })
    place.write('a', '1')
    const first = await restic.backup({ paths: [place.source], tags: ['t'] })
    place.write('a', '2')
    const second = await restic.backup({ paths: [place.source] })
    expect(await runInventory(context)).toMatchObject({ complete: true, count: 2, added: 2, removed: 0 })
    rmSync(join(place.url, 'snapshots', first.snapshotId ?? ''))
    expect(await runInventory(context)).toMatchObject({ complete: true, count: 1, added: 0, removed: 1 })
    const fold = folded(recorded)
    expect([...(fold.at(-1)?.keys() ?? [])]).toEqual([second.snapshotId])
    expect(recorded.map(({ base }) => base === null)).toEqual([true, false, false])
    expect(recorded[1]?.added).toMatchObject([
      { id: first.snapshotId, paths: [place.source], tags: ['t'] },
      { id: second.snapshotId },
    ])
    expect(recorded[2]).toMatchObject({ takenAt: takenAt.toISOString(), removed: [first.snapshotId] })
  })

  test('of two byte copies of a repository neither takes from the other what it never had', async () => {
    const place = testPlace(build)
    const restic = await place.make()
    await restic.backup({ paths: [place.source] })
    const url = join(place.folder, 'copy')
    cpSync(place.url, url, { recursive: true })
    const { snapshotId } = await restic.backup({ paths: [place.source] })
    const { context, recorded } = contextOf(place, restic)
    const other = await place.open({ repository: { url, passwordFile: join(place.folder, 'password') } })
    const repository = { ...context.set.repository, url }
    const there = { ...context, restic: other, set: { ...context.set, id: 'copy', repository } }
    expect(await runInventory(context)).toMatchObject({ complete: true, count: 2 })
    expect(await runInventory(there)).toMatchObject({ complete: true, count: 1, removed: 0 })
    expect(recorded.map(({ base }) => base)).toEqual([null, null])
    rmSync(join(place.url, 'snapshots', snapshotId ?? ''))
    expect(await runInventory(context)).toMatchObject({ count: 1, added: 0, removed: 1 })
    expect(await runInventory(there)).toMatchObject({ count: 1, added: 0, removed: 0 })
  })

  test('a listing that fails is recorded as not complete, and takes nothing away', async () => {
    const place = testPlace(build)
    const restic = await place.make()
    const { snapshotId = '' } = await restic.backup({ paths: [place.source] })
    const { context, recorded } = contextOf(place, restic)
    await runInventory(context)
    const file = join(place.url, 'snapshots', snapshotId)
    chmodSync(file, 0o600)
    writeFileSync(file, 'no snapshot')
    expect(await runInventory(context)).toMatchObject({
      complete: false,
      count: null,
      error: { code: 'RESTIC_REPOSITORY_DAMAGED' },
    })
    expect(recorded[1]).toMatchObject({
      complete: false,
      base: recorded[0]?.digest,
      digest: recorded[0]?.digest,
      added: [],
      removed: [],
      error: { code: 'RESTIC_REPOSITORY_DAMAGED' },
    })
    rmSync(place.url, { recursive: true })
    expect(await runInventory(context)).toMatchObject({ error: { code: 'RESTIC_REPOSITORY_MISSING' } })
    expect(recorded).toHaveLength(3)
  })
})

test('every twentieth inventory is a whole list', async () => {
  const [build] = builds
  if (!build) throw new Error('no restic')
  const place = testPlace(build)
  const restic = await place.make()
  // What restic does is tested above; here only the counting matters, so that the repository stays as it is.
  const { context, recorded } = contextOf(place, {
    ...restic,
    repositoryId: () => Promise.resolve('1'.repeat(64)),
    snapshots: () => Promise.resolve([]),
  })
  for (let run = 0; run < 41; run += 1) await runInventory(context)
  expect(recorded.flatMap(({ base }, at) => (base === null ? [at] : []))).toEqual([0, 20, 40])
})

test('a list too long for one statement comes in parts of which only the last is complete', () => {
  const all = Array.from({ length: 3_000 }, (_, n): Snap => snapOf(n))
  const known = all.slice(0, 1_000)
  const base = inventoryDelta(null, known)
  const delta = inventoryDelta(
    { digest: base.digest, ids: new Set(known.map(({ id }) => id)) },
    all.slice(500),
  )
  const parts = [...partsOf(delta, new Set(known.map(({ id }) => id)))]
  expect(parts.length).toBeGreaterThan(3)
  expect(parts.map(({ complete }) => complete)).toEqual(parts.map((_, at) => at === parts.length - 1))
  let fold = foldInventory(base, undefined)
  for (const part of parts) {
    expect(JSON.stringify(part).length).toBeLessThan(200 * 1024)
    fold = foldInventory(part, fold)
  }
  expect(fold?.size).toBe(2_500)
  expect(parts.at(-1)).toMatchObject({ count: delta.count, digest: delta.digest })
})

function snapOf(n: number): Snap {
  const id = createHash('sha256').update(String(n)).digest('hex')
  return { id, tree: id, time: takenAt.toISOString(), host: 'db-1', paths: [`/srv/${'x'.repeat(100)}/${n}`] }
}

function contextOf(place: TestPlace, restic: InventoryContext['restic']) {
  const recorded: Inventory[] = []
  const chain = { tenant: 't', agent: 'a', epoch: 1, prev: '0'.repeat(64), log: null }
  const recorder: Recorder = {
    record: (draft) => {
      const seq = recorded.length + 1
      encodeStatement(completeDraft(draft, { ...chain, seq })) // throws on what is no statement
      recorded.push((draft as Draft<'inventory'>).predicate as Inventory)
      return Promise.resolve({ paeDigest: '', epoch: 1, seq })
    },
  }
  const config = `
collector: { url: http://127.0.0.1:1 }
state: ${place.folder}
sets:
  - { id: shop, paths: [${place.source}], repository: { url: ${place.url}, passwordFile: ${place.folder}/password } }
`
  const [set] = parseConfig(config, 'agent.yaml').sets
  if (!set) throw new Error('no set')
  const logger = { info: () => undefined, warn: () => undefined }
  const context: InventoryContext = {
    set,
    restic,
    recorder,
    stateDir: join(place.folder, 'state'),
    now: () => takenAt,
    logger,
  }
  return { context, recorded }
}

function folded(inventories: readonly Inventory[]): Map<string, Snap>[] {
  const byDigest = new Map<string, Map<string, Snap>>()
  return inventories.map((inventory) => {
    const fold = foldInventory(inventory, byDigest.get(inventory.base ?? ''))
    if (!fold) throw new Error(`does not fold: ${JSON.stringify(inventory)}`)
    byDigest.set(inventory.digest, fold)
    return fold
  })
}
