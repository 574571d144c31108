import type { Candidate, Eye } from './candidate.ts'
import { HostLine, isOtherwiseInOrder } from './candidate.ts'
import { Column } from './column.ts'
import { covers } from './cover.ts'
import { Changes } from './guard.ts'
import type { Lineage, Listed } from './lineage.ts'
import type { Point } from './point.ts'
import { byStart, idIn } from './point.ts'
import type { Touched } from './points.ts'
import { insertSorted } from './points.ts'
import { Refutation } from './refutation.ts'
import type { SetTerms } from './timeline.ts'

/** Why a snapshot that is there does not satisfy. */
export type Withheld = 'guard' | 'unattested' | 'quarantined'

/** The snapshots of one set, under one version's terms. */
export class History {
  readonly terms: SetTerms
  readonly lineage: Lineage
  /** Of the set's hosts, by start. */
  readonly points: Point[] = []
  /** Those points that have been tested, and those that a run reports which does not hold. */
  readonly tested: Point[] = []
  readonly doubted: Point[] = []
  /** Of each point its place among its host's candidates; -1 of those that do not cover the required paths. */
  readonly #ranks = new Column(Int32Array)
  readonly #eye: Eye
  readonly #lines = new Map<string, HostLine>()

  constructor(
    terms: SetTerms,
    lineage: Lineage,
    points: readonly Point[],
    acknowledged: ReadonlyMap<string, number>,
  ) {
    this.terms = terms
    this.lineage = lineage
    this.#eye = { partial: terms.set.partial, acknowledged, refutations: new Map() }
    this.#add(points)
    this.takeTurned() // it has not been asked for anything yet
  }

  /** Takes in what has come. False if the content guard had been asked of later than some of it. */
  extend({ added, listed, tested }: Touched): boolean {
    if (!this.#add(added.toSorted(byStart))) return false
    for (const point of tested) {
      const candidate = this.#candidateAt(this.#placeOf(point))
      if (candidate === undefined) continue
      const before = candidate.refutation
      const now = new Refutation(point.tests)
      this.#eye.refutations.set(point, now)
      // At any time, not only now: the guard has measured others by it, and what is over was judged by that.
      const turns = [...before.changes, ...now.changes]
      if (turns.some((at) => now.isRefutedAt(at) !== before.isRefutedAt(at))) return false
    }
    const changes = new Map<string, Changes>()
    const isNew = new Set(added)
    for (const point of listed) {
      const candidate = this.#candidateAt(this.#placeOf(point))
      if (candidate !== undefined && !isNew.has(point))
        changesOf(changes, point).add(point.listedAt, candidate.rank)
    }
    const own = tested.filter((point) => this.#isOwn(point))
    for (const point of own) if (!this.tested.includes(point)) insertSorted(this.tested, point, byStart)
    return this.#play(changes)
  }

  /** The starts of what the guard has held or let go since this was asked last. */
  takeTurned(): number[] {
    return [...this.#lines.values()].flatMap(({ guard }) => guard.takeTurned())
  }

  #isOwn({ snapshot }: Point): boolean {
    return this.terms.set.selector.hosts.includes(snapshot.host)
  }

  /** False if one started before another that its host's guard has. @param points by start */
  #add(points: readonly Point[]): boolean {
    const { selector } = this.terms.set
    const changes = new Map<string, Changes>()
    let inOrder = true
    for (const point of points) {
      if (!this.#isOwn(point)) continue
      const place = insertSorted(this.points, point, byStart)
      if (point.tests.length > 0) insertSorted(this.tested, point, byStart)
      if (isDoubted(point)) insertSorted(this.doubted, point, byStart)
      if (!covers(point.snapshot.paths, selector.requiredPaths)) {
        this.#ranks.insert(place, -1)
        continue
      }
      if (point.tests.length > 0) this.#eye.refutations.set(point, new Refutation(point.tests))
      const line = this.#lineOf(point)
      if (line.newest !== undefined && byStart(line.newest, point) > 0) inOrder = false
      const { rank, acceptedAt, acknowledgedAt, refutation } = line.add(point)
      this.#ranks.insert(place, rank)
      const own = changesOf(changes, point)
      for (const at of [acceptedAt, point.listedAt, ...refutation.changes, acknowledgedAt]) own.add(at, rank)
    }
    return inOrder && this.#play(changes)
  }

  #lineOf({ snapshot: { host } }: Point): HostLine {
    const line = this.#lines.get(host) ?? new HostLine(this.terms.set.content, this.#eye)
    this.#lines.set(host, line)
    return line
  }

  #play(changes: ReadonlyMap<string, Changes>): boolean {
    return [...changes].every(([host, own]) => this.#lines.get(host)?.guard.play(own) !== false)
  }

  /** All but being in the newest inventory. */
  satisfies(candidate: Candidate, at: number): boolean {
    return isOtherwiseInOrder(candidate, at) && !this.#isHeld(candidate, at)
  }

  /** Each host has its own measure: a small server's backup must not excuse a large one's loss. */
  #isHeld({ point, rank }: Candidate, at: number): boolean {
    return this.#lines.get(point.snapshot.host)?.guard.isHeldAt(rank, at) ?? false
  }

