import { Column } from './column.ts'
import type { Content } from './guard.ts'
import { Guard } from './guard.ts'
import type { Known } from './known.ts'
import type { Attestation, Point } from './point.ts'
import { Refutation } from './refutation.ts'
import { isWhole } from './run-standing.ts'
import type { SetTerms } from './timeline.ts'
import type { BackupRun } from './told.ts'

const UNTESTED = new Refutation([])

/** What the candidates of one history have in common. */
export interface Eye {
  readonly partial: SetTerms['set']['partial']
  /** By ID, when a person acknowledged it. */
  readonly acknowledged: ReadonlyMap<string, number>
  /** Of those points that have been tested. */
  readonly refutations: Map<Point, Refutation>
}

/** A point as one set's terms see it, answerable at any instant; made when it is asked for. */
export class Candidate {
  readonly point: Point
  /** Its place among its host's candidates, by start. */
  readonly rank: number
  /** Since when there is a run that these terms accept; Infinity if there is none. */
  readonly acceptedAt: number
  readonly #eye: Eye

  constructor(point: Point, rank: number, acceptedAt: number, eye: Eye) {
    this.point = point
    this.rank = rank
    this.acceptedAt = acceptedAt
    this.#eye = eye
  }

  get start(): number {
    return this.point.start
  }

  get refutation(): Refutation {
    return this.#eye.refutations.get(this.point) ?? UNTESTED
  }

  /** The run that these terms accept. */
  get run(): Known<BackupRun> | undefined {
    return whole(this.point, 'sound', this.#eye)?.run
  }

  /** Since when an acceptable run of a clock too far off reports it. */
  get quarantinedAt(): number {
    return whole(this.point, 'quarantined', this.#eye)?.since ?? Infinity
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
}

/** The candidates of one host, by start, and the guard over them. */
export class HostLine {
  readonly guard: Guard<Candidate>
  readonly #eye: Eye
  readonly #points: Point[] = []
  readonly #acceptedAt = new Column(Float64Array)

  constructor(content: Content | undefined, eye: Eye) {
    this.#eye = eye
    this.guard = new Guard(content, (rank) => this.at(rank), isOtherwiseInOrder)
  }

  get newest(): Point | undefined {
    return this.#points.at(-1)
  }

  /** Takes a point that started after those that it has. */
  add(point: Point): Candidate {
    const acceptedAt = whole(point, 'sound', this.#eye)?.since ?? Infinity
    this.#acceptedAt.push(acceptedAt)
    return new Candidate(point, this.#points.push(point) - 1, acceptedAt, this.#eye)
  }

  at(rank: number): Candidate | undefined {
    const point = this.#points[rank]
    return point && new Candidate(point, rank, this.#acceptedAt.at(rank), this.#eye)
  }
}

/** All but the guard, and being in the newest inventory. */
export function isOtherwiseInOrder({ acceptedAt, point, refutation }: Candidate, at: number): boolean {
  return acceptedAt <= at && point.listedAt <= at && !refutation.isRefutedAt(at)
}

/** The first run of such a standing that the terms accept. */
function whole(
  { attestations }: Point,
  standing: Attestation['standing'],
  { partial }: Eye,
): Attestation | undefined {
  return earliest(
    attestations.filter((one) => one.standing === standing && isWhole(one.run.predicate, partial)),
  )
}

function earliest(attestations: readonly Attestation[]): Attestation | undefined {
  let first: Attestation | undefined
  for (const one of attestations) if (first === undefined || one.since < first.since) first = one
  return first
}
