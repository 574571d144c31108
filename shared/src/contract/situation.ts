import type { RestoreTest } from '../evidence/predicates.ts'
import { Events } from './approval.ts'
import { Removals } from './ceiling.ts'
import type { CopyPlace } from './copies.ts'
import type { FactIndex } from './facts.ts'
import { History } from './history.ts'
import { Identities, Origins } from './identity.ts'
import type { Known } from './known.ts'
import type { Flaw } from './lineage.ts'
import { Lineage } from './lineage.ts'
import type { Point } from './point.ts'
import { readPoints } from './point.ts'
import type { Contract } from './schema.ts'
import type { InForce, SetTerms } from './timeline.ts'
import { termsBySet, versionsInForce } from './timeline.ts'

interface View {
  lineage: Lineage
  points: readonly Point[]
  flawedTests: { test: Known<RestoreTest>; flaw: Flaw }[]
}

/** A contract and what is known of it at an instant; sets and versions that look alike share what is read. */
export class Situation {
  readonly contract: Contract
  readonly index: FactIndex
  readonly at: number
  readonly events: Events
  readonly versions: readonly InForce[]
  readonly terms: ReadonlyMap<string, readonly SetTerms[]>
  readonly #identities: Identities
  readonly #origins: Origins
  readonly #acknowledged: ReadonlyMap<string, number>
  readonly #views = new Map<string, View>()
  readonly #histories = new Map<string, History>()
  readonly #removals = new Map<Lineage, Removals>()

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
  }

  /** The snapshots of a set under its terms. */
  historyOf(terms: SetTerms): History {
    const { id, selector, partial, content, evidence } = terms.set
    const key = JSON.stringify([id, selector, partial, content, evidence, terms.version.no])
    let history = this.#histories.get(key)
    if (history === undefined) {
      const { lineage, points } = this.viewOf(selector.repository, terms)
      history = new History(terms, lineage, points, this.#acknowledged)
      this.#histories.set(key, history)
    }
    return history
  }

  viewOf(repository: string, terms: SetTerms): View {
    return this.#viewOf(this.#repositoriesOf(repository), terms)
  }

  #viewOf(repositories: ReadonlySet<string>, terms: SetTerms): View {
    const { clockToleranceMs, quarantineOverMs } = terms
    const key = JSON.stringify([[...repositories].toSorted(), clockToleranceMs, quarantineOverMs])
    let view = this.#views.get(key)
    if (view === undefined) {
      const lineage = new Lineage(this.index, repositories, terms, this.at)
      const read = readPoints(this.index, lineage, this.#identities, this.#origins, terms, this.at)
      view = { lineage, ...read }
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
    const elsewhere = this.#repositoriesOf(repository).difference(own)
    const { lineage, points } = this.#viewOf(elsewhere, terms)
    return { lineage, byRoot: Map.groupBy(points, ({ root }) => root) }
  }

  /** By ID or lineage, and what both parties say has followed. */
  #repositoriesOf(name: string): Set<string> {
    const own = this.index.repositories.get(name) ?? new Set([name])
    return new Set([...own, ...[...own].flatMap((id) => this.#identities.successorsOf(id))])
  }
}
