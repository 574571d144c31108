/** Which deletion a policy of `restic forget` would be the first to get wrong, played through what was backed up. */
import type { FactIndex } from '../facts.ts'
import { settle } from '../facts.ts'
import type { Candidate } from '../candidate.ts'
import type { History } from '../history.ts'
import { holdsOn } from '../hold.ts'
import type { Course, Obligation } from '../obligation.ts'
import { Courses } from '../obligation.ts'
import type { Point } from '../point.ts'
import type { Contract } from '../schema.ts'
import { Situation } from '../situation.ts'
import type { SetTerms } from '../timeline.ts'
import { formatInstant } from '../verdict.ts'
import type { ForgetPolicy } from './forget-policy.ts'
import { forgotten, groupOf } from './forget-policy.ts'

/** Instants are RFC 3339 UTC with milliseconds. */
export interface WrongDeletion {
  set: string
  /** When forget would have removed it. */
  at: string
  /** By its ID, and when it was begun. */
  snapshot: string
  start: string
  /** What it was still owed for: a bucket of a tier, until when (null: not known yet), or a hold. */
  tier?: string
  bucket?: string
  keepUntil?: string | null
  authority?: string
}

export interface ForgetOutcome {
  set: string
  /** How many snapshots of the set were played through, and how many forget would have removed. */
  snapshots: number
  removed: number
  first: WrongDeletion | null
}

/** Where a policy leaves more than so many, forget runs after every second, third … backup: time would be its square. */
const PATIENCE = 200

/**
 * Plays a policy through: after every backup of the set's repository, forget runs. Judged by all that is known at
 * `at`; what the repository really lost meanwhile is left out of it, so that only the policy is judged.
 */
export function playForget(
  contract: Contract,
  index: FactIndex,
  policy: ForgetPolicy,
  at: Date,
): ForgetOutcome[] {
  settle(index)
  const situation = new Situation(contract, index, at.getTime())
  return [...situation.terms].map(([set, versions]) => playSet(situation, set, versions, policy))
}

function playSet(
  situation: Situation,
  set: string,
  versions: readonly SetTerms[],
  policy: ForgetPolicy,
): ForgetOutcome {
  const terms = versions.at(-1)
  if (terms === undefined) return { set, snapshots: 0, removed: 0, first: null }
  const { zone } = terms.calendar
  const { points } = situation.viewOf(terms.set.selector.repository, terms)
  const own = new Set(situation.historyOf(terms).points)
  const promises = new Promises(situation, set, versions)
  const groups = new Map<string, { entries: Entry[]; waiting: number }>()
  const present = new Set<Point>()
  let removed = 0
  let first: WrongDeletion | null = null
  for (const point of points.list) {
    if (point.listedAt === Infinity || point.start > situation.at) continue
    const { start, snapshot } = point
    const entry = { point, start, host: snapshot.host, paths: snapshot.paths, tags: snapshot.tags }
    const key = groupOf(policy, entry)
    const group = groups.get(key) ?? { entries: [], waiting: 0 }
    groups.set(key, group)
    group.entries.push(entry)
    group.waiting += 1
    present.add(point)
    if (group.waiting * PATIENCE < group.entries.length) continue
    group.waiting = 0
    // Forget comes right after the backup.
    const now = start + 1
    const gone = new Set(forgotten(policy, group.entries.toReversed(), zone, now))
    if (gone.size > 0) group.entries = group.entries.filter((one) => !gone.has(one))
    for (const one of gone) present.delete(one.point)
    for (const one of [...gone].toReversed()) {
      if (!own.has(one.point)) continue
      removed += 1
      first ??= promises.brokenBy(one.point, present, now)
    }
  }
  return { set, snapshots: own.size, removed, first }
}

interface Entry {
  point: Point
  start: number
  host: string
  paths: readonly string[]
  tags: readonly string[] | undefined
}

