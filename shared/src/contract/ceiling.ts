import type { CeilingState, SnapshotAnswer, Verdict } from './answer.ts'
import type { FactIndex } from './facts.ts'
import type { History } from './history.ts'
import type { HoldInForce } from './hold.ts'
import type { Known } from './known.ts'
import { correctionMs } from './known.ts'
import type { Lineage, Listed } from './lineage.ts'
import type { Point } from './point.ts'
import { byStart, idIn } from './point.ts'
import type { Touched } from './points.ts'
import { insertSorted } from './points.ts'
import { Series } from './series.ts'
import type { Opinion } from './verdict.ts'
import type { RetentionRun } from './told.ts'

/** Removals and prunings of one lineage that had ended by an instant. */
export class Removals {
  readonly #byId = new Map<string, Known<RetentionRun>[]>()
  /** Successful prunings by repository, by their start; of one start, the first received is the last. */
  readonly #prunings = new Map<string, { startedAt: number; run: Known<RetentionRun> }[]>()

  readonly #index: FactIndex
  readonly #lineage: Lineage
  #read = 0
  /** Dated after the instant by which they were read. */
  #ahead: Known<RetentionRun>[] = []

  constructor(index: FactIndex, lineage: Lineage, at: number) {
    this.#index = index
    this.#lineage = lineage
    this.extend(at)
  }

