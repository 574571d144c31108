import type { Candidate } from './candidate.ts'
import type { History } from './history.ts'
import type { Listed } from './lineage.ts'
import { HOUR_MS } from './local.ts'
import type { TierLine } from './tier-line.ts'

/**
 * For a tier of generations: from which complete inventory on a bucket has had `keep` later ones. Played
 * through once per tier; a bucket's end is then a search.
 */
export class Generations {
  /** Ascending in both: by this instant, all buckets below this index had enough later ones. */
  readonly #ends: { takenAt: number; below: number }[] = []

  constructor(history: History, line: TierLine) {
    const serving = Array.from(history.between()).flatMap((candidate) => {
      const bucket = line.servedBy(candidate.start)
      if (bucket === undefined) return []
      if (line.tier.countBasis === 'expected' && !line.buckets.isExpected(bucket)) return []
      return [{ candidate, index: bucket.index }]
    })
    let started = 0
    for (const inventory of history.lineage.inventories) {
      // What an inventory lists began before it, but for what a clock may be off.
      while ((serving[started]?.candidate.start ?? Infinity) <= inventory.takenAt + HOUR_MS) started += 1
      const below = keepthNewest(serving, started, inventory, line.tier.keep, history)
      if (below > (this.#ends.at(-1)?.below ?? -Infinity))
        this.#ends.push({ takenAt: inventory.takenAt, below })
    }
  }

  /** When the obligation for the bucket ended; null while it has not. */
  endOf(index: number): number | null {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#ends[middle]?.below ?? 0) <= index) low = middle + 1
      else high = middle
    }
    return this.#ends[low]?.takenAt ?? null
  }
}

/** The `keep`-th newest bucket of which the inventory lists a satisfying snapshot; -Infinity if there are fewer. */
function keepthNewest(
  serving: readonly { candidate: Candidate; index: number }[],
  started: number,
  inventory: Listed,
  keep: number,
  history: History,
): number {
  const { takenAt } = inventory
  let left = keep
  let last = Infinity
  for (let place = started - 1; place >= 0; place--) {
    const one = serving[place]
    if (one === undefined || one.index >= last) continue
    if (!history.satisfies(one.candidate, takenAt)) continue
    if (history.idIn(one.candidate, inventory, takenAt) === undefined) continue
    last = one.index
    left -= 1
    if (left === 0) return one.index
  }
  return -Infinity
}
