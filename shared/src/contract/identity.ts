import type { Detail, Events } from './approval.ts'
import { Approvals, textOf } from './approval.ts'
import type { FactIndex } from './facts.ts'
import type { Listings } from './listing.ts'

/** What the two parties have approved about identities, and since when. */
export class Identities {
  /** From and to. */
  readonly #successions: { from: string; to: string; since: number }[] = []
  /** By the ID of the snapshot that was rewritten. */
  readonly #erasures = new Map<string, number>()

  constructor(events: Events) {
    const successions = new Approvals().approveBy(events.of('repository-succession'), successionKey)
    for (const { detail, since } of successions.given()) {
      this.#successions.push({ from: textOf(detail, 'from'), to: textOf(detail, 'to'), since })
    }
    const erasures = new Approvals().approveBy(events.of('erasure-approved'), (detail) =>
      textOf(detail, 'original'),
    )
    for (const { key, since } of erasures.given()) this.#erasures.set(key, since)
  }

  /** The repositories that have followed this one, each with since when. */
  successorsOf(repository: string): Map<string, number> {
    const reached = this.#reachedFrom(repository)
    reached.delete(repository)
    return reached
  }

  /** The repositories that this one has followed by an instant. */
  predecessorsOf(repository: string, at: number): string[] {
    const before = new Set(this.#successions.map(({ from }) => from))
    before.delete(repository)
    return [...before].filter((one) => this.#reachedAt(one, repository) <= at)
  }

  /** Since when what lies in one repository counts in the other; Infinity if it does not. */
  succeededAt(one: string, other: string): number {
    if (one === other) return -Infinity
    return Math.min(this.#reachedAt(one, other), this.#reachedAt(other, one))
  }

  #reachedAt(from: string, to: string): number {
    return this.#reachedFrom(from).get(to) ?? Infinity
  }

  #reachedFrom(from: string): Map<string, number> {
    const reached = new Map([[from, -Infinity]])
    for (let rounds = this.#successions.length; rounds > 0; rounds--) {
      for (const step of this.#successions) {
        const before = reached.get(step.from)
        if (before === undefined) continue
        const since = Math.max(before, step.since)
        if (since < (reached.get(step.to) ?? Infinity)) reached.set(step.to, since)
      }
    }
    return reached
  }

  /** Since when a snapshot of another tree counts as the one it was rewritten from; Infinity if it does not. */
  erasedAt(ids: Iterable<string>): number {
    let since = Infinity
    for (const id of ids) since = Math.min(since, this.#erasures.get(id) ?? Infinity)
    return since
  }
}

function successionKey(detail: Detail): string {
  return JSON.stringify([textOf(detail, 'from'), textOf(detail, 'to')])
}

/** The first ID of a snapshot: `tag` and `copy` keep it in `original`, `rewrite` names the one before. By numbers. */
export class Origins {
  readonly #index: FactIndex
  readonly #byId = new Map<number, number>()
  /** By number: those that a root may have been asked of. */
  #seen = new Uint8Array(64)
  readonly #read = new Map<Listings, number>()
  /** What is the root of each that has another. Empty when one more has come. */
  readonly #roots = new Map<number, number>()
  #runs = 0
  #tests = 0

  constructor(index: FactIndex) {
    this.#index = index
    this.extend()
  }

  /** Reads what has come since. False if that changes the root of what was there before. */
  extend(): boolean {
    const { ids, listings: all, runs, tests } = this.#index
    let isNew = true
    for (const listings of all.values()) {
      const { learnt } = listings
      for (let place = this.#read.get(listings) ?? 0; place < learnt.length; place++) {
        const snapshot = learnt[place]
        if (snapshot !== undefined) isNew = this.#add(ids.add(snapshot.id), snapshot.original) && isNew
      }
      this.#read.set(listings, learnt.length)
    }
    for (; this.#runs < runs.length; this.#runs++) {
      if (runs.alikeAt(this.#runs).snapshot === null) continue
      isNew = this.#add(runs.idNumber(this.#runs), runs.original(this.#runs)) && isNew
    }
    // A test tells no origin, but is told of a snapshot: what names its origin later makes it another.
    for (; this.#tests < tests.length; this.#tests++) {
      const test = tests[this.#tests]
      if (test !== undefined) this.#see(ids.add(test.predicate.snapshot.id))
    }
    return isNew
  }

  #add(id: number, name: string | undefined): boolean {
    const original = name === undefined ? undefined : this.#index.ids.add(name)
    const isNew = original === undefined || this.#byId.get(id) === original || this.#seen[id] !== 1
    if (original !== undefined) {
      this.#byId.set(id, original)
      this.#roots.clear()
      this.#see(original)
    }
    this.#see(id)
    return isNew
  }

  #see(id: number): void {
    if (id >= this.#seen.length) {
      const more = new Uint8Array(2 * id)
      more.set(this.#seen)
      this.#seen = more
    }
    this.#seen[id] = 1
  }

  rootOf(id: number): number {
    if (!this.#byId.has(id)) return id
    const known = this.#roots.get(id)
    if (known !== undefined) return known
    // Each is walked once, however long the way: one listing may name a hundred thousand, each made from the last.
    const way = new Set<number>()
    let last = id
    for (
      let next: number | undefined = id;
      next !== undefined && !way.has(next) && !this.#roots.has(next);
      next = this.#byId.get(next)
    ) {
      way.add(next)
      last = next
    }
    const next = this.#byId.get(last)
    const root = next === undefined ? last : (this.#roots.get(next) ?? this.#firstOf(last))
    for (const one of way) this.#roots.set(one, root)
    return root
  }

  /** Of those that name each other in a ring, which none of restic's do: whichever is asked for, it is the same. */
  #firstOf(id: number): number {
    const { ids } = this.#index
    let first = id
    for (let next = this.#byId.get(id) ?? id; next !== id; next = this.#byId.get(next) ?? id) {
      if (ids.at(next) < ids.at(first)) first = next
    }
    return first
  }
}
