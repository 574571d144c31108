import type { ObligationState } from './answer.ts'
import type { Excused } from './exclusion.ts'
import { isExcused } from './exclusion.ts'
import type { Candidate } from './candidate.ts'
import type { History } from './history.ts'
import type { Listed } from './lineage.ts'
import type { Obligation } from './obligation.ts'

/** What an obligation comes to, and what it stands on. */
export interface Judgement {
  state: ObligationState
  /** The row of the contract specification's table of states that decided. */
  row: 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8
  /** The newest complete inventory, as of when it is judged. */
  inventory?: Listed
  candidate?: Candidate
  /** The candidate's ID there. */
  witness?: string
  since?: number
}

/** The state at `at`; the first row that fits decides. */
export function judge(
  obligation: Obligation,
  history: History,
  excused: readonly Excused[],
  at: number,
): Judgement {
  const { keepUntil, bucket } = obligation
  if (isExcused(bucket, excused, obligation.line.calendar)) return { state: 'excused', row: 1 }
  if (at < keepUntil) return judgeLive(obligation, history, at)
  const last = judgeAtEnd(obligation, history)
  if (last.state !== 'met' && last.state !== 'stale') return last
  return { ...last, state: 'discharged', row: 2, since: keepUntil }
}

/**
 * A live obligation judged again, while nothing has come that touches its bucket: what was kept is kept while its
 * witness is listed, and only the inventory ages. Undefined where it has to be judged anew.
 * @param inventory the newest
 */
export function renew(
  before: Judgement,
  obligation: Obligation,
  history: History,
  inventory: Listed | undefined,
  at: number,
): Judgement | undefined {
  if (before.row === 1) return before
  const { row, candidate, witness } = before
  if ((row !== 3 && row !== 4) || candidate === undefined || inventory === undefined) return undefined
  if (inventory !== before.inventory && history.idIn(candidate, inventory, at) !== witness) return undefined
  const { since: _, ...kept } = before
  return { ...kept, ...byAge(obligation, inventory, at), inventory }
}

/** What is kept for less than its grace would end before it was due: what is not there by then stays open no longer. */
function judgeAtEnd(obligation: Obligation, history: History): Judgement {
  const { keepUntil, pendingUntil, due } = obligation
  if (keepUntil >= due) return judgeLive(obligation, history, keepUntil)
  const ended = { ...obligation, pendingUntil: Math.min(pendingUntil, keepUntil), due: keepUntil }
  return judgeLive(ended, history, keepUntil)
}

/** Rows 3 to 8. */
export function judgeLive(obligation: Obligation, history: History, at: number): Judgement {
  const { keepUntil, line, bucket, pendingUntil, due } = obligation
  const { lineage } = history
  const inventory = lineage.newest(at, keepUntil)
  const { from, to } = line.windowOf(bucket)
  const found = { ...(inventory !== undefined && { inventory }) }
  const gone: Candidate[] = []
  for (const candidate of history.fromNewest(from, to)) {
    if (inventory === undefined) break
    if (!line.isAnchored(candidate.start) || !history.satisfies(candidate, at)) continue
    const witness = history.idIn(candidate, inventory, at)
    if (witness !== undefined) {
      return { ...byAge(obligation, inventory, at), ...found, candidate, witness }
    }
    if (candidate.point.listedAt <= inventory.takenAt) gone.push(candidate)
  }
  if (at < pendingUntil) return { state: 'pending', row: 5, ...found }
  if (at < due) return { state: 'late', row: 5, since: pendingUntil, ...found }
  if (gone.length > 0 && inventory !== undefined) {
    return { state: 'lost', row: 6, ...found, ...theLast(gone, history, inventory) }
  }
  const held = inventory === undefined ? undefined : withheld(obligation, history, inventory, at)
  if (held !== undefined) return { ...held, ...found, since: due }
  const after = inventory !== undefined && inventory.takenAt >= due
  const since = after ? (lineage.firstSince(due)?.takenAt ?? due) : due
  return { state: after ? 'missed' : 'unknown', row: 8, since, ...found }
}

function byAge(
  { terms }: Obligation,
  { takenAt }: Listed,
  at: number,
): Pick<Judgement, 'state' | 'row' | 'since'> {
  const { zone } = terms.calendar
  const { freshFor, unknownAfter } = terms.set.evidence
  const staleFrom = zone.add(takenAt, freshFor)
  if (at <= staleFrom) return { state: 'met', row: 3 }
  const unknownFrom = zone.add(takenAt, unknownAfter)
  if (at <= unknownFrom) return { state: 'stale', row: 4, since: staleFrom }
  return { state: 'unknown', row: 4, since: unknownFrom }
}

/** Row 7: something is there, and only the guard, a missing report or a clock keeps it from counting. */
function withheld(
  { line, bucket }: Obligation,
  history: History,
  inventory: Listed,
  at: number,
): Pick<Judgement, 'state' | 'row' | 'candidate' | 'witness'> | undefined {
  let unattested: Pick<Judgement, 'state' | 'row' | 'candidate' | 'witness'> | undefined
  const { from, to } = line.windowOf(bucket)
  for (const candidate of history.between(from, to)) {
    const reason = line.isAnchored(candidate.start) ? history.withheldBy(candidate, at) : undefined
    if (reason === undefined) continue
    const witness = history.idIn(candidate, inventory, at)
    if (witness === undefined) continue
    if (reason === 'guard') return { state: 'late', row: 7, candidate, witness }
    unattested ??= { state: 'unknown', row: 7, candidate, witness }
  }
  return unattested
}

/** The one that stood to the last: it was lost between the last inventory that lists it and the next. */
function theLast(
  gone: readonly Candidate[],
  history: History,
  { takenAt }: Listed,
): Pick<Judgement, 'candidate' | 'since'> {
  const byEnd = gone.map((candidate) => ({ candidate, listedAt: lastListed(history, candidate, takenAt) }))
  const { candidate, listedAt } = byEnd.reduce((last, one) => (one.listedAt > last.listedAt ? one : last))
  const next = history.lineage.firstSince(listedAt + 1)?.takenAt ?? takenAt
  return { candidate, since: Math.min(next, takenAt) }
}

function lastListed({ lineage }: History, { point }: Candidate, at: number): number {
  return Math.max(
    ...point.members.map(({ repository, id, since }) =>
      since <= at ? lineage.lastListedAt(repository, id, at) : -Infinity,
    ),
  )
}
