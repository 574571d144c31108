import type { Detail, Events } from './approval.ts'
import { textOf, textsOf } from './approval.ts'
import type { Calendar } from './calendar.ts'
import { isLocalDate, parseDay } from './local.ts'
import type { InForce } from './timeline.ts'

/** Nothing that began on the covered days may go while it is in force, in [start, end). */
export interface HoldInForce {
  fromDay: number
  toDay: number
  start: number
  /** Infinity while it has not been released. */
  end: number
  authority: string
}

interface Draft extends HoldInForce {
  key: string
}

/** The holds on a set that had begun by `at`: from the contract's text and from the log alike. */
export function holdsOn(
  versions: readonly InForce[],
  events: Events,
  set: string,
  calendar: Calendar,
  at: number,
): HoldInForce[] {
  const holds: Draft[] = [...fromText(versions, set, calendar), ...fromLog(events, set)]
  for (const { predicate, datedAt } of events.of('hold-released')) {
    const key = keyOf(predicate.detail)
    for (const hold of holds) {
      if (hold.key === key && hold.start <= datedAt) hold.end = Math.min(hold.end, datedAt)
    }
  }
  return holds.filter(({ start, end }) => start <= at && end > start)
}

/** A hold that a later version no longer names ends where that version begins. */
function fromText(versions: readonly InForce[], set: string, calendar: Calendar): Draft[] {
  const { zone } = calendar
  const holds = new Map<string, Draft>()
  for (const { version, to } of versions) {
    for (const { sets, covers, authority, start, end } of version.holds) {
      if (!sets.includes(set)) continue
      const key = keyOf({ sets, covers, authority })
      const released = end === undefined ? Infinity : zone.midnightOf(parseDay(end))
      holds.set(`${key}${start}`, {
        key,
        authority,
        fromDay: parseDay(covers.from),
        toDay: parseDay(covers.to),
        start: zone.midnightOf(parseDay(start)),
        end: Math.min(released, to),
      })
    }
  }
  return [...holds.values()]
}

function fromLog(events: Events, set: string): Draft[] {
  return events.of('hold-started').flatMap(({ predicate: { detail }, datedAt }) => {
    const { from, to } = coversOf(detail)
    if (!textsOf(detail, 'sets').includes(set) || !isLocalDate(from) || !isLocalDate(to)) return []
    const authority = textOf(detail, 'authority')
    const days = { fromDay: parseDay(from), toDay: parseDay(to) }
    return [{ key: keyOf(detail), authority, ...days, start: datedAt, end: Infinity }]
  })
}

function coversOf(detail: Detail): { from: string; to: string } {
  const covers = detail['covers']
  if (typeof covers !== 'object' || covers === null) return { from: '', to: '' }
  const { from, to } = covers as Record<string, unknown>
  return { from: typeof from === 'string' ? from : '', to: typeof to === 'string' ? to : '' }
}

function keyOf(detail: Detail): string {
  const { from, to } = coversOf(detail)
  return JSON.stringify([textsOf(detail, 'sets').toSorted(), from, to, textOf(detail, 'authority')])
}
