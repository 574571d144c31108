/**
 * Which of the listed snapshots a contract still owes, and which may go. Each is judged alone by the buckets that it
 * serves: nothing is counted, so that an empty day, a date in the future or a renamed folder shifts nothing, which is
 * what `restic forget --keep-*` gets wrong. Whatever is in doubt is kept.
 */
import { BevisError } from '../error.ts'
import type { FactIndex } from './facts.ts'
import { settle } from './facts.ts'
import { Generations } from './generation.ts'
import type { Candidate } from './candidate.ts'
import type { History } from './history.ts'
import type { HoldInForce } from './hold.ts'
import { holdsOn } from './hold.ts'
import type { Listed } from './lineage.ts'
import type { Course, Obligation } from './obligation.ts'
import { Courses } from './obligation.ts'
import type { Point } from './point.ts'
import type { Contract, Version } from './schema.ts'
import { Situation } from './situation.ts'
import type { TierLine } from './tier-line.ts'
import type { SetTerms } from './timeline.ts'
import { formatInstant } from './verdict.ts'

/** Why a snapshot is kept, or why a tier does not keep it. Instants are RFC 3339 UTC with milliseconds. */
export type RetentionReason = { readonly set: string } & (
  | {
      /**
       * `owed`: it is the recovery point of a bucket that is still owed. `doubtful`: the bucket is owed, nothing in it
       * is certain to satisfy, so everything in it stays.
       */
      readonly kind: 'owed' | 'doubtful'
      readonly tier: string
      readonly bucket: string
      /** Null: not known yet (generations). */
      readonly keepUntil: string | null
    }
  | { readonly kind: 'held'; readonly authority: string }
  /** The newest of all, or the newest that satisfies: whatever the tiers say, they stay. */
  | { readonly kind: 'newest' }
  | { readonly kind: 'future-dated' }
  /** Its bucket is owed, and another snapshot, which stays, is its recovery point. */
  | { readonly kind: 'served'; readonly tier: string; readonly bucket: string; readonly by: string }
  /** Its bucket is no longer owed. */
  | { readonly kind: 'ended'; readonly tier: string; readonly bucket: string; readonly at: string }
  /** The tier takes no snapshot of this time: another day of the week, or not after a fiscal year's end. */
  | { readonly kind: 'outside'; readonly tier: string }
)

const KEEPING: ReadonlySet<RetentionReason['kind']> = new Set([
  'owed',
  'doubtful',
  'held',
  'newest',
  'future-dated',
])

export interface PlannedSnapshot {
  readonly id: string
  /** Its start, corrected by the clock that was measured. */
  readonly start: string
  readonly paths: readonly string[]
  readonly goes: boolean
  /** Those that keep it; of one that goes, why nothing does. */
  readonly reasons: readonly RetentionReason[]
}

export interface RetentionPlan {
  readonly contract: string
  /** The version in force. */
  readonly version: number
  /** What the version in force says about the set. */
  readonly terms: Version['sets'][number]
  /** Every listed snapshot of the set's hosts, oldest first. */
  readonly snapshots: readonly PlannedSnapshot[]
  /** The newest snapshot that a whole run made, guarded or not; null if there is none. */
  readonly newestStart: string | null
  /** Whether a snapshot of this time would still be owed: its manifest is then, too. */
  isOwedAt(start: Date): boolean
}

export interface RetentionQuestion {
  readonly contract: Contract
  readonly set: string
  /** What the agent itself ran and tested, and one complete inventory, taken by `at`. */
  readonly index: FactIndex
  readonly at: Date
}

/**
 * What no set of the contract owes any more, of the snapshots that the newest inventory lists. A version that is not
 * accepted is held against it too: what either reading owes stays. So does what was made before the contract began,
 * for as long as its first version would owe it.
 * @throws BevisError RETENTION_REFUSED when nothing certain can be said at all
 */
