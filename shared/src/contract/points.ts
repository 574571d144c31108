import type { Snap } from '../evidence/predicates.ts'
import type { FactIndex } from './facts.ts'
import { Groups } from './groups.ts'
import type { Identities, Origins } from './identity.ts'
import type { Known } from './known.ts'
import { correctionMs } from './known.ts'
import type { Appearance, ClockTerms, Flaw, Lineage } from './lineage.ts'
import { flawOfTime } from './lineage.ts'
import type { Attestation, Point, Tested } from './point.ts'
import { attest, bySince, byStart, settlePoint } from './point.ts'
import type { BackupRun, RestoreTest } from './told.ts'

export interface FlawedTest {
  test: Known<RestoreTest>
  flaw: Flaw
}

/** What has come since the points were read. */
export interface Touched {
  added: Point[]
  /** Listed for the first time, or again. */
  listed: Point[]
  tested: Point[]
  /** The starts of those that may be judged otherwise than before. */
  starts: number[]
  /** From when on they may tell otherwise than before; Infinity if nothing came. */
  since: number
}

interface Word {
  attestation: Attestation
  repository: string
  snapshot: Snap
}

/** All points of a lineage, by start: what it lists, what its runs report, what was tested. */
export class Points {
  readonly list: Point[]
  readonly flawedTests: FlawedTest[] = []
  readonly #index: FactIndex
  readonly #lineage: Lineage
  readonly #clock: ClockTerms
  readonly #groups: Groups
  /** What the lineage has followed: its runs and tests are told of what was copied from there. */
  readonly #before: ReadonlySet<string>
  #runs: number
  #tests: number
  /** Dated after the instant by which they were read. */
  #runsAhead: Known<BackupRun>[] = []
  #testsAhead: Known<RestoreTest>[] = []

