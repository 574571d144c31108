import type { BackupRun } from '../evidence/predicates.ts'
import { covers } from './cover.ts'
import type { Guarded } from './guard.ts'
import { Guard } from './guard.ts'
import type { Known } from './known.ts'
import type { Lineage, Listed } from './lineage.ts'
import type { Attestation, Point } from './point.ts'
import { idIn } from './point.ts'
import { Refutation } from './refutation.ts'
import { isWhole } from './run-standing.ts'
import type { SetTerms } from './timeline.ts'

/** A point as one set's terms see it, answerable at any instant. */
export interface Candidate {
  point: Point
  start: number
  /** A run that these terms accept, and since when; Infinity if there is none. */
  run: Known<BackupRun> | undefined
  acceptedAt: number
  /** Since when an acceptable run of a clock too far off reports it. */
  quarantinedAt: number
  /** Since when any run reports it. */
  attestedAt: number
  refutation: Refutation
  acknowledgedAt: number
  /** Its place among its host's candidates, by start. */
  rank: number
}

/** Why a snapshot that is there does not satisfy. */
export type Withheld = 'guard' | 'unattested' | 'quarantined'

/** The snapshots of one set, under one version's terms. */
export class History {
  readonly terms: SetTerms
  readonly lineage: Lineage
  /** Of the set's hosts, by start. */
  readonly points: readonly Point[]
  /** Those that cover the required paths too. */
  readonly candidates: readonly Candidate[]
  readonly #guards: ReadonlyMap<string, Guard>

  constructor(
    terms: SetTerms,
    lineage: Lineage,
    points: readonly Point[],
    acknowledged: ReadonlyMap<string, number>,
  ) {
    this.terms = terms
    this.lineage = lineage
    const { selector, partial, content } = terms.set
    this.points = points.filter(({ snapshot }) => selector.hosts.includes(snapshot.host))
    this.candidates = this.points
      .filter(({ snapshot }) => covers(snapshot.paths, selector.requiredPaths))
      .map((point) => readCandidate(point, partial, acknowledged))
    const byHost = Map.groupBy(this.candidates, ({ point }) => point.snapshot.host)
    for (const own of byHost.values()) own.forEach((candidate, rank) => (candidate.rank = rank))
    this.#guards = new Map(
      [...byHost].map(([host, own]) => [
        host,
        new Guard(
          own.map((one) => guarded(one)),
          content,
        ),
      ]),
    )
  }

  /** All but being in the newest inventory. */
  satisfies(candidate: Candidate, at: number): boolean {
    return isOtherwiseInOrder(candidate, at) && !this.#isHeld(candidate, at)
  }

  /** Each host has its own measure: a small server's backup must not excuse a large one's loss. */
  #isHeld({ point, rank }: Candidate, at: number): boolean {
    return this.#guards.get(point.snapshot.host)?.isHeldAt(rank, at) ?? false
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

function readCandidate(
  point: Point,
  partial: SetTerms['set']['partial'],
  acknowledged: ReadonlyMap<string, number>,
): Candidate {
  const whole = point.attestations.filter(({ run }) => isWhole(run.predicate, partial))
  const accepted = earliest(whole.filter(({ standing }) => standing === 'sound'))
  const names = [point, ...point.twins.map(({ point: twin }) => twin)].flatMap((one) => [...one.names])
  return {
    point,
    start: point.start,
    run: accepted?.run,
    acceptedAt: accepted?.since ?? Infinity,
    quarantinedAt: earliest(whole.filter(({ standing }) => standing === 'quarantined'))?.since ?? Infinity,
    attestedAt: earliest(point.attestations)?.since ?? Infinity,
    refutation: new Refutation(point.tests),
    acknowledgedAt: Math.min(...names.map((name) => acknowledged.get(name) ?? Infinity)),
    rank: 0,
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

function guarded(candidate: Candidate): Guarded {
  return {
    run: candidate.run?.predicate,
    isOtherwiseInOrder: (at) => isOtherwiseInOrder(candidate, at),
    changes: [candidate.acceptedAt, candidate.point.listedAt, ...candidate.refutation.changes],
    acknowledgedAt: candidate.acknowledgedAt,
  }
}
