import type { BackupRun, RestoreTest, Snap } from '../evidence/predicates.ts'
import type { FactIndex } from './facts.ts'
import { chainOf } from './facts.ts'
import type { Identities, Origins } from './identity.ts'
import type { Known } from './known.ts'
import { correctionMs } from './known.ts'
import type { ClockTerms, Flaw, Lineage, Listed } from './lineage.ts'
import { flawOfTime, isQuarantined } from './lineage.ts'

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

/** One snapshot of one repository under all its IDs, with what was said of it. */
export interface Point {
  root: string
  tree: string
  repository: string
  snapshot: Snap
  members: Member[]
  /** What it has been called by, unlisted ones included: its first ID, its own, and those it was made from. */
  names: Set<string>
  attestations: Attestation[]
  tests: Tested[]
  start: number
  /** When a complete inventory first listed it; Infinity if none did. */
  listedAt: number
  /** The same snapshot in another repository or with another tree, and since when it counts as that. */
  twins: { point: Point; since: number }[]
}

/** All points of a lineage, by start. */
export function readPoints(
  index: FactIndex,
  lineage: Lineage,
  identities: Identities,
  origins: Origins,
  clock: ClockTerms,
  at: number,
): { points: Point[]; flawedTests: { test: Known<RestoreTest>; flaw: Flaw }[] } {
  const runs = index.runs.filter(
    (run) =>
      run.predicate.snapshot !== undefined &&
      lineage.repositories.has(run.predicate.repository.id) &&
      Math.min(run.datedAt - correctionMs(run, clock.clockToleranceMs), run.receivedAt) <= at,
  )
  const groups = new Groups(origins)
  for (const { repository, snapshot } of lineage.listed()) groups.learn(repository, snapshot)
  for (const { predicate } of runs) {
    if (predicate.snapshot !== undefined) groups.learn(predicate.repository.id, predicate.snapshot)
  }
  for (const { predicate } of index.tests) {
    if (lineage.repositories.has(predicate.repository.id))
      groups.learn(predicate.repository.id, predicate.snapshot)
  }
  groups.gather()
  for (const run of runs) {
    const { snapshot, repository } = run.predicate
    if (snapshot === undefined) continue
    const attestation = attest(index, run, snapshot, clock)
    if (attestation.since <= at) groups.find(repository.id, snapshot.id)?.attestations.push(attestation)
  }
  const flawedTests: { test: Known<RestoreTest>; flaw: Flaw }[] = []
  for (const test of index.tests) {
    const { repository, snapshot } = test.predicate
    if (!lineage.repositories.has(repository.id)) continue
    const point = groups.find(repository.id, snapshot.id)
    const correction = correctionMs(test, clock.clockToleranceMs)
    const endedAt = test.datedAt - correction
    const flaw = flawOfTime(test, endedAt, clock)
    if (flaw !== undefined) {
      if (test.receivedAt <= at) flawedTests.push({ test, flaw })
    } else if (endedAt <= at) {
      const startedAt = Date.parse(test.predicate.startedAt) - correction
      point?.tests.push({ test, since: endedAt, startedAt, endedAt })
    }
  }
  groups.link(identities)
  const points = [...groups.points()]
  for (const point of points) settlePoint(point, lineage)
  return { points: points.toSorted((a, b) => a.start - b.start || compareText(a.root, b.root)), flawedTests }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function attest(index: FactIndex, run: Known<BackupRun>, snapshot: Snap, clock: ClockTerms): Attestation {
  const { clockToleranceMs: tolerance } = clock
  const correction = correctionMs(run, tolerance)
  const told = Date.parse(snapshot.time)
  const start = told - correction
  const startedAt = Date.parse(run.predicate.startedAt)
  const stated = chainOf(index, run)?.latestBefore(run, tolerance) ?? -Infinity
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

/** Snapshots by their first ID, then by repository and tree. */
class Groups {
  readonly #origins: Origins
  readonly #learnt = new Map<string, Map<string, Snap>>()
  readonly #byRoot = new Map<string, Point[]>()
  readonly #byId = new Map<string, Map<string, Point>>()

  constructor(origins: Origins) {
    this.#origins = origins
  }

  learn(repository: string, snapshot: Snap): void {
    let own = this.#learnt.get(repository)
    if (own === undefined) {
      own = new Map()
      this.#learnt.set(repository, own)
    }
    if (own.has(snapshot.id)) return
    own.set(snapshot.id, snapshot)
  }

  gather(): void {
    for (const [repository, snapshots] of this.#learnt) {
      const byId = new Map<string, Point>()
      this.#byId.set(repository, byId)
      for (const snapshot of snapshots.values()) byId.set(snapshot.id, this.#place(repository, snapshot))
    }
  }

  #place(repository: string, snapshot: Snap): Point {
    const root = this.#origins.rootOf(snapshot.id)
    const { tree, id } = snapshot
    const group = this.#byRoot.get(root) ?? []
    this.#byRoot.set(root, group)
    let point = group.find((one) => one.repository === repository && one.tree === tree)
    if (point === undefined) {
      point = {
        root,
        tree,
        repository,
        snapshot,
        members: [],
        names: new Set([root]),
        attestations: [],
        tests: [],
        start: Date.parse(snapshot.time),
        listedAt: Infinity,
        twins: [],
      }
      group.push(point)
    }
    point.members.push({ repository, id, since: -Infinity })
    point.names.add(id)
    if (snapshot.original !== undefined) point.names.add(snapshot.original)
    return point
  }

  find(repository: string, id: string): Point | undefined {
    return this.#byId.get(repository)?.get(id)
  }

  /** What both parties approved makes one snapshot of several; before they did, they are not the same. */
  link(identities: Identities): void {
    for (const group of this.#byRoot.values()) {
      if (group.length < 2) continue
      const erasedAt = identities.erasedAt(group.flatMap(({ names }) => [...names]))
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
          point.twins.push({ point: twin, since })
          point.members = [...point.members, ...theirs.members.map(later)]
          point.attestations = [...point.attestations, ...theirs.attestations.map(later)]
          point.tests = [...point.tests, ...theirs.tests.map(later)]
        }
      }
    }
  }

  *points(): Generator<Point> {
    for (const group of this.#byRoot.values()) yield* group
  }
}

function settlePoint(point: Point, lineage: Lineage): void {
  const rank = { sound: 0, quarantined: 1, backdated: 2, 'future-dated': 3 }
  const best = point.attestations.toSorted(
    (a, b) => rank[a.standing] - rank[b.standing] || a.since - b.since,
  )[0]
  if (best !== undefined) {
    point.start = best.start
    point.snapshot = best.run.predicate.snapshot ?? point.snapshot
  }
  point.tests.sort((a, b) => a.since - b.since || a.endedAt - b.endedAt || a.test.index - b.test.index)
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