  constructor(
    index: FactIndex,
    lineage: Lineage,
    identities: Identities,
    origins: Origins,
    clock: ClockTerms,
    at: number,
  ) {
    this.#index = index
    this.#lineage = lineage
    this.#clock = clock
    this.#groups = new Groups(origins, (repository) => lineage.joinedAt(repository))
    this.#before = new Set(
      [...lineage.repositories].flatMap((repository) => identities.predecessorsOf(repository, at)),
    )
    this.#runs = index.runs.length
    this.#tests = index.tests.length
    const words = [...index.runs.from(0)].flatMap((run) => this.#wordOf(run, at))
    const tests = index.tests.flatMap((test) => this.#testOf(test, at))
    this.#learn(words, tests)
    for (const { attestation, repository, snapshot } of words) {
      this.#groups.find(repository, snapshot.id)?.join({ attestations: [attestation] })
    }
    for (const tested of tests) this.#pointOf(tested)?.join({ tests: [tested] })
    this.#groups.link(identities)
    this.list = [...this.#groups.points()]
    for (const point of this.list) settlePoint(point, lineage)
    this.list.sort(byStart)
  }

  get byRoot(): ReadonlyMap<string, readonly Point[]> {
    return this.#groups.byRoot
  }

  #learn(words: readonly Word[], tests: readonly Tested[]): void {
    for (const { repository, snapshot } of this.#lineage.listed()) this.#groups.learn(repository, snapshot)
    for (const { repository, snapshot } of words) this.#groups.learn(repository, snapshot)
    for (const { test } of tests) {
      this.#groups.learn(test.predicate.repository.id, test.predicate.snapshot)
    }
    this.#groups.gather()
  }

  #isOwn({ predicate }: Known<BackupRun> | Known<RestoreTest>): boolean {
    const { id } = predicate.repository
    return this.#lineage.repositories.has(id) || this.#before.has(id)
  }

  /** What a run says of a snapshot, once that has happened. */
  #wordOf(run: Known<BackupRun>, at: number): Word[] {
    const { snapshot, repository } = run.predicate
    if (snapshot === undefined || !this.#isOwn(run)) return []
    const attestation = attest(run, snapshot, this.#clock)
    if (attestation.since <= at) return [{ attestation, repository: repository.id, snapshot }]
    this.#runsAhead.push(run)
    return []
  }

  /** A test that counts, once it has ended. */
  #testOf(test: Known<RestoreTest>, at: number): Tested[] {
    if (!this.#isOwn(test)) return []
    const correction = correctionMs(test, this.#clock.clockToleranceMs)
    const endedAt = test.datedAt - correction
    const flaw = flawOfTime(test, endedAt, this.#clock)
    if (flaw === undefined ? endedAt > at : test.receivedAt > at) this.#testsAhead.push(test)
    else if (flaw !== undefined) this.flawedTests.push({ test, flaw })
    else {
      const startedAt = Date.parse(test.predicate.startedAt) - correction
      return [{ test, since: endedAt, startedAt, endedAt }]
    }
    return []
  }

  #pointOf({ test }: Tested): Point | undefined {
    return this.#groups.find(test.predicate.repository.id, test.predicate.snapshot.id)
  }

  /**
   * Reads what has come, and what the clock has reached. Undefined if it says something else of what was there: that
   * wants all to be read anew.
   */
  extend(appeared: readonly Appearance[], at: number): Touched | undefined {
    const touched: Touched = { added: [], listed: [], tested: [], starts: [], since: Infinity }
    const inOrder =
      this.#extendRuns(touched, at) && this.#extendListed(appeared, touched) && this.#extendTests(touched, at)
    if (!inOrder) return undefined
    for (const point of touched.added) insertSorted(this.list, point, byStart)
    const { added, listed, tested } = touched
    touched.starts = [...added, ...listed, ...tested].map(({ start }) => start)
    return touched
  }

  #extendRuns(touched: Touched, at: number): boolean {
    const coming = [...this.#runsAhead, ...this.#index.runs.from(this.#runs)]
    this.#runs = this.#index.runs.length
    this.#runsAhead = []
    for (const { attestation, repository, snapshot } of coming.flatMap((run) => this.#wordOf(run, at))) {
      const point = this.#groups.admit(repository, snapshot)
      if (point === undefined) return false
      point.join({ attestations: [attestation] })
      settlePoint(point, this.#lineage)
      point.listedAt = Infinity // until it is told below
      touched.added.push(point)
      touched.since = Math.min(touched.since, attestation.since)
    }
    return true
  }

  #extendListed(appeared: readonly Appearance[], touched: Touched): boolean {
    for (const { repository, id, takenAt } of appeared) {
      const snapshot = this.#index.listings.get(repository)?.snapshots.get(id)
      if (snapshot === undefined) return false
      let point = this.#groups.find(repository, id)
      if (point === undefined) {
        point = this.#groups.admit(repository, snapshot)
        if (point === undefined) return false
        touched.added.push(point)
      } else if (
        point.members.length > 1 ||
        point.tree !== snapshot.tree ||
        point.snapshot.original !== snapshot.original
      ) {
        return false
      }
      if (point.listedAt === Infinity) point.listedAt = Math.max(takenAt, this.#lineage.joinedAt(repository))
      touched.listed.push(point)
      touched.since = Math.min(touched.since, takenAt)
    }
    return true
  }

  #extendTests(touched: Touched, at: number): boolean {
    const coming = [...this.#testsAhead, ...this.#index.tests.slice(this.#tests)]
    this.#tests = this.#index.tests.length
    this.#testsAhead = []
    let inOrder = true
    for (const tested of coming.flatMap((test) => this.#testOf(test, at))) {
      const point = this.#pointOf(tested)
      if (point === undefined || point.members.length > 1) inOrder = false
      else {
        point.join({ tests: [tested] })
        touched.tested.push(point)
        touched.since = Math.min(touched.since, tested.since)
      }
    }
    this.flawedTests.sort((a, b) => a.test.index - b.test.index)
    for (const point of touched.tested) point.tests = point.tests.toSorted(bySince)
    return inOrder
  }
}

/** Puts it after all that do not come after it. */
export function insertSorted<T>(list: T[], one: T, order: (a: T, b: T) => number): number {
  let place = list.length
  while (place > 0 && order(list[place - 1] as T, one) > 0) place -= 1
  if (place === list.length) list.push(one)
  else list.splice(place, 0, one) // which copies the list to grow it
  return place
}
