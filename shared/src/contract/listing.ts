import { sha256Hex } from '../crypto.ts'
import type { Snap } from '../evidence/predicates.ts'
import type { IdList } from './id-list.ts'
import { applyDelta, countIds, differenceOf, listIds } from './id-list.ts'
import type { Known } from './known.ts'
import type { Inventory } from './told.ts'

/** One verified list of a repository's snapshots, kept as its delta. */
interface Node {
  base: string | null
  added: string[]
  removed: string[]
  /** How many IDs are read to put the list together. */
  weight: number
  /** The list itself, of those that would be put together from far more than it has. */
  whole?: IdList
}

/** How many lists are kept in full at a time; others are folded again from the nearest that is. */
const KEPT = 32

/** Beyond twice a list's own length, how many IDs may be read before it is kept whole. */
const FAR = 64

/**
 * The inventories of one repository, folded. A list is found by its digest, so it does not matter who
 * listed it or in which order inventories arrive; one whose base cannot be reached, or whose fold does not
 * give its digest, is not complete.
 */
export class Listings {
  readonly snapshots = new Map<string, Snap>()
  /** The same, in the order in which they were first listed. */
  readonly learnt: Snap[] = []
  readonly inventories: Known<Inventory>[] = []
  readonly #nodes = new Map<string, Node>()
  readonly #count = new Map<string, number>()
  readonly #kept = new Map<string, IdList>()
  readonly #waiting = new Map<string, Known<Inventory>[]>()
  readonly #folded = new Set<Known<Inventory>>()

  /** False if it makes other inventories complete, that had come before it. */
  add(inventory: Known<Inventory>): boolean {
    this.inventories.push(inventory)
    let isAlone = true
    const queue = [inventory]
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { base, digest } = next.predicate
      if (base !== null && !this.#nodes.has(base)) {
        const waiting = this.#waiting.get(base)
        if (waiting === undefined) this.#waiting.set(base, [next])
        else waiting.push(next)
      } else if (this.#fold(next)) {
        const freed = this.#waiting.get(digest)
        if (freed === undefined) continue
        isAlone = false
        queue.push(...freed)
        this.#waiting.delete(digest)
      }
    }
    return isAlone
  }

  /** True if the list is known and its digest holds. */
  isFolded(inventory: Known<Inventory>): boolean {
    return this.#folded.has(inventory)
  }

  /** What the second list has that the first has not, and the other way round; null is the empty list. */
  difference(from: string | null, to: string): { added: readonly string[]; removed: readonly string[] } {
    if (from === to) return { added: [], removed: [] }
    const node = this.#nodes.get(to)
    if (node !== undefined && node.base === from && from !== null) return node
    return differenceOf(from === null ? new Uint8Array() : this.#listOf(from), this.#listOf(to))
  }

  #fold(inventory: Known<Inventory>): boolean {
    const { base, digest, removed, count, added } = inventory.predicate
    const before = base === null ? 0 : (this.#nodes.get(base)?.weight ?? 0)
    const weight = before + added.length + removed.length
    const node: Node = { base, added: added.map(({ id }) => id), removed, weight }
    const list = base === digest && node.added.length === 0 && removed.length === 0 ? null : this.#apply(node)
    if (
      list === null
        ? count !== this.#count.get(digest)
        : countIds(list) !== count || sha256Hex(list) !== digest
    ) {
      return false
    }
    this.#folded.add(inventory)
    for (const snapshot of added) {
      if (this.snapshots.has(snapshot.id)) continue
      this.snapshots.set(snapshot.id, snapshot)
      this.learnt.push(snapshot)
    }
    if (list !== null && !this.#nodes.has(digest)) {
      // Whoever lists upon bases from long ago, in turn, must not have years of deltas read each time.
      const isFar = weight > 2 * count + FAR
      this.#nodes.set(digest, isFar ? { ...node, weight: count, whole: list } : node)
      this.#count.set(digest, count)
      this.#keep(digest, list)
    }
    return true
  }

  #apply({ base, added, removed }: Node): IdList {
    return base === null ? listIds(added) : applyDelta(this.#listOf(base), added, removed)
  }

  #listOf(digest: string): IdList {
    const deltas: Node[] = []
    let list: IdList | undefined
    for (let at: string | null = digest; at !== null && list === undefined;) {
      const node: Node | undefined = this.#nodes.get(at)
      list = this.#kept.get(at) ?? node?.whole
      if (node === undefined) break
      if (list === undefined) deltas.push(node)
      at = node.base
    }
    // What the deltas come to in the end, so that the list is moved once.
    const isThere = new Map<string, boolean>()
    for (const { added, removed } of deltas.toReversed()) {
      for (const id of removed) isThere.set(id, false)
      for (const id of added) isThere.set(id, true)
    }
    const added = [...isThere.keys()].filter((id) => isThere.get(id) === true)
    const removed = [...isThere.keys()].filter((id) => isThere.get(id) === false)
    const full = applyDelta(list ?? new Uint8Array(), added, removed)
    this.#keep(digest, full)
    return full
  }

  #keep(digest: string, list: IdList): void {
    this.#kept.delete(digest)
    this.#kept.set(digest, list)
    const oldest = this.#kept.keys().next().value
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest)
  }
}
