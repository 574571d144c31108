import type { Snap } from '../evidence/predicates.ts'
import type { FactIndex } from './facts.ts'
import type { Known } from './known.ts'
import { byTeller, correctionMs } from './known.ts'
import type { Inventory } from './told.ts'

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

/** A snapshot that an inventory lists and the one before it in its repository did not. */
export interface Appearance {
  repository: string
  id: string
  takenAt: number
}

/** What has come since a lineage was read. */
export interface News {
  appeared: Appearance[]
  /** From when on it may tell otherwise than before; Infinity if nothing came. */
  since: number
}

/**
 * The repositories of one lineage and what was in them when: the complete inventories taken by an instant,
 * and for each snapshot the stretches of them that list it.
 */
export class Lineage {
  readonly repositories: ReadonlySet<string>
  /** Since when those count that only a succession brought; what is named counts ever. */
  readonly #joinedAt: ReadonlyMap<string, number>
  /** By the time they were taken. */
  readonly inventories: Listed[] = []
  readonly flawed: { fact: Known<Inventory>; flaw: Flaw }[] = []
  readonly #index: FactIndex
  readonly #clock: ClockTerms
  /** By repository and snapshot: places from (included) and to (excluded), in turn; the last may be open. */
  readonly #spans = new Map<string, Map<string, number[]>>()
  readonly #takenAt = new Map<string, number[]>()
  readonly #digests = new Map<string, string>()
  /** How many of each repository's inventories have been looked at. */
  readonly #read = new Map<string, number>()
  /** Those that are dated after the instant by which they were looked at. */
  #ahead: Known<Inventory>[] = []

  /** @param repositories each with since when it counts, -Infinity where the contract names it */
  constructor(index: FactIndex, repositories: ReadonlyMap<string, number>, clock: ClockTerms, at: number) {
    this.#index = index
    this.repositories = new Set(repositories.keys())
    this.#joinedAt = new Map([...repositories].filter(([, since]) => since > -Infinity))
    this.#clock = clock
    this.extend(at)
  }

  /** Reads what has come, and what the clock has reached. Undefined if some of it was taken before what is there. */
  extend(at: number): News | undefined {
    const news: News = { appeared: [], since: Infinity }
    const coming = this.#ahead
    this.#ahead = []
    for (const repository of this.repositories) {
      const inventories = this.#index.listings.get(repository)?.inventories ?? []
      coming.push(...inventories.slice(this.#read.get(repository) ?? 0))
      this.#read.set(repository, inventories.length)
    }
    const usable = coming.flatMap((fact) => this.#look(fact, at))
    this.flawed.sort((a, b) => a.fact.index - b.fact.index)
    usable.sort(byTime)
    const last = this.inventories.at(-1)
    const [first] = usable
    if (first !== undefined && last !== undefined && byTime(first, last) < 0) return undefined
    for (const one of usable) {
      this.#append(one, news.appeared)
      news.since = Math.min(news.since, one.takenAt)
    }
    return news
  }

  #look(fact: Known<Inventory>, at: number): Omit<Listed, 'place'>[] {
    if (!fact.predicate.complete) return []
    const repository = fact.predicate.repository.id
    const takenAt = fact.datedAt - correctionMs(fact, this.#clock.clockToleranceMs)
    const isFolded = this.#index.listings.get(repository)?.isFolded(fact) === true
    const flaw = flawOfTime(fact, takenAt, this.#clock) ?? (isFolded ? undefined : 'broken-inventory')
    if (flaw === undefined && takenAt <= at) return [{ fact, repository, takenAt }]
    if (flaw === undefined || Math.min(takenAt, fact.receivedAt) > at) this.#ahead.push(fact)
    else this.flawed.push({ fact, flaw })
    return []
  }

  #append({ fact, repository, takenAt }: Omit<Listed, 'place'>, appeared: Appearance[]): void {
    const times = this.#takenAt.get(repository) ?? []
    const spans = this.#spans.get(repository) ?? new Map<string, number[]>()
    this.#takenAt.set(repository, times)
    this.#spans.set(repository, spans)
    const place = times.length
    const { digest } = fact.predicate
    const difference = this.#index.listings
      .get(repository)
      ?.difference(this.#digests.get(repository) ?? null, digest)
    for (const id of difference?.removed ?? []) closeSpan(spans.get(id), place)
    for (const id of difference?.added ?? []) {
      if (openSpan(spans, id, place)) appeared.push({ repository, id, takenAt })
    }
    this.#digests.set(repository, digest)
    times.push(takenAt)
    this.inventories.push({ fact, repository, takenAt, place })
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
    let newest = this.inventories[low - 1]
    if (this.#joinedAt.size === 0) return newest
    while (newest !== undefined && this.joinedAt(newest.repository) > at) {
      low -= 1
      newest = this.inventories[low - 1]
    }
    return newest
  }

  /** Since when a repository is of the lineage. */
  joinedAt(repository: string): number {
    return this.#joinedAt.get(repository) ?? -Infinity
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

/** True if it was not there before: a delta may name an ID as removed and as added again. */
function openSpan(spans: Map<string, number[]>, id: string, place: number): boolean {
  const own = spans.get(id)
  if (own === undefined) {
    spans.set(id, [place])
    return true
  }
  if (own.length % 2 === 1) return false
  if (own.at(-1) === place) {
    own.pop()
    return false
  }
  own.push(place)
  return true
}

function byTime(a: Omit<Listed, 'place'>, b: Omit<Listed, 'place'>): number {
  return a.takenAt - b.takenAt || byTeller(a.fact, b.fact)
}
