import type { Snap } from '../evidence/predicates.ts'
import type { Ids } from './ids.ts'
import type { Known } from './known.ts'
import { byTeller, correctionMs } from './known.ts'
import type { ClockTerms, Lineage, Listed } from './lineage.ts'
import { isQuarantined } from './lineage.ts'
import type { Runs } from './runs.ts'
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

/** What the points of one repository have in common. */
export interface Shelf {
  readonly repository: string
  /** Since when what lies there counts; -Infinity: ever. */
  readonly since: number
  readonly ids: Ids
  readonly runs: Runs
  readonly clock: ClockTerms
}

/** A snapshot as it was told first: by a listing or a test, or by the run in a row. */
export type Learnt = Snap | number

/** What few points have. */
interface More {
  root: number
  snapshot: Snap | null
  members: readonly Member[] | null
  names: readonly string[]
  attestations: readonly Attestation[] | null
  tests: readonly Tested[]
  twins: readonly Twin[]
}

/**
 * One snapshot of one repository under all its IDs, with what was said of it. There are as many as backups, and most
 * have one ID, one word and no test: of those it keeps where that is told, and asks again.
 */
export class Point {
  start: number
  /** When a complete inventory first listed it; Infinity if none did. */
  listedAt = Infinity
  readonly #shelf: Shelf
  readonly #id: number
  readonly #first: Learnt
  /** The row of the one run that reports it; -1 if none does. */
  #row = -1
  #more: More | null = null

  /** @param id its number */
  constructor(shelf: Shelf, root: number, id: number, first: Learnt) {
    this.#shelf = shelf
    this.#id = id
    this.#first = first
    this.start = typeof first === 'number' ? shelf.runs.time(first) : Date.parse(first.time)
    if (root !== id) this.#more = this.#othersOf(root)
    this.#name(id, this.#learnt.original)
  }

  get #learnt(): Snap {
    return typeof this.#first === 'number' ? snapshotAt(this.#shelf.runs, this.#first) : this.#first
  }

  get repository(): string {
    return this.#shelf.repository
  }

  /** The number of its first ID. */
  get rootNumber(): number {
    return this.#more?.root ?? this.#id
  }

  get root(): string {
    return this.#shelf.ids.at(this.rootNumber)
  }

  /** The number of the ID by which it was learnt. */
  get idNumber(): number {
    return this.#id
  }

  get tree(): string {
    return this.#learnt.tree
  }

  /** As it was told best. */
  get snapshot(): Snap {
    if (this.#more !== null && this.#more.snapshot !== null) return this.#more.snapshot
    return this.#row < 0 ? this.#learnt : snapshotAt(this.#shelf.runs, this.#row)
  }

  get members(): readonly Member[] {
    const { repository, since, ids } = this.#shelf
    return this.#more?.members ?? [{ repository, id: ids.at(this.#id), since }]
  }

  /** What it has been called by, unlisted ones included, each once: its first ID, its own, and those it was made from. */
  get names(): readonly string[] {
    return this.#more?.names ?? [this.root]
  }

  get attestations(): readonly Attestation[] {
    const { runs, clock } = this.#shelf
    return this.#more?.attestations ?? (this.#row < 0 ? [] : [attestAt(runs, this.#row, clock)])
  }

  get tests(): readonly Tested[] {
    return this.#more?.tests ?? NO_TESTS
  }

  get twins(): readonly Twin[] {
    return this.#more?.twins ?? NO_TWINS
  }

  /** The same snapshot under one more ID of its repository. */
  learn(id: number, snapshot: Snap): void {
    const { repository, since, ids } = this.#shelf
    this.join({ members: [{ repository, id: ids.at(id), since }] })
    this.#name(id, snapshot.original)
  }

  /** Takes the word of the run in a row. */
  attest(row: number): void {
    const { runs, clock } = this.#shelf
    if (this.attestations.length === 0) this.#row = row
    else this.join({ attestations: [attestAt(runs, row, clock)] })
  }

  /** Takes what is said of it, or of what is the same. */
  join(news: {
    members?: readonly Member[]
    attestations?: readonly Attestation[]
    tests?: readonly Tested[]
    twin?: Twin
  }): void {
    const { members = [], attestations = [], tests = [], twin } = news
    const more = this.#other()
    if (members.length > 0) more.members = [...this.members, ...members]
    if (attestations.length > 0) more.attestations = [...this.attestations, ...attestations]
    if (tests.length > 0) more.tests = [...this.tests, ...tests]
    if (twin !== undefined) more.twins = [...this.twins, twin]
  }

  /** Takes the best word for it, puts the tests in their order, and sees when it was first listed. */
  settle(lineage: Lineage): void {
    const rank = { sound: 0, quarantined: 1, backdated: 2, 'future-dated': 3 }
    const [best] = this.attestations.toSorted(
      (a, b) => rank[a.standing] - rank[b.standing] || a.since - b.since,
    )
    if (best !== undefined) this.start = best.start
    if (this.#more !== null) {
      const told = best?.run.predicate.snapshot
      if (told !== undefined) this.#more.snapshot = told
      this.sortTests()
    }
    for (const { repository, id, since } of this.members) {
      const listed = Math.max(since, lineage.firstListedAt(repository, id))
      this.listedAt = Math.min(this.listedAt, listed)
    }
  }

  sortTests(): void {
    if (this.#more !== null) this.#more.tests = this.#more.tests.toSorted(bySince)
  }

  #name(id: number, original: string | undefined): void {
    for (const name of [this.#shelf.ids.at(id), original])
      if (name !== undefined && !this.names.includes(name)) this.#other().names = [...this.names, name]
  }

  #other(): More {
    this.#more ??= this.#othersOf(this.#id)
    return this.#more
  }

  #othersOf(root: number): More {
    const names = [this.#shelf.ids.at(root)]
    const told = { snapshot: null, members: null, attestations: null }
    return { root, names, ...told, tests: NO_TESTS, twins: NO_TWINS }
  }
}

function snapshotAt(runs: Runs, row: number): Snap {
  const snapshot = runs.snapshotAt(row)
  if (snapshot === undefined) throw new RangeError(`the run ${row} reports no snapshot`)
  return snapshot
}

/** The word of the run in a row for its snapshot, judged by the rules of the clock and the chain. */
export function attestAt(runs: Runs, row: number, clock: ClockTerms): Attestation {
  const run = runs.at(row)
  const { clockToleranceMs: tolerance } = clock
  const correction = correctionMs(run, tolerance)
  const told = runs.time(row)
  const start = told - correction
  const startedAt = runs.startedAt(row)
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