export function planRetention({ contract, set, index, at: instant }: RetentionQuestion): RetentionPlan {
  const at = instant.getTime()
  settle(index)
  const readings = [contract, acceptedByAll(contract)].map((text) => new Reading(text, index, at))
  const [reading] = readings
  const versions = reading?.situation.terms.get(set)
  const terms = versions?.at(-1)
  if (reading === undefined || reading.situation.versions.length === 0)
    throw refused(`no version of ${contract.id} that both parties have accepted is in force`)
  if (terms === undefined) throw refused(`${contract.id} does not name the set ${set}`)
  if (terms.to <= at) throw refused(`the version of ${contract.id} in force no longer names the set ${set}`)
  const history = reading.situation.historyOf(terms)
  const inventory = history.lineage.newest(at)
  if (inventory === undefined)
    throw refused(`${contract.id} selects the repository ${terms.set.selector.repository}, not this one`)
  const whole = history.newest(
    (candidate) => isWholeAndThere(candidate, history, inventory, at) && candidate.start <= at,
  )
  const snapshots = history.points.flatMap((point) =>
    idsIn(point, history, inventory).map((id): PlannedSnapshot => {
      const all = readings.flatMap((one) => one.reasonsOf(id))
      const keeping = all.filter(({ kind }) => KEEPING.has(kind))
      const goes = keeping.length === 0
      const reasons = distinct(goes ? reading.reasonsOf(id) : keeping)
      return { id, start: formatInstant(point.start), paths: point.snapshot.paths, goes, reasons }
    }),
  )
  return {
    contract: contract.id,
    version: terms.version.no,
    terms: terms.set,
    snapshots,
    newestStart: whole === undefined ? null : formatInstant(whole.start),
    isOwedAt: (start) => readings.some((one) => one.isOwedAt(start.getTime())),
  }
}

function refused(message: string): BevisError {
  return new BevisError('RETENTION_REFUSED', message)
}

/** One text of the contract, and what it says of every listed snapshot. */
class Reading {
  readonly situation: Situation
  readonly #at: number
  readonly #courses = new Map<string, Courses>()
  readonly #reasons = new Map<string, RetentionReason[]>()

  constructor(contract: Contract, index: FactIndex, at: number) {
    this.situation = new Situation(contract, index, at)
    this.#at = at
    for (const [set, versions] of this.situation.terms) {
      const courses = coursesOf(this.situation, versions)
      this.#courses.set(set, courses)
      for (const course of courses.all) this.#judgeTier(set, courses, course, course.terms === versions[0])
      for (const terms of versions) this.#judgeAll(set, terms)
    }
  }

  reasonsOf(id: string): readonly RetentionReason[] {
    return this.#reasons.get(id) ?? []
  }

  isOwedAt(start: number): boolean {
    return [...this.#courses.values()].some((courses) =>
      courses.all.some((course) => {
        const bucket = bucketUnder(course, start, course.terms === courses.all[0]?.terms)
        return bucket !== undefined && obligationFor(courses, course, bucket).keepUntil > this.#at
      }),
    )
  }

  #add(point: Point, history: History, inventory: Listed, reason: RetentionReason): void {
    for (const id of idsIn(point, history, inventory)) {
      const reasons = this.#reasons.get(id)
      if (reasons === undefined) this.#reasons.set(id, [reason])
      else reasons.push(reason)
    }
  }

  /** One tier under one version: a bucket that is owed keeps its newest recovery point. */
  #judgeTier(set: string, courses: Courses, course: Course, isFirst: boolean): void {
    const at = this.#at
    const { terms, line } = course
    const history = this.situation.historyOf(terms)
    const inventory = history.lineage.newest(at)
    if (inventory === undefined) return
    const candidates = new Map(Array.from(history.between(), (candidate) => [candidate.point, candidate]))
    const there = history.points.filter(
      (point) =>
        point.start <= at + terms.clockToleranceMs &&
        idsIn(point, history, inventory).length > 0 &&
        (candidates.has(point) || !isOfAnotherSet(point, set)),
    )
    const serving = Map.groupBy(there, ({ start }) => line.servedBy(start)?.index)
    for (const [index, points] of serving) {
      const first = points[0]
      const bucket = index === undefined || first === undefined ? undefined : line.servedBy(first.start)
      if (bucket === undefined) {
        const reason = { set, kind: 'outside', tier: line.name } as const
        for (const point of points) this.#add(point, history, inventory, reason)
        continue
      }
      if (!isGovernedBy(terms, bucket, isFirst)) continue
      const { tier, keepUntil } = obligationFor(courses, course, bucket)
      const told = { set, tier, bucket: line.buckets.label(bucket) }
      if (keepUntil <= at) {
        const reason = { ...told, kind: 'ended', at: formatInstant(keepUntil) } as const
        for (const point of points) this.#add(point, history, inventory, reason)
        continue
      }
      const until = keepUntil === Infinity ? null : formatInstant(keepUntil)
      const sound = points.flatMap((point) => {
        const candidate = candidates.get(point)
        return candidate !== undefined && history.satisfies(candidate, at) ? [candidate] : []
      })
      // Of one whose last test failed nobody knows yet; the one before it stays with it.
      const untested = sound.findLastIndex(({ refutation }) => refutation.failuresAt(at) === 0)
      const keepers = new Set((untested < 0 ? sound : sound.slice(untested)).map(({ point }) => point))
      const by = sound.at(-1)
      for (const point of points) {
        this.#add(
          point,
          history,
          inventory,
          by === undefined || untested < 0
            ? { ...told, kind: 'doubtful', keepUntil: until }
            : keepers.has(point)
              ? { ...told, kind: 'owed', keepUntil: until }
              : { ...told, kind: 'served', by: history.idIn(by, inventory, at) ?? by.point.snapshot.id },
        )
      }
    }
  }

  /** Beside the tiers: holds, the newest, and what nobody can place. */
  #judgeAll(set: string, terms: SetTerms): void {
    const at = this.#at
    const history = this.situation.historyOf(terms)
    const inventory = history.lineage.newest(at)
    if (inventory === undefined) return
    const { versions, events } = this.situation
    // Those that are announced count already.
    const holds = holdsOn(versions, events, set, terms.calendar, Infinity).filter(({ end }) => end > at)
    const there = history.points.filter((point) => idsIn(point, history, inventory).length > 0)
    for (const point of there) {
      const hold = holds.find((one) => isCovered(point, one, terms))
      if (hold) this.#add(point, history, inventory, { set, kind: 'held', authority: hold.authority })
      if (point.start > at + terms.clockToleranceMs)
        this.#add(point, history, inventory, { set, kind: 'future-dated' })
    }
    const newest = there.findLast(({ start }) => start <= at + terms.clockToleranceMs)
    const sound = history.newest(
      (candidate) =>
        candidate.start <= at + terms.clockToleranceMs &&
        history.satisfies(candidate, at) &&
        history.idIn(candidate, inventory, at) !== undefined,
    )
    for (const point of new Set([newest, sound?.point])) {
      if (point) this.#add(point, history, inventory, { set, kind: 'newest' })
    }
  }
}

