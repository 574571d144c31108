import type { Snap } from '../evidence/predicates.ts'
import type { Known } from './known.ts'
import { byTeller, correctionMs } from './known.ts'
import type { ClockTerms, Lineage, Listed } from './lineage.ts'
import { isQuarantined } from './lineage.ts'
import type { BackupRun, RestoreTest } from './told.ts'

/** A run that reports a snapshot, judged by its times. */
export interface Attestation {
  run: Known<BackupRun>
  /** Since when it counts: the run's end, or the approval by which it is about this snapshot. */
  since: number
  /** The snapshot's start, corrected. */
  start: number
  standing: 'sound' | 'quarantined' | 'future-dated' | 'backdated'
}

/** A restore test that counts, its times corrected. */
export interface Tested {
  test: Known<RestoreTest>
  since: number
  startedAt: number
  endedAt: number
}

/** A snapshot under an ID, and since when that ID is this snapshot. */
interface Member {
  repository: string
  id: string
  since: number
}

/** The same snapshot in another repository or with another tree, and since when it counts as that. */
interface Twin {
  point: Point
  since: number
}

const NO_TESTS: readonly Tested[] = []
const NO_TWINS: readonly Twin[] = []

/**
 * One snapshot of one repository under all its IDs, with what was said of it. There are as many as backups, and most
 * have one ID, one word and no test: a list is kept only where it says more than that.
 */
export class Point {
  readonly root: string
  readonly repository: string
  snapshot: Snap
  start: number
  /** When a complete inventory first listed it; Infinity if none did. */
  listedAt = Infinity
  tests = NO_TESTS
  twins = NO_TWINS
  /** As it was learnt. */
  readonly #first: Snap
  readonly #id: string
  readonly #since: number | null
  #members: Member[] | null = null
  #names: string[] | null = null
  #attestations: Attestation | Attestation[] | null = null

  constructor(root: string, { repository, id, since }: Member, snapshot: Snap) {
    this.root = root
    this.repository = repository
    this.snapshot = snapshot
    this.start = Date.parse(snapshot.time)
    this.#first = snapshot
    this.#id = id
    this.#since = since === -Infinity ? null : since
    this.#name(id, snapshot)
  }

  get tree(): string {
    return this.#first.tree
  }

  get members(): readonly Member[] {
    return this.#members ?? [{ repository: this.repository, id: this.#id, since: this.#since ?? -Infinity }]
  }

  /** What it has been called by, unlisted ones included, each once: its first ID, its own, and those it was made from. */
  get names(): readonly string[] {
    return this.#names ?? [this.root]
  }

  get attestations(): readonly Attestation[] {
    const all = this.#attestations
    return all === null ? [] : Array.isArray(all) ? all : [all]
  }

  /** The same snapshot under one more ID. */
  learn(member: Member, snapshot: Snap): void {
    this.join({ members: [member] })
    this.#name(member.id, snapshot)
  }

  /** Takes what is said of it, or of what is the same. */
  join(more: {
    members?: readonly Member[]
    attestations?: readonly Attestation[]
    tests?: readonly Tested[]
    twin?: Twin
  }): void {
    const { members = [], attestations = [], tests = [], twin } = more
    if (members.length > 0) this.#members = [...this.members, ...members]
    if (attestations.length > 0) {
      const [first, ...others] = [...this.attestations, ...attestations]
      this.#attestations =
        first === undefined || others.length > 0 ? [...this.attestations, ...attestations] : first
    }
    if (tests.length > 0) this.tests = [...this.tests, ...tests]
    if (twin !== undefined) this.twins = [...this.twins, twin]
  }

  #name(id: string, { original }: Snap): void {
    for (const name of [id, original])
      if (name !== undefined && !this.names.includes(name)) this.#names = [...this.names, name]
  }
}

/** A run's word for its snapshot, judged by the rules of the clock and the chain. */
export function attest(run: Known<BackupRun>, snapshot: Snap, clock: ClockTerms): Attestation {
  const { clockToleranceMs: tolerance } = clock
  const correction = correctionMs(run, tolerance)
  const told = Date.parse(snapshot.time)
  const start = told - correction
  const startedAt = Date.parse(run.predicate.startedAt)
  const stated = run.latestBefore(tolerance)
  const within = told >= startedAt - tolerance && told <= run.datedAt + tolerance
  const standing = isQuarantined(run, clock)
    ? 'quarantined'
    : start > run.receivedAt + tolerance
      ? 'future-dated'
      : within && run.datedAt + tolerance >= stated
        ? 'sound'
        : 'backdated'
  // A date in the future would hide what is wrong until then: it is known from the receipt.
  const endedAt = run.datedAt - correction
  return {
    run,
    since: standing === 'future-dated' ? Math.min(endedAt, run.receivedAt) : endedAt,
    start,
    standing,
  }
}

/** Takes the best word for it, and when it was first listed. */
export function settlePoint(point: Point, lineage: Lineage): void {
  const rank = { sound: 0, quarantined: 1, backdated: 2, 'future-dated': 3 }
  const best = point.attestations.toSorted(
    (a, b) => rank[a.standing] - rank[b.standing] || a.since - b.since,
  )[0]
  if (best !== undefined) {
    point.start = best.start
    point.snapshot = best.run.predicate.snapshot ?? point.snapshot
  }
  if (point.tests.length > 1) point.tests = point.tests.toSorted(bySince)
  for (const { repository, id, since } of point.members) {
    const listed = Math.max(since, lineage.firstListedAt(repository, id))
    point.listedAt = Math.min(point.listedAt, listed)
  }
}

/** The ID under which the inventory lists the point, as it was known at an instant; the newest, if by several. */
export function idIn(point: Point, inventory: Listed, lineage: Lineage, at: number): string | undefined {
  return point.members.findLast(
    ({ repository, id, since }) => since <= at && lineage.isIn(inventory, repository, id),
  )?.id
}

/** Tests by the time from which they count. */
export function bySince(a: Tested, b: Tested): number {
  return a.since - b.since || a.endedAt - b.endedAt || byTeller(a.test, b.test)
}

/** By start; those of one start by their first ID. */
export function byStart(a: Point, b: Point): number {
  return a.start - b.start || (a.root < b.root ? -1 : a.root > b.root ? 1 : 0)
}
