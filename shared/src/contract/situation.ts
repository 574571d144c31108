import { Events } from './approval.ts'
import { Removals } from './ceiling.ts'
import type { CopyPlace } from './copies.ts'
import type { FactIndex } from './facts.ts'
import { History } from './history.ts'
import { Identities, Origins } from './identity.ts'
import { Lineage } from './lineage.ts'
import type { Touched } from './points.ts'
import { Points } from './points.ts'
import type { Contract } from './schema.ts'
import type { InForce, SetTerms } from './timeline.ts'
import { termsBySet, versionsInForce } from './timeline.ts'

interface View {
  lineage: Lineage
  points: Points
}

/** A contract and what is known of it at an instant; sets and versions that look alike share what is read. */
export class Situation {
  readonly contract: Contract
  readonly index: FactIndex
  readonly events: Events
  readonly versions: readonly InForce[]
  readonly terms: ReadonlyMap<string, readonly SetTerms[]>
  at: number
  readonly #identities: Identities
  readonly #origins: Origins
  readonly #acknowledged: ReadonlyMap<string, number>
  readonly #views = new Map<string, View>()
  readonly #histories = new Map<string, { history: History; view: View }>()
  readonly #removals = new Map<Lineage, Removals>()
  readonly #read: { events: number; disorders: number }
  /** How many repositories each name that was asked for had. */
  readonly #named = new Map<string, number | undefined>()
  /** When something that is known takes effect: a version, an event. */
  readonly #nextTurnAt: number

  constructor(contract: Contract, index: FactIndex, at: number) {
    this.contract = contract
    this.index = index
    this.at = at
    this.events = new Events(index.events, contract.id, at)
    this.versions = versionsInForce(contract, this.events, at)
    this.terms = termsBySet(contract, this.versions)
    this.#identities = new Identities(this.events)
    this.#origins = new Origins(index)
    const acknowledged = new Map<string, number>()
    for (const { predicate, datedAt } of this.events.of('finding-acknowledged')) {
      const id = String(predicate.detail['snapshot'])
      acknowledged.set(id, Math.min(datedAt, acknowledged.get(id) ?? Infinity))
    }
    this.#acknowledged = acknowledged
    this.#read = { events: index.events.length, disorders: index.disorders }
    const turns = [
      ...versionsInForce(contract, this.events, Infinity).map(({ from }) => from),
      ...index.events.map(({ datedAt }) => datedAt),
    ]
    this.#nextTurnAt = turns.reduce((next, turn) => (turn > at ? Math.min(next, turn) : next), Infinity)
  }

  /**
   * Goes on to a later instant with what has come since. Undefined where something has come that tells otherwise of
   * what was read; then the situation is of no more use. Else what was touched, by history.
   */
  extend(at: number): Map<History, Touched> | undefined {
    const { events, disorders } = this.index
    const isSame = events.length === this.#read.events && disorders === this.#read.disorders
    if (!isSame || at < this.at || at >= this.#nextTurnAt || !this.#origins.extend()) return undefined
    for (const [name, count] of this.#named) {
      if (this.index.repositories.get(name)?.size !== count) return undefined
    }
    this.at = at
    const touched = new Map<View, Touched>()
    for (const view of this.#views.values()) {
      const news = view.lineage.extend(at)
      const own = news && view.points.extend(news.appeared, at)
      if (news === undefined || own === undefined) return undefined
      touched.set(view, { ...own, since: Math.min(own.since, news.since) })
    }
    for (const removals of this.#removals.values()) removals.extend(at)
    const byHistory = new Map<History, Touched>()
    for (const { history, view } of this.#histories.values()) {
      const own = touched.get(view)
      if (own === undefined || !history.extend(own)) return undefined
      byHistory.set(history, { ...own, starts: [...own.starts, ...history.takeTurned()] })
    }
    return byHistory
  }

  /** The snapshots of a set under its terms. */
  historyOf(terms: SetTerms): History {
    const { id, selector, partial, content, evidence } = terms.set
    const key = JSON.stringify([id, selector, partial, content, evidence, terms.version.no])
    const known = this.#histories.get(key)
    if (known !== undefined) return known.history
    const view = this.viewOf(selector.repository, terms)
    const history = new History(terms, view.lineage, view.points.list, this.#acknowledged)
    this.#histories.set(key, { history, view })
    return history
  }

  viewOf(repository: string, terms: SetTerms): View {
    return this.#viewOf(this.#repositoriesOf(repository), terms)
  }

  #viewOf(repositories: ReadonlyMap<string, number>, terms: SetTerms): View {
    const { clockToleranceMs, quarantineOverMs } = terms
    const names = [...repositories].map(([id, since]) => `${id} ${since}`)
    const key = JSON.stringify([names.toSorted(), clockToleranceMs, quarantineOverMs])
    let view = this.#views.get(key)
    if (view === undefined) {
      const { index, at } = this
      const lineage = new Lineage(index, repositories, terms, at)
      view = { lineage, points: new Points(index, lineage, this.#identities, this.#origins, terms, at) }
      this.#views.set(key, view)
    }
    return view
  }

  removalsOf(lineage: Lineage): Removals {
    let removals = this.#removals.get(lineage)
    if (removals === undefined) {
      removals = new Removals(this.index, lineage, this.at)
      this.#removals.set(lineage, removals)
    }
    return removals
  }

  /** A copy lies elsewhere: what is the set's own lineage under another name is no copy of it. */
  copyPlaceOf(repository: string, terms: SetTerms): CopyPlace {
    const own = this.#repositoriesOf(terms.set.selector.repository)
    const elsewhere = [...this.#repositoriesOf(repository)].filter(([id]) => !own.has(id))
    const { lineage, points } = this.#viewOf(new Map(elsewhere), terms)
    return { lineage, ofRoot: (root) => points.ofRoot(root) }
  }

  /** By ID or lineage, and what both parties say has followed; each with since when. */
  #repositoriesOf(name: string): Map<string, number> {
    const known = this.index.repositories.get(name)
    this.#named.set(name, known?.size)
    const own = [...(known ?? [name])]
    const repositories = new Map(own.map((id) => [id, -Infinity]))
    for (const [id, since] of own.flatMap((one) => [...this.#identities.successorsOf(one)])) {
      repositories.set(id, Math.min(since, repositories.get(id) ?? Infinity))
    }
    return repositories
  }
}
