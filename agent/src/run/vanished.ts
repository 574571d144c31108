/**
 * Snapshots that are gone from a repository and that nobody here removed. A few are somebody's work; many at once are
 * what an attack or a mistake looks like, and then what is left must stay until a person has looked.
 */
import type { Snap } from '@bevis/shared/evidence/predicates'
import { raiseHold } from './hold.ts'
import { loadInventoryBase } from './inventory-base.ts'
import type { Copy } from './repository.ts'
import { removedByUs } from './retention-record.ts'

/** So many may go between two listings, or this share of what was there. */
const UNHELD = { snapshots: 10, share: 0.25 }

export interface VanishedRequest {
  readonly stateDir: string
  /** Any set of the repository: a hold on one is on all. */
  readonly set: string
  readonly repository: Copy
  /** A complete listing, taken just now. */
  readonly listed: readonly Snap[]
  readonly now: Date
}

/** The IDs that a listing has, and those that its snapshots had before somebody tagged them. */
export function idsOf(listed: readonly Snap[]): ReadonlySet<string> {
  return new Set(listed.flatMap(({ id, original }) => (original === undefined ? [id] : [id, original])))
}

/**
 * Raises a hold when many of what the last inventory listed are gone.
 * @returns whether they are
 * @throws what raising a hold does
 */
export async function holdIfMany(request: VanishedRequest): Promise<boolean> {
  const { stateDir, set, repository, listed, now } = request
  const base = await loadInventoryBase(stateDir, repository)
  if (base === null) return false
  const there = idsOf(listed)
  const ours = removedByUs(stateDir)
  const vanished = [...base.ids].filter((id) => !there.has(id) && !ours.has(id))
  if (vanished.length <= Math.max(UNHELD.snapshots, base.ids.size * UNHELD.share)) return false
  const text = `${describeVanished(vanished)}, of ${base.ids.size} in the last inventory`
  holdVanished({ stateDir, set, text, now })
  return true
}

export function holdVanished({
  stateDir,
  set,
  text,
  now,
}: {
  readonly stateDir: string
  readonly set: string
  readonly text: string
  readonly now: Date
}): void {
  raiseHold(stateDir, set, { reasons: [{ kind: 'vanished', text }], snapshot: null, now })
}

export function describeVanished(ids: readonly string[]): string {
  const [first = '', ...more] = ids
  return more.length === 0
    ? `snapshot ${first} is gone, and this agent did not remove it`
    : `${ids.length} snapshots are gone that this agent did not remove, the first ${first}`
}
