import type { Detail, Events } from './approval.ts'
import { Approvals, textOf, textsOf } from './approval.ts'
import type { Bucket } from './bucket.ts'
import type { Calendar } from './calendar.ts'
import { isLocalDate, parseDay } from './local.ts'
import type { InForce } from './timeline.ts'

/** Days, both included, on which a set owes nothing. */
export interface Excused {
  fromDay: number
  toDay: number
}

/** What both parties have excused, by the contract's text, by statements, or by one each. */
export function excusedDays(versions: readonly InForce[], events: Events, set: string): Excused[] {
  const approvals = new Approvals().approveBy(events.of('exclusion-approved'), keyOf)
  for (const { version } of versions) {
    for (const { sets, from, to, approvedBy } of version.exclusions) {
      const detail = { sets, from, to }
      for (const party of approvedBy) approvals.approve(keyOf(detail), detail, party, -Infinity)
    }
  }
  return [...approvals.given()]
    .filter(({ detail }) => textsOf(detail, 'sets').includes(set))
    .map(({ detail }) => ({ from: textOf(detail, 'from'), to: textOf(detail, 'to') }))
    .filter(({ from, to }) => isLocalDate(from) && isLocalDate(to))
    .map(({ from, to }) => ({ fromDay: parseDay(from), toDay: parseDay(to) }))
}

function keyOf(detail: Detail): string {
  return JSON.stringify([textsOf(detail, 'sets').toSorted(), textOf(detail, 'from'), textOf(detail, 'to')])
}

/** True if the bucket lies wholly within the excused days, of the set's own calendar. */
export function isExcused(bucket: Bucket, excused: readonly Excused[], calendar: Calendar): boolean {
  if (excused.length === 0) return false
  const first = calendar.dayOf(bucket.from)
  const last = calendar.dayOf(bucket.to - 1)
  return excused.some(({ fromDay, toDay }) => fromDay <= first && last <= toDay)
}
