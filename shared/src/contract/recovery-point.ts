import type { Calendar } from './calendar.ts'
import type { Excused } from './exclusion.ts'
import type { History } from './history.ts'
import type { SetTerms } from './timeline.ts'
import type { Opinion } from './verdict.ts'
import { formatInstant } from './verdict.ts'

/** The age of the newest recovery point, beside what was agreed; part of the points. */
export function weighRecoveryPoint(
  opinion: Opinion,
  history: History,
  excused: readonly Excused[],
  at: number,
): void {
  const { terms, lineage } = history
  const inventory = lineage.newest(at)
  const newest =
    inventory &&
    history.newest(
      (candidate) => history.satisfies(candidate, at) && history.idIn(candidate, inventory, at) !== undefined,
    )
  const from = newest?.start ?? terms.onboardedAt
  const limit = limitOf(from, terms, excused)
  opinion.deadlines.push(limit)
  if (at <= limit) return
  const kept = inventory && keptBy(history, from, excused, at)
  const verdict = kept ?? (inventory !== undefined && inventory.takenAt > limit ? 'breached' : 'unknown')
  opinion.weigh(verdict)
  opinion.find(
    'recovery-point-age',
    limit,
    {
      verdict,
      newest: formatInstant(from),
      ...(newest !== undefined && { snapshot: newest.point.snapshot.id }),
    },
    [newest?.run, inventory?.fact],
  )
}

/** What would keep the age, if only it counted. */
function keptBy(
  history: History,
  from: number,
  excused: readonly Excused[],
  at: number,
): 'at-risk' | 'unknown' | undefined {
  const inventory = history.lineage.newest(at)
  if (inventory === undefined) return undefined
  let verdict: 'at-risk' | 'unknown' | undefined
  for (const candidate of history.fromNewest()) {
    if (candidate.start <= from) break
    if (candidate.start > at) continue
    if (limitOf(candidate.start, history.terms, excused) < at) break
    const reason = history.withheldBy(candidate, at)
    if (reason === undefined || history.idIn(candidate, inventory, at) === undefined) continue
    if (reason === 'guard') return 'at-risk'
    verdict = 'unknown'
  }
  return verdict
}

/** Until when a recovery point is young enough, time in closed and excused days left out. */
function limitOf(start: number, { calendar, set }: SetTerms, excused: readonly Excused[]): number {
  const { every, rpo, lateGrace } = set.schedule
  const made = calendar.dayOf(start)
  let first = made
  while (isIdle(first, calendar, excused)) first += 1
  const from = first === made ? start : calendar.startOf(first) // it does not age before
  const limit = calendar.zone.add(calendar.zone.add(from, rpo ?? every), lateGrace)
  let left = limit - from
  let now = from
  for (let day = first; ; day++) {
    const end = calendar.startOf(day + 1)
    if (!isIdle(day, calendar, excused)) {
      if (now + left <= end) return now + left
      left -= end - now
    }
    now = end
  }
}

function isIdle(day: number, calendar: Calendar, excused: readonly Excused[]): boolean {
  return calendar.isClosed(day) || excused.some(({ fromDay, toDay }) => fromDay <= day && day <= toDay)
}
