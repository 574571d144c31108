import { covers } from './cover.ts'
import type { Content } from './guard.ts'
import { Guard } from './guard.ts'
import type { Known } from './known.ts'
import type { Lineage, Listed } from './lineage.ts'
import type { Attestation, Point } from './point.ts'
import { byStart, idIn } from './point.ts'
import type { Touched } from './points.ts'
import { insertSorted } from './points.ts'
import { Refutation } from './refutation.ts'
import { isWhole } from './run-standing.ts'
import type { SetTerms } from './timeline.ts'
import type { BackupRun } from './told.ts'

/** What the candidates of one history have in common. */
interface Eye {
  readonly partial: SetTerms['set']['partial']
  /** By ID, when a person acknowledged it. */
  readonly acknowledged: ReadonlyMap<string, number>
}

/** A point as one set's terms see it, answerable at any instant. */
export class Candidate {
  readonly point: Point
  refutation: Refutation
  /** Its place among its host's candidates, by start. */
  rank = 0
  /** Since when there is a run that these terms accept; Infinity if there is none. */
  readonly acceptedAt: number
  readonly #eye: Eye

  constructor(point: Point, eye: Eye) {
    this.point = point
    this.#eye = eye
    this.refutation = refutationOf(point)
    this.acceptedAt = this.#whole('sound')?.since ?? Infinity
  }

  get start(): number {
    return this.point.start
  }

  /** The run that these terms accept. */
  get run(): Known<BackupRun> | undefined {
    return this.#whole('sound')?.run
  }

  /** Since when an acceptable run of a clock too far off reports it. */
  get quarantinedAt(): number {
    return this.#whole('quarantined')?.since ?? Infinity
  }

  /** Since when any run reports it. */
  get attestedAt(): number {
    return earliest(this.point.attestations)?.since ?? Infinity
  }

  get acknowledgedAt(): number {
    const { acknowledged } = this.#eye
    if (acknowledged.size === 0) return Infinity
    const names = [this.point, ...this.point.twins.map(({ point: twin }) => twin)].flatMap((one) => one.names)
    return Math.min(...names.map((name) => acknowledged.get(name) ?? Infinity))
  }

  #whole(standing: Attestation['standing']): Attestation | undefined {
    return earliest(
      this.point.attestations.filter(
        (one) => one.standing === standing && isWhole(one.run.predicate, this.#eye.partial),
      ),
    )
  }
}

/** By host, the instants at which its guard may judge otherwise, and about which of its candidates. */
class Changes {
  readonly byHost = new Map<string, { at: number; place: number }[]>()

  /** Most are acknowledged by nobody, and many never listed: what never comes changes nothing. */
  add({ point, rank }: Candidate, at: number): void {
    if (!Number.isFinite(at)) return
    const { host } = point.snapshot
    const own = this.byHost.get(host)
    if (own === undefined) this.byHost.set(host, [{ at, place: rank }])
    else own.push({ at, place: rank })
  }
}

/** Why a snapshot that is there does not satisfy. */
export type Withheld = 'guard' | 'unattested' | 'quarantined'

/** The snapshots of one set, under one version's terms. */
export class History {
  readonly terms: SetTerms
  readonly lineage: Lineage
  /** Of the set's hosts, by start. */
  readonly points: Point[] = []
  /** Those that cover the required paths too. */
  readonly candidates: Candidate[] = []
  /** Those points that have been tested, and those that a run reports which does not hold. */
  readonly tested: Point[] = []
  readonly doubted: Point[] = []
  readonly #eye: Eye
  /** By host, with the newest run that each has. */
  readonly #guards = new Map<string, { guard: Guard<Candidate>; last?: Candidate }>()

  constructor(
    terms: SetTerms,
    lineage: Lineage,
    points: readonly Point[],
    acknowledged: ReadonlyMap<string, number>,
  ) {
    this.terms = terms
    this.lineage = lineage
    this.#eye = { partial: terms.set.partial, acknowledged }
    this.#add(points)
    this.takeTurned() // it has not been asked for anything yet
  }