/** A set's tiers, with those of generations judged by what is listed. */
export function coursesOf(situation: Situation, versions: readonly SetTerms[]): Courses {
  const known = new Map<TierLine, Generations>()
  return new Courses(versions, (terms, line, index) => {
    const generations = known.get(line) ?? new Generations(situation.historyOf(terms), line)
    known.set(line, generations)
    return generations.endOf(index)
  })
}

/** A bucket counts under the version in force at its start; what lies before the first, under the first. */
function isGovernedBy({ from, to }: SetTerms, bucket: { from: number }, isFirst: boolean): boolean {
  return bucket.from < to && (isFirst || bucket.from >= from)
}

function bucketUnder({ terms, line }: Course, start: number, isFirst: boolean) {
  const bucket = line.servedBy(start)
  return bucket !== undefined && isGovernedBy(terms, bucket, isFirst) ? bucket : undefined
}

function obligationFor(courses: Courses, { terms, line }: Course, bucket: Obligation['bucket']): Obligation {
  const times = { due: line.dueOf(bucket), pendingUntil: line.pendingUntil(bucket), keepUntil: Infinity }
  const obligation = { terms, line, bucket, tier: line.name, ...times }
  courses.settle(obligation)
  return obligation
}

function idsIn({ members }: Point, { lineage }: History, inventory: Listed): string[] {
  return members.filter(({ repository, id }) => lineage.isIn(inventory, repository, id)).map(({ id }) => id)
}

function isWholeAndThere(candidate: Candidate, history: History, inventory: Listed, at: number): boolean {
  const { acceptedAt, refutation, point } = candidate
  return acceptedAt <= at && !refutation.isRefutedAt(at) && idsIn(point, history, inventory).length > 0
}

/** Its run says so, and it lacks paths that this set requires: a repository may hold several sets. */
function isOfAnotherSet({ attestations }: Point, set: string): boolean {
  return attestations.length > 0 && attestations.every(({ run }) => run.predicate.set !== set)
}

function isCovered({ start }: Point, { fromDay, toDay }: HoldInForce, { calendar }: SetTerms): boolean {
  const day = calendar.dayOf(start)
  return fromDay <= day && day <= toDay
}

/** As if the drafts were accepted too. */
function acceptedByAll(contract: Contract): Contract {
  const versions = contract.versions.map((version): Version => {
    const acceptances = (['customer', 'provider'] as const).map((party) => ({
      party,
      person: '-',
      at: '1970-01-01T00:00:00Z',
    }))
    return { ...version, acceptances }
  })
  return { ...contract, versions }
}

/** Several versions and both readings say much the same. */
function distinct(reasons: readonly RetentionReason[]): RetentionReason[] {
  return [...new Map(reasons.map((reason) => [JSON.stringify(reason), reason])).values()]
}
