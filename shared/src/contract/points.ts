import type { Snap } from '../evidence/predicates.ts'
import type { FactIndex } from './facts.ts'
import { Groups } from './groups.ts'
import type { Identities, Origins } from './identity.ts'
import type { Known } from './known.ts'
import { correctionMs } from './known.ts'
import type { Appearance, ClockTerms, Flaw, Lineage } from './lineage.ts'
import { flawOfTime } from './lineage.ts'
import type { Point, Tested } from './point.ts'
import { attestAt, byStart } from './point.ts'
import type { RestoreTest } from './told.ts'

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
  /** Dated after the instant by which they were read; of runs the rows. */
  #runsAhead: number[] = []
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
    this.#groups = new Groups(index, origins, clock, (repository) => lineage.joinedAt(repository))
    this.#before = new Set(
      [...lineage.repositories].flatMap((repository) => identities.predecessorsOf(repository, at)),
    )
    this.#runs = index.runs.length
    this.#tests = index.tests.length
    const words = this.#wordsOf(rowsFrom(0, this.#runs), at)
    const tests = index.tests.flatMap((test) => this.#testOf(test, at))
    this.#learn(words, tests)
    for (const row of words) this.#pointOfRun(row)?.attest(row)
    for (const tested of tests) this.#pointOf(tested)?.join({ tests: [tested] })
    this.#groups.link(identities)
    this.list = [...this.#groups.points()]
    for (const point of this.list) point.settle(lineage)
    this.list.sort(byStart)
  }

  /** All that go back to one snapshot. @param root the number of its ID */
  ofRoot(root: number): readonly Point[] {
    return this.#groups.ofRoot(root)
  }

  #learn(words: readonly number[], tests: readonly Tested[]): void {
    for (const { repository, snapshot } of this.#lineage.listed()) this.#groups.learn(repository, snapshot)
    for (const row of words) this.#groups.learn(this.#repositoryOf(row), row)
    for (const { test } of tests) {
      this.#groups.learn(test.predicate.repository.id, test.predicate.snapshot)
    }
    this.#groups.gather()
  }

  #repositoryOf(row: number): string {
    return this.#index.runs.alikeAt(row).repository.id
  }

  #isOwn(repository: string): boolean {
    return this.#lineage.repositories.has(repository) || this.#before.has(repository)
  }

  /** Those of the runs that say something of a snapshot, once that has happened. */
  #wordsOf(rows: Iterable<number>, at: number): number[] {
    const { runs } = this.#index
    const words: number[] = []
    for (const row of rows) {
      if (runs.alikeAt(row).snapshot === null || !this.#isOwn(this.#repositoryOf(row))) continue
      if (attestAt(runs, row, this.#clock).since <= at) words.push(row)
      else this.#runsAhead.push(row)
    }
    return words
  }

  /** A test that counts, once it has ended. */
  #testOf(test: Known<RestoreTest>, at: number): Tested[] {
    if (!this.#isOwn(test.predicate.repository.id)) return []
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
    const { repository, snapshot } = test.predicate
    return this.#groups.find(repository.id, this.#index.ids.numberOf(snapshot.id))
  }

  #pointOfRun(row: number): Point | undefined {
    return this.#groups.find(this.#repositoryOf(row), this.#index.runs.idNumber(row))
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
    const { runs } = this.#index
    const coming = [...this.#runsAhead, ...rowsFrom(this.#runs, runs.length)]
    this.#runs = runs.length
    this.#runsAhead = []
    for (const row of this.#wordsOf(coming, at)) {
      const point = this.#groups.admit(this.#repositoryOf(row), row)
      if (point === undefined) return false
      point.attest(row)
      point.settle(this.#lineage)
      point.listedAt = Infinity // until it is told below
      touched.added.push(point)
      touched.since = Math.min(touched.since, attestAt(runs, row, this.#clock).since)
    }
    return true
  }

  #extendListed(appeared: readonly Appearance[], touched: Touched): boolean {
    for (const { repository, id, takenAt } of appeared) {
      const snapshot = this.#index.listings.get(repository)?.snapshots.get(id)
      if (snapshot === undefined) return false
      let point = this.#groups.find(repository, this.#index.ids.add(id))
      if (point === undefined) {
        point = this.#groups.admit(repository, snapshot)
        if (point === undefined) return false
        touched.added.push(point)
      } else if (point.members.length > 1 || !isToldAlike(point, snapshot)) {
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
    for (const point of touched.tested) point.sortTests()
    return inOrder
  }
}

/** What a listing says of a snapshot outweighs a test's word for it, and a run's word outweighs both. */
function isToldAlike({ tree, snapshot: told, attestations }: Point, listed: Snap): boolean {
  if (tree !== listed.tree || told.original !== listed.original) return false
  if (attestations.length > 0) return true
  const isAtHome = told.host === listed.host && Date.parse(told.time) === Date.parse(listed.time)
  return isAtHome && JSON.stringify(told.paths) === JSON.stringify(listed.paths)
}

function* rowsFrom(row: number, end: number): Generator<number> {
  for (let next = row; next < end; next += 1) yield next
}

/** Puts it after all that do not come after it. */
export function insertSorted<T>(list: T[], one: T, order: (a: T, b: T) => number): number {
  let place = list.length
  while (place > 0 && order(list[place - 1] as T, one) > 0) place -= 1
  if (place === list.length) list.push(one)
  else list.splice(place, 0, one) // which copies the list to grow it
  return place
}
