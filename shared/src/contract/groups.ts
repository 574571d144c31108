import type { FactIndex } from './facts.ts'
import type { Identities, Origins } from './identity.ts'
import type { ClockTerms } from './lineage.ts'
import { PlaceIndex } from './place-index.ts'
import type { Learnt, Shelf } from './point.ts'
import { Point } from './point.ts'

/** Snapshots by their first ID, then by repository and tree. */
export class Groups {
  readonly #index: FactIndex
  readonly #origins: Origins
  readonly #clock: ClockTerms
  /** Since when what lies in a repository counts. */
  readonly #joinedAt: (repository: string) => number
  readonly #shelves = new Map<string, Shelf>()
  readonly #learnt = new Map<string, Learnt[]>()
  /** The first point of each group, and by the number of its first ID its place. */
  readonly #firsts: Point[] = []
  readonly #byRoot = new PlaceIndex((place) => this.#firsts[place]?.rootNumber)
  /** Of the groups that have more than one point, all of them. */
  readonly #several = new Map<Point, Point[]>()
  /** Of those all but the first, by repository, root and tree. */
  readonly #others = new Map<string, Point>()
  /** Those that are found otherwise than as the first of their group, by repository and the ID's number. */
  readonly #named = new Map<string, Point>()

  constructor(
    index: FactIndex,
    origins: Origins,
    clock: ClockTerms,
    joinedAt: (repository: string) => number,
  ) {
    this.#index = index
    this.#origins = origins
    this.#clock = clock
    this.#joinedAt = joinedAt
  }

  /** All that go back to one snapshot. @param root the number of its ID */
  ofRoot(root: number): readonly Point[] {
    const first = this.#firsts[this.#byRoot.placeOf(root)]
    return first === undefined ? [] : (this.#several.get(first) ?? [first])
  }

  /** What is told of one ID more than once counts as it was told first. */
  learn(repository: string, learnt: Learnt): void {
    const own = this.#learnt.get(repository)
    if (own === undefined) this.#learnt.set(repository, [learnt])
    else own.push(learnt)
  }

  gather(): void {
    for (const [repository, all] of this.#learnt) {
      for (const learnt of all) {
        const id = this.#idOf(learnt)
        if (this.find(repository, id) === undefined) this.#place(repository, id, learnt)
      }
    }
    this.#learnt.clear()
  }

  #idOf(learnt: Learnt): number {
    return typeof learnt === 'number' ? this.#index.runs.idNumber(learnt) : this.#index.ids.add(learnt.id)
  }

  #shelfOf(repository: string): Shelf {
    const known = this.#shelves.get(repository)
    if (known !== undefined) return known
    const { ids, runs } = this.#index
    const shelf = { repository, since: this.#joinedAt(repository), ids, runs, clock: this.#clock }
    this.#shelves.set(repository, shelf)
    return shelf
  }

  #place(repository: string, id: number, learnt: Learnt): Point {
    const root = this.#origins.rootOf(id)
    const point = new Point(this.#shelfOf(repository), root, id, learnt)
    const group = this.ofRoot(root)
    const [first] = group
    const key = `${repository} ${root} ${point.tree}`
    const isFirst = first?.repository === repository && first.tree === point.tree
    const known = isFirst ? first : this.#others.get(key)
    known?.learn(id, point.snapshot)
    if (first === undefined) this.#byRoot.add(root, this.#firsts.push(point) - 1)
    else if (known === undefined && group.length > 1) this.#several.get(first)?.push(point)
    else if (known === undefined) this.#several.set(first, [first, point])
    if (first !== undefined && known === undefined) this.#others.set(key, point)
    if (first !== undefined || root !== id) this.#named.set(`${repository} ${id}`, known ?? point)
    return known ?? point
  }

  /** One more, after all have been gathered; undefined if it goes back to one that is there, under whatever ID. */
  admit(repository: string, learnt: Learnt): Point | undefined {
    const id = this.#idOf(learnt)
    if (this.#byRoot.placeOf(this.#origins.rootOf(id)) >= 0) return undefined
    return this.#place(repository, id, learnt)
  }

  /** @param id its number */
  find(repository: string, id: number): Point | undefined {
    const first = this.#firsts[this.#byRoot.placeOf(id)]
    const isFirst = first?.repository === repository && first.idNumber === id
    return isFirst ? first : this.#named.get(`${repository} ${id}`)
  }

  /** What both parties approved makes one snapshot of several; before they did, they are not the same. */
  link(identities: Identities): void {
    for (const group of this.#several.values()) {
      const erasedAt = identities.erasedAt(group.flatMap(({ names }) => names))
      // Without an approved erasure, only those of one tree can be the same.
      const alike = erasedAt < Infinity ? [group] : Map.groupBy(group, ({ tree }) => tree).values()
      for (const same of alike) this.#linkAlike(same, erasedAt, identities)
    }
  }

  #linkAlike(group: readonly Point[], erasedAt: number, identities: Identities): void {
    if (group.length < 2) return
    const own = group.map(({ members, attestations, tests }) => ({ members, attestations, tests }))
    for (const [place, point] of group.entries()) {
      for (const [other, twin] of group.entries()) {
        const theirs = own[other]
        if (other === place || theirs === undefined) continue
        const since = Math.max(
          identities.succeededAt(point.repository, twin.repository),
          point.tree === twin.tree ? -Infinity : erasedAt,
        )
        if (since === Infinity) continue
        const later = <T extends { since: number }>(one: T): T => ({
          ...one,
          since: Math.max(one.since, since),
        })
        point.join({
          members: theirs.members.map(later),
          attestations: theirs.attestations.map(later),
          tests: theirs.tests.map(later),
          twin: { point: twin, since },
        })
      }
    }
  }

  *points(): Generator<Point> {
    for (const first of this.#firsts) yield* this.#several.get(first) ?? [first]
  }
}
