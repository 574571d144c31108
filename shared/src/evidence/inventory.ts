import { sha256Hex } from '../crypto.ts'
import type { Inventory, Snap } from './predicates.ts'

/** SHA-256 over the IDs of all snapshots in the repository, sorted, each followed by LF. */
export function inventoryDigest(ids: Iterable<string>): string {
  return sha256Hex(
    [...ids]
      .toSorted()
      .map((id) => `${id}\n`)
      .join(''),
  )
}

/** What an inventory says relative to an earlier one, or whole when there is none. */
export function inventoryDelta(
  base: { digest: string; ids: ReadonlySet<string> } | null,
  snapshots: readonly Snap[],
): Pick<Inventory, 'base' | 'added' | 'removed' | 'count' | 'digest'> {
  const ids = new Set(snapshots.map(({ id }) => id))
  const whole = { count: ids.size, digest: inventoryDigest(ids) }
  if (base === null) return { ...whole, base: null, added: [...snapshots], removed: [] }
  return {
    ...whole,
    base: base.digest,
    added: snapshots.filter(({ id }) => !base.ids.has(id)),
    removed: [...base.ids].filter((id) => !ids.has(id)).toSorted(),
  }
}