  /** What alone keeps a listed snapshot from satisfying; undefined if it satisfies, or never will as it is. */
  withheldBy(candidate: Candidate, at: number): Withheld | undefined {
    if (candidate.refutation.isRefutedAt(at) || candidate.start > at) return undefined
    if (candidate.acceptedAt <= at) {
      return this.#isHeld(candidate, at) ? 'guard' : undefined
    }
    if (candidate.quarantinedAt <= at) return 'quarantined'
    return candidate.attestedAt <= at || this.#isFutureDated(candidate) ? undefined : 'unattested'
  }

  /** No run says when it was made; then at least it must not be younger than what first listed it. */
  #isFutureDated({ point, start }: Candidate): boolean {
    const first = this.lineage.firstSince(
      point.listedAt,
      (inventory) => idIn(point, inventory, this.lineage, Infinity) !== undefined,
    )
    return first !== undefined && start > first.fact.receivedAt + this.terms.clockToleranceMs
  }

  /** The ID under which the inventory lists the candidate. */
  idIn(candidate: Candidate, inventory: Listed, at: number): string | undefined {
    return idIn(candidate.point, inventory, this.lineage, at)
  }

  /** The points that cover the required paths and started in [from, to); the oldest comes first. */
  *between(from = -Infinity, to = Infinity): Generator<Candidate> {
    const end = this.#firstFrom(to)
    for (let place = this.#firstFrom(from); place < end; place += 1) {
      const candidate = this.#candidateAt(place)
      if (candidate !== undefined) yield candidate
    }
  }

  /** The same; the newest comes first. */
  *fromNewest(from = -Infinity, to = Infinity): Generator<Candidate> {
    const first = this.#firstFrom(from)
    for (let place = this.#firstFrom(to) - 1; place >= first; place -= 1) {
      const candidate = this.#candidateAt(place)
      if (candidate !== undefined) yield candidate
    }
  }

  /** The newest candidate for which the test holds. */
  newest(holds: (candidate: Candidate) => boolean): Candidate | undefined {
    for (const candidate of this.fromNewest()) if (holds(candidate)) return candidate
    return undefined
  }

  #candidateAt(place: number): Candidate | undefined {
    const point = this.points[place]
    const rank = this.#ranks.at(place)
    return point && rank >= 0 ? this.#lines.get(point.snapshot.host)?.at(rank) : undefined
  }

  /** -1 where the point is not there. */
  #placeOf(point: Point): number {
    for (let place = this.#firstFrom(point.start); this.points[place]?.start === point.start; place += 1)
      if (this.points[place] === point) return place
    return -1
  }

  #firstFrom(start: number): number {
    let low = 0
    let high = this.points.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.points[middle]?.start ?? 0) < start) low = middle + 1
      else high = middle
    }
    return low
  }
}

function changesOf(byHost: Map<string, Changes>, { snapshot: { host } }: Point): Changes {
  const own = byHost.get(host) ?? new Changes()
  byHost.set(host, own)
  return own
}

function isDoubted({ attestations }: Point): boolean {
  return attestations.some(({ standing }) => standing !== 'sound')
}
