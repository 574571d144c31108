import type { Inventory, Snap } from '../evidence/predicates.ts'
import type { FactIndex } from './facts.ts'
import type { Known } from './known.ts'
import { correctionMs } from './known.ts'

/** A complete inventory that counts. */
export interface Listed {
  fact: Known<Inventory>
  repository: string
  /** Corrected by the agent's measured clock. */
  takenAt: number
  /** Its place among those of its repository. */
  place: number
}

/** Why an inventory or a test counts for nothing. */
export type Flaw = 'future-dated' | 'quarantined' | 'broken-inventory'

export interface ClockTerms {
  clockToleranceMs: number
  quarantineOverMs: number
}

/** What the clock rules say of an agent's time. */
export function flawOfTime(fact: Known, dated: number, clock: ClockTerms): Flaw | undefined {
  if (isQuarantined(fact, clock)) return 'quarantined'
  return dated > fact.receivedAt + clock.clockToleranceMs ? 'future-dated' : undefined
}

export function isQuarantined(fact: Known, { quarantineOverMs }: ClockTerms): boolean {
  return Math.abs(fact.offsetMs) > quarantineOverMs
}

/**
 * The repositories of one lineage and what was in them when: the complete inventories taken by an instant,
 * and for each snapshot the stretches of them that list it.
 */
export class Lineage {
  readonly repositories: ReadonlySet<string>
  /** By the time they were taken. */
  readonly inventories: Listed[] = []
  readonly flawed: { fact: Known<Inventory>; flaw: Flaw }[] = []
  readonly #index: FactIndex
  /** By repository and snapshot: places from (included) and to (excluded), in turn; the last may be open. */
  readonly #spans = new Map<string, Map<string, number[]>>()
  readonly #takenAt = new Map<string, number[]>()

  constructor(index: FactIndex, repositories: ReadonlySet<string>, clock: ClockTerms, at: number) {
    this.#index = index
    this.repositories = repositories
    for (const repository of repositories) this.#read(repository, clock, at)
    this.inventories.sort((a, b) => a.takenAt - b.takenAt || a.fact.index - b.fact.index)
  }

  #read(repository: string, clock: ClockTerms, at: number): void {
    const listings = this.#index.listings.get(repository)
    if (listings === undefined) return
    const usable: Omit<Listed, 'place'>[] = []
    for (const fact of listings.inventories) {
      if (!fact.predicate.complete) continue
      const takenAt = fact.datedAt - correctionMs(fact, clock.clockToleranceMs)
      const flaw =
        flawOfTime(fact, takenAt, clock) ?? (listings.isFolded(fact) ? undefined : 'broken-inventory')
      if (flaw === undefined && takenAt <= at) usable.push({ fact, repository, takenAt })
      else if (flaw !== undefined && Math.min(takenAt, fact.receivedAt) <= at)
        this.flawed.push({ fact, flaw })
    }
    usable.sort((a, b) => a.takenAt - b.takenAt || a.fact.index - b.fact.index)
    const spans = new Map<string, number[]>()
    let before: string | null = null
    for (const [place, one] of usable.entries()) {
      this.inventories.push({ ...one, place })
      const { digest } = one.fact.predicate
      const { added, removed } = listings.difference(before, digest)
      for (const id of removed) closeSpan(spans.get(id), place)
      for (const id of added) openSpan(spans, id, place)
      before = digest
    }
    this.#spans.set(repository, spans)
    this.#takenAt.set(
      repository,
      usable.map(({ takenAt }) => takenAt),
    )
  }

  /** The newest inventory taken by `at` and, where given, before `before`. */
  newest(at: number, before = Infinity): Listed | undefined {
    let low = 0
    let high = this.inventories.length
    while (low < high) {
      const middle = (low + high) >> 1
      const takenAt = this.inventories[middle]?.takenAt ?? 0
      if (takenAt <= at && takenAt < before) low = middle + 1
      else high = middle
    }
    return this.inventories[low - 1]
  }

  /** The first inventory for which the test holds, of those taken at or after an instant. */
  firstSince(at: number, holds: (inventory: Listed) => boolean = () => true): Listed | undefined {
    let low = 0
    let high = this.inventories.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.inventories[middle]?.takenAt ?? 0) < at) low = middle + 1
      else high = middle
    }
    for (; low < this.inventories.length; low++) {
      const inventory = this.inventories[low]
      if (inventory !== undefined && holds(inventory)) return inventory
    }
    return undefined
  }

  isIn(inventory: Listed, repository: string, id: string): boolean {
    if (inventory.repository !== repository) return false
    const spans = this.#spans.get(repository)?.get(id)
    if (spans === undefined) return false
    for (let at = 0; at < spans.length; at += 2) {
      if (inventory.place < (spans[at] ?? 0)) return false
      if (inventory.place < (spans[at + 1] ?? Infinity)) return true
    }
    return false
  }

  /** When a complete inventory first listed it; Infinity if none did. */
  firstListedAt(repository: string, id: string): number {
    const place = this.#spans.get(repository)?.get(id)?.[0]
    return place === undefined ? Infinity : (this.#takenAt.get(repository)?.[place] ?? 0)
  }

  /** When the last inventory that lists it was taken, of those by `at`; -Infinity if none does. */
  lastListedAt(repository: string, id: string, at = Infinity): number {
    const spans = this.#spans.get(repository)?.get(id)
    const times = this.#takenAt.get(repository)
    if (spans === undefined || times === undefined) return -Infinity
    const taken = countUntil(times, at)
    for (let span = (spans.length - 1) & ~1; span >= 0; span -= 2) {
      const last = Math.min(spans[span + 1] ?? taken, taken) - 1
      if (last >= (spans[span] ?? 0)) return times[last] ?? -Infinity
    }
    return -Infinity
  }

  /** Every snapshot ever listed. */
  *listed(): Generator<{ repository: string; snapshot: Snap }> {
    for (const [repository, spans] of this.#spans) {
      const snapshots = this.#index.listings.get(repository)?.snapshots
      for (const id of spans.keys()) {
        const snapshot = snapshots?.get(id)
        if (snapshot !== undefined) yield { repository, snapshot }
      }
    }
  }
}

/** How many of the ascending times are not after `at`. */
function countUntil(times: readonly number[], at: number): number {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low
}

function closeSpan(spans: number[] | undefined, place: number): void {
  if (spans !== undefined && spans.length % 2 === 1) spans.push(place)
}

/** A delta may name an ID as removed and as added again: then it was there all the time. */
function openSpan(spans: Map<string, number[]>, id: string, place: number): void {
  const own = spans.get(id)
  if (own === undefined) spans.set(id, [place])
  else if (own.length % 2 === 0) {
    if (own.at(-1) === place) own.pop()
    else own.push(place)
  }
}