/** What a set's versions owe, asked of one snapshot at a time. */
class Promises {
  readonly #set: string
  readonly #situation: Situation
  readonly #courses: Courses
  readonly #histories: ReadonlyMap<SetTerms, { history: History; candidates: ReadonlyMap<Point, Candidate> }>

  constructor(situation: Situation, set: string, versions: readonly SetTerms[]) {
    this.#set = set
    this.#situation = situation
    // Generations are counted here, by what the policy would have left.
    this.#courses = new Courses(versions, () => null)
    this.#histories = new Map(
      versions.map((terms) => {
        const history = situation.historyOf(terms)
        return [
          terms,
          { history, candidates: new Map(Array.from(history.between(), (one) => [one.point, one])) },
        ]
      }),
    )
  }

  brokenBy(point: Point, present: ReadonlySet<Point>, now: number): WrongDeletion | null {
    const told = {
      set: this.#set,
      at: formatInstant(now),
      snapshot: point.snapshot.id,
      start: formatInstant(point.start),
    }
    for (const course of this.#courses.all) {
      const obligation = this.#obligationOf(course, point)
      if (obligation === undefined || !this.#isOwed(course, obligation, present, now)) continue
      if (this.#isServed(course, obligation, present, now)) continue
      const { tier, keepUntil, line, bucket } = obligation
      return {
        ...told,
        tier,
        bucket: line.buckets.label(bucket),
        keepUntil: keepUntil === Infinity ? null : formatInstant(keepUntil),
      }
    }
    const { versions, events } = this.#situation
    for (const terms of this.#histories.keys()) {
      const day = terms.calendar.dayOf(point.start)
      const hold = holdsOn(versions, events, this.#set, terms.calendar, now).find(
        ({ fromDay, toDay }) => fromDay <= day && day <= toDay,
      )
      if (hold !== undefined) return { ...told, authority: hold.authority }
    }
    return null
  }

  /** What the snapshot is a recovery point of, under a version that counts for it. */
  #obligationOf({ terms, line }: Course, point: Point): Obligation | undefined {
    const own = this.#histories.get(terms)
    const candidate = own?.candidates.get(point)
    if (own === undefined || candidate === undefined) return undefined
    if (!own.history.satisfies(candidate, this.#situation.at)) return undefined
    const bucket = line.servedBy(candidate.start)
    if (bucket === undefined || !line.buckets.isExpected(bucket)) return undefined
    if (bucket.from < Math.max(terms.from, terms.onboardedAt) || bucket.from >= terms.to) return undefined
    const times = { due: line.dueOf(bucket), pendingUntil: line.pendingUntil(bucket), keepUntil: Infinity }
    const obligation = { terms, line, bucket, tier: line.name, ...times }
    this.#courses.settle(obligation)
    return obligation
  }

  #isOwed(
    { terms, line }: Course,
    { keepUntil, bucket }: Obligation,
    present: ReadonlySet<Point>,
    now: number,
  ): boolean {
    if (keepUntil !== Infinity) return keepUntil > now
    const later = new Set<number>()
    for (const candidate of this.#satisfying(terms, present, now)) {
      const place = line.servedBy(candidate.start)?.index
      if (place !== undefined && place > bucket.index) later.add(place)
    }
    return later.size < line.tier.keep
  }

  /** Another snapshot that is still there serves the bucket as well. */
  #isServed(
    { terms, line }: Course,
    { bucket }: Obligation,
    present: ReadonlySet<Point>,
    now: number,
  ): boolean {
    const { from, to } = line.windowOf(bucket)
    return this.#satisfying(terms, present, now, from, to).some(({ start }) => line.isAnchored(start))
  }

  #satisfying(
    terms: SetTerms,
    present: ReadonlySet<Point>,
    now: number,
    from = -Infinity,
    to = Infinity,
  ): readonly Candidate[] {
    const history = this.#histories.get(terms)?.history
    if (history === undefined) return []
    return Array.from(history.between(from, Math.min(to, now))).filter(
      (candidate) => present.has(candidate.point) && history.satisfies(candidate, this.#situation.at),
    )
  }
}