  /** Takes in what has come. False if the content guard had been asked of later than some of it. */
  extend({ added, listed, tested }: Touched): boolean {
    if (!this.#add(added)) return false
    const changes = new Changes()
    for (const point of tested) {
      const candidate = this.#candidateOf(point)
      if (candidate === undefined) continue
      const before = candidate.refutation
      candidate.refutation = refutationOf(point)
      // At any time, not only now: the guard has measured others by it, and what is over was judged by that.
      const turns = [...before.changes, ...candidate.refutation.changes]
      if (turns.some((at) => candidate.refutation.isRefutedAt(at) !== before.isRefutedAt(at))) return false
    }
    const isNew = new Set(added)
    for (const point of listed) {
      const candidate = this.#candidateOf(point)
      if (candidate !== undefined && !isNew.has(point)) changes.add(candidate, point.listedAt)
    }
    const own = tested.filter(({ snapshot }) => this.terms.set.selector.hosts.includes(snapshot.host))
    for (const point of own) if (!this.tested.includes(point)) insertSorted(this.tested, point, byStart)
    return this.#play(changes)
  }

  /** The starts of what the guard has held or let go since this was asked last. */
  takeTurned(): number[] {
    return [...this.#guards.values()].flatMap(({ guard }) => guard.takeTurned())
  }

  #add(points: readonly Point[]): boolean {
    const { selector, content } = this.terms.set
    const own = points.filter(({ snapshot }) => selector.hosts.includes(snapshot.host))
    if (own.length === 0) return true
    const changes = new Changes()
    let inOrder = true
    for (const point of own.toSorted(byStart)) {
      insertSorted(this.points, point, byStart)
      if (!covers(point.snapshot.paths, selector.requiredPaths)) continue
      const candidate = new Candidate(point, this.#eye)
      insertSorted(this.candidates, candidate, (a, b) => byStart(a.point, b.point))
      inOrder = this.#guard(candidate, content) && inOrder
      const { acceptedAt, acknowledgedAt, refutation } = candidate
      for (const at of [acceptedAt, point.listedAt, ...refutation.changes, acknowledgedAt])
        changes.add(candidate, at)
    }
    for (const point of own.filter(isTested)) insertSorted(this.tested, point, byStart)
    for (const point of own.filter(isDoubted)) insertSorted(this.doubted, point, byStart)
    return inOrder && this.#play(changes)
  }

  /** False if it started before one that its host's guard has. */
  #guard(candidate: Candidate, content: Content | undefined): boolean {
    const { host } = candidate.point.snapshot
    const { guard, last } = this.#guards.get(host) ?? { guard: new Guard(content, isOtherwiseInOrder) }
    candidate.rank = guard.add(candidate)
    this.#guards.set(host, { guard, last: candidate })
    return last === undefined || byStart(last.point, candidate.point) <= 0
  }

  #play({ byHost }: Changes): boolean {
    return [...byHost].every(([host, own]) => this.#guards.get(host)?.guard.play(own) !== false)
  }

  /** All but being in the newest inventory. */
  satisfies(candidate: Candidate, at: number): boolean {
    return isOtherwiseInOrder(candidate, at) && !this.#isHeld(candidate, at)
  }

  /** Each host has its own measure: a small server's backup must not excuse a large one's loss. */
  #isHeld({ point, rank }: Candidate, at: number): boolean {
    return this.#guards.get(point.snapshot.host)?.guard.isHeldAt(rank, at) ?? false
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

  /** Those that started in [from, to). */
  between(from: number, to: number): readonly Candidate[] {
    return this.candidates.slice(this.#firstFrom(from), this.#firstFrom(to))
  }

  #candidateOf(point: Point): Candidate | undefined {
    for (let place = this.#firstFrom(point.start); place < this.candidates.length; place += 1) {
      const candidate = this.candidates[place]
      if (candidate === undefined || candidate.start !== point.start) return undefined
      if (candidate.point === point) return candidate
    }
    return undefined
  }

  #firstFrom(start: number): number {
    let low = 0
    let high = this.candidates.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.candidates[middle]?.start ?? 0) < start) low = middle + 1
      else high = middle
    }
    return low
  }
}

function earliest(attestations: readonly Attestation[]): Attestation | undefined {
  let first: Attestation | undefined
  for (const one of attestations) if (first === undefined || one.since < first.since) first = one
  return first
}

function isOtherwiseInOrder({ acceptedAt, point, refutation }: Candidate, at: number): boolean {
  return acceptedAt <= at && point.listedAt <= at && !refutation.isRefutedAt(at)
}

const UNTESTED = new Refutation([])

function refutationOf({ tests }: Point): Refutation {
  return tests.length === 0 ? UNTESTED : new Refutation(tests)
}

function isTested({ tests }: Point): boolean {
  return tests.length > 0
}

function isDoubted({ attestations }: Point): boolean {
  return attestations.some(({ standing }) => standing !== 'sound')
}
