import fc from 'fast-check'
import { expect, test } from 'vitest'
import { foldInventory } from '../../../test/kit/inventory-fold.ts'
import { inventoryDelta, inventoryDigest } from './inventory.ts'
import type { Snap } from './predicates.ts'

const snap = (id: number): Snap => ({
  id: id.toString(16).padStart(64, '0'),
  time: '2026-11-23T04:05:06.000Z',
  tree: 'c'.repeat(64),
  host: 'web1',
  paths: ['/srv'],
})
const snaps = fc.uniqueArray(fc.nat(50)).map((ids) => ids.map(snap))

test('the digest of nothing is the SHA-256 of nothing', () => {
  expect(inventoryDigest([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('a chain of deltas folds to each list', () => {
  fc.assert(
    fc.property(fc.array(snaps, { minLength: 1, maxLength: 8 }), (lists) => {
      let known: Map<string, Snap> | undefined
      let base: { digest: string; ids: Set<string> } | null = null
      for (const list of lists) {
        const inventory = inventoryDelta(base, list)
        known = foldInventory(inventory, known)
        expect(new Set(known?.keys())).toEqual(new Set(list.map(({ id }) => id)))
        base = { digest: inventory.digest, ids: new Set(list.map(({ id }) => id)) }
      }
    }),
  )
})

test('without its base, or with a wrong one, a delta says nothing', () => {
  const base = { digest: inventoryDigest([snap(1).id]), ids: new Set([snap(1).id]) }
  const delta = inventoryDelta(base, [snap(1), snap(2)])
  expect(foldInventory(delta, undefined)).toBeUndefined()
  expect(foldInventory(delta, new Map([[snap(3).id, snap(3)]]))).toBeUndefined()
  expect(foldInventory({ ...delta, count: 3 }, new Map([[snap(1).id, snap(1)]]))).toBeUndefined()
})
