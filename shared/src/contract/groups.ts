import type { Snap } from '../evidence/predicates.ts'
import type { Identities, Origins } from './identity.ts'
import { Point } from './point.ts'

/** Snapshots by their first ID, then by repository and tree. */
export class Groups {
  readonly #origins: Origins
  /** Since when what lies in a repository counts. */
  readonly #joinedAt: (repository: string) => number
  readonly #learnt = new Map<string, Map<string, Snap>>()
  readonly #byRoot = new Map<string, Point[]>()
  readonly #byId = new Map<string, Map<string, Point>>()

  constructor(origins: Origins, joinedAt: (repository: string) => number) {
    this.#origins = origins
    this.#joinedAt = joinedAt
  }

  /** All that go back to one snapshot, by its ID. */
  get byRoot(): ReadonlyMap<string, readonly Point[]> {
    return this.#byRoot
  }

  learn(repository: string, snapshot: Snap): void {
    let own = this.#learnt.get(repository)
    if (own === undefined) {
      own = new Map()
      this.#learnt.set(repository, own)
    }
    const { id } = snapshot
    if (!own.has(id)) own.set(id, snapshot)
  }

  gather(): void {
    for (const [repository, snapshots] of this.#learnt) {
      const byId = new Map<string, Point>()
      this.#byId.set(repository, byId)
      for (const [id, snapshot] of snapshots) byId.set(id, this.#place(repository, id, snapshot))
    }
    this.#learnt.clear()
  }

  #place(repository: string, id: string, snapshot: Snap): Point {
    const root = this.#origins.rootOf(id)
    const member = { repository, id, since: this.#joinedAt(repository) }
    const group = this.#byRoot.get(root)
    const known = group?.find((one) => one.repository === repository && one.tree === snapshot.tree)
    if (known !== undefined) {
      known.learn(member, snapshot)
      return known
    }
    const point = new Point(root, member, snapshot)
    if (group === undefined) this.#byRoot.set(root, [point])
    else group.push(point)
    return point
  }

  /** One more, after all have been gathered; undefined if it goes back to one that is there, under whatever ID. */
  admit(repository: string, snapshot: Snap): Point | undefined {
    const { id } = snapshot
    if (this.#byRoot.has(this.#origins.rootOf(id))) return undefined
    const point = this.#place(repository, id, snapshot)
    const byId = this.#byId.get(repository) ?? new Map<string, Point>()
    this.#byId.set(repository, byId)
    byId.set(id, point)
    return point
  }

  find(repository: string, id: string): Point | undefined {
    return this.#byId.get(repository)?.get(id)
  }

  /** What both parties approved makes one snapshot of several; before they did, they are not the same. */
  link(identities: Identities): void {
    for (const group of this.#byRoot.values()) {
      if (group.length < 2) continue
      const erasedAt = identities.erasedAt(group.flatMap(({ names }) => names))
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
  }

  *points(): Generator<Point> {
    for (const group of this.#byRoot.values()) yield* group
  }
}
