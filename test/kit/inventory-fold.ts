import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import type { Inventory, Snap } from '@bevis/shared/evidence/predicates'

/**
 * The snapshots that an inventory lists, given those of the inventory that its `base` names (undefined when
 * that one cannot be reached). Undefined means that the list cannot be known: the inventory is not complete.
 */
export function foldInventory(
  inventory: Pick<Inventory, 'base' | 'added' | 'removed' | 'count' | 'digest'>,
  base: ReadonlyMap<string, Snap> | undefined,
): Map<string, Snap> | undefined {
  if (inventory.base !== null && base === undefined) return undefined
  const snapshots = new Map(inventory.base === null ? [] : base)
  for (const id of inventory.removed) snapshots.delete(id)
  for (const snapshot of inventory.added) snapshots.set(snapshot.id, snapshot)
  const holds = snapshots.size === inventory.count && inventoryDigest(snapshots.keys()) === inventory.digest
  return holds ? snapshots : undefined
}