  /** Reads what has come, and what the clock has reached. */
  extend(at: number): void {
    const { retentions } = this.#index
    const coming = [...this.#ahead, ...retentions.slice(this.#read)]
    this.#read = retentions.length
    this.#ahead = []
    for (const run of coming) {
      if (run.datedAt > at) this.#ahead.push(run)
      else if (this.#lineage.repositories.has(run.predicate.repository.id)) this.#take(run)
    }
  }

  #take(run: Known<RetentionRun>): void {
    const { repository, removed, startedAt } = run.predicate
    for (const id of removed) {
      const runs = this.#byId.get(id)
      if (runs === undefined) this.#byId.set(id, [run])
      else insertSorted(runs, run, (a, b) => a.index - b.index)
    }
    if (!hasPruned(run)) return
    const prunings = this.#prunings.get(repository.id) ?? []
    // Begun in the future, it would vouch for what is removed until then.
    const pruning = { startedAt: Math.min(Date.parse(startedAt), run.receivedAt), run }
    insertSorted(prunings, pruning, (a, b) => a.startedAt - b.startedAt || b.run.index - a.run.index)
    this.#prunings.set(repository.id, prunings)
  }

  /** The runs that removed a snapshot by one of its IDs since it was listed last: it may have come back before. */
  of(point: Point, { listedAt }: Gone, clockToleranceMs: number): Known<RetentionRun>[] {
    return point.members
      .flatMap(({ id }) => this.#byId.get(id) ?? [])
      .filter((run) => run.datedAt - correctionMs(run, clockToleranceMs) + clockToleranceMs >= listedAt)
  }

  /**
   * Pruned with success by the run that removed it, or by one begun after the inventory that it is gone from.
   * @param removedBy the runs that removed it
   */
  pruned({ repository, inventory }: Gone, removedBy: readonly Known<RetentionRun>[]): boolean {
    if (removedBy.some((run) => hasPruned(run) && run.predicate.repository.id === repository)) return true
    const newest = this.#prunings.get(repository)?.at(-1)
    return newest !== undefined && newest.startedAt >= inventory.takenAt
  }
}

function hasPruned({ predicate }: Known<RetentionRun>): boolean {
  return predicate.pruned && predicate.exitCode === 0
}

/**
 * The snapshots that are purged stay so, until one is listed again: what is asked again and again need not look at
 * them. Places are those of the history's points.
 */
export class Purged {
  readonly #answers = new Series<SnapshotAnswer | undefined>()
  readonly #purged = new Set<Point>()
  #open: number[] = []
  #holds = ''

  /** The places that must be looked at. */
  openOf({ points }: History, holds: readonly HoldInForce[]): readonly number[] {
    // A hold that begins or ends may make a breach of what went under it.
    const signature = JSON.stringify(holds)
    if (signature !== this.#holds) this.forget()
    this.#holds = signature
    while (this.#answers.length < points.length) {
      this.#open.push(this.#answers.length)
      this.#answers.push(undefined)
    }
    const open = this.#open
    this.#open = []
    return open
  }

  /** What was found at a place that was open; it stays open unless it is settled. */
  tell(place: number, answer: SnapshotAnswer | undefined, point: Point, isSettled: boolean): void {
    this.#answers.set(place, answer)
    if (isSettled) this.#purged.add(point)
    else this.#open.push(place)
  }

  /** All answers as they are now, put together when they are asked for. */
  answers(): () => SnapshotAnswer[] {
    const all = this.#answers.keep()
    return () => all().filter((answer) => answer !== undefined)
  }

  forget(): void {
    this.#answers.clear()
    this.#purged.clear()
    this.#open = []
  }

  /** Takes note of what has come: places may have moved. */
  extend({ added, listed }: Touched, { points }: History): void {
    const first = points[this.#answers.length]
    const hasMoved = first !== undefined && added.some((point) => byStart(point, first) < 0)
    if (hasMoved || listed.some((point) => this.#purged.has(point))) this.forget()
  }
}

const VERDICTS: Record<CeilingState, Verdict> = {
  within: 'compliant',
  'purge-due': 'at-risk',
  'over-retained': 'breached',
  held: 'compliant',
  purged: 'compliant',
}

/**
 * The ceiling, and the holds that suspend it, for every snapshot of the set's hosts that was ever listed, but for
 * those in repositories that are told of elsewhere.
 */
export function weighCeiling(
  opinion: Opinion,
  history: History,
  holds: readonly HoldInForce[],
  removals: Removals,
  purged: Purged,
  at: number,
  elsewhere: ReadonlySet<string> = new Set(),
): () => SnapshotAnswer[] {
  const { lineage } = history
  const newest = lineage.newest(at)
  for (const place of purged.openOf(history, holds)) {
    const point = history.points[place]
    if (point === undefined) continue
    const isTold = elsewhere.has(point.repository)
    if (isTold || point.listedAt > at || newest === undefined || isToldByTwin(point, newest, lineage, at)) {
      purged.tell(place, undefined, point, false)
      continue
    }
    const present = idIn(point, newest, lineage, at)
    const gone = present === undefined ? goneFrom(point, lineage, at) : undefined
    const covering = holdsOver(point, history, holds)
    const inForce = covering.filter(({ end }) => at < end)
    const removedBy = gone === undefined ? [] : removals.of(point, gone, history.terms.clockToleranceMs)
    const isPurged = gone !== undefined && removals.pruned(gone, removedBy)
    const id = present ?? gone?.id ?? point.snapshot.id
    const broken = gone && inForce.find(({ start }) => goneAt(gone, removedBy) >= start)
    if (broken !== undefined && gone !== undefined) {
      opinion.weigh('breached')
      const detail = { snapshot: id, authority: broken.authority }
      opinion.find('hold-broken', gone.inventory.takenAt, detail, [gone.inventory.fact, ...removedBy])
    }
    const { state, since, until } = stateOf(point, history, covering, inForce.length > 0, isPurged, at)
    const isSettled =
      state === 'purged' &&
      broken === undefined &&
      point.twins.length === 0 &&
      lineage.repositories.size === 1
    purged.tell(place, { id, ceiling: state }, point, isSettled)
    opinion.weigh(VERDICTS[state])
    if (until !== undefined) opinion.deadlines.push(until)
    if (state === 'purge-due' || state === 'over-retained') {
      opinion.find(state, since ?? at, { snapshot: id }, [newest.fact])
    }
  }
  return purged.answers()
}

function stateOf(
  point: Point,
  { terms }: History,
  covering: readonly HoldInForce[],
  isHeld: boolean,
  isPurged: boolean,
  at: number,
): { state: CeilingState; since?: number; until?: number } {
  if (isPurged) return { state: 'purged' }
  if (isHeld) return { state: 'held' }
  const { max } = terms.set.retention
  if (max === undefined) return { state: 'within' }
  const { zone } = terms.calendar
  const soft = zone.add(point.start, max.age)
  if (at < soft) return { state: 'within', until: soft }
  const released = Math.max(soft, ...covering.map(({ end }) => end))
  const hard = zone.add(released, max.purgeGrace)
  if (at < hard) return { state: 'purge-due', since: soft, until: hard }
  return { state: 'over-retained', since: hard }
}

function holdsOver(point: Point, { terms }: History, holds: readonly HoldInForce[]): HoldInForce[] {
  if (holds.length === 0) return []
  const day = terms.calendar.dayOf(point.start)
  return holds.filter(({ fromDay, toDay }) => fromDay <= day && day <= toDay)
}

/** Twins are one snapshot: the one that is there speaks, else the one listed last. */
function isToldByTwin(point: Point, newest: Listed, lineage: Lineage, at: number): boolean {
  return point.twins.some(({ point: twin, since }) => {
    if (since > at || twin.listedAt > at) return false
    const own = standing(point, newest, lineage)
    const other = standing(twin, newest, lineage)
    return other > own || (other === own && twin.repository + twin.tree < point.repository + point.tree)
  })
}

function standing(point: Point, newest: Listed, lineage: Lineage): number {
  const own = point.members.filter(({ repository }) => repository === point.repository)
  if (own.some(({ repository, id }) => lineage.isIn(newest, repository, id))) return Infinity
  return Math.max(...own.map(({ repository, id }) => lineage.lastListedAt(repository, id)))
}

interface Gone {
  repository: string
  /** The ID under which it was listed last, and when. */
  id: string
  listedAt: number
  /** The first complete inventory of that repository from which it is gone: another's does not say so. */
  inventory: Listed
}

function goneFrom(point: Point, lineage: Lineage, at: number): Gone | undefined {
  let last = -Infinity
  let member = point.members[0]
  for (const one of point.members) {
    const listedAt = one.since <= at ? lineage.lastListedAt(one.repository, one.id) : -Infinity
    if (listedAt > last) {
      last = listedAt
      member = one
    }
  }
  const repository = member?.repository
  const inventory = lineage.firstSince(last + 1, (one) => one.repository === repository)
  if (member === undefined || inventory === undefined) return undefined
  return { repository: member.repository, id: member.id, listedAt: last, inventory }
}

/** When it went: as the run that removed it says, else when an inventory first showed it. */
function goneAt({ inventory }: Gone, removedBy: readonly Known<RetentionRun>[]): number {
  return Math.min(inventory.takenAt, ...removedBy.map(({ datedAt }) => datedAt))
}
