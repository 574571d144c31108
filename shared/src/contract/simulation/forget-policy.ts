/**
 * The rules of `restic forget`, played through without a repository: what they keep, what they remove. They are
 * restic's own (restic documentation, "Removing snapshots according to a policy"), its surprises included.
 */
import { BevisError } from '../../error.ts'
import { DAY_MS, HOUR_MS, civilOf } from '../local.ts'
import type { Zone } from '../zone.ts'

const UNITS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const
type Unit = (typeof UNITS)[number]

/** As restic writes a duration: `1y5m7d2h`. */
interface Span {
  months: number
  days: number
  hours: number
}

/** What can make a group of snapshots that is judged by itself. */
type Grouping = 'host' | 'paths' | 'tags'

export interface ForgetPolicy {
  /** How many of each; -1 keeps them all. */
  readonly count: ReadonlyMap<Unit, number>
  /** One of each unit within this long before the newest; `last` keeps every one. */
  readonly within: ReadonlyMap<Unit, Span>
  readonly groupBy: readonly Grouping[]
}

/** What the rules look at. Instants in milliseconds. */
export interface Forgettable {
  readonly start: number
  readonly host: string
  readonly paths: readonly string[]
  readonly tags?: readonly string[] | undefined
}

const SHORT: Readonly<Record<string, string>> = {
  '-l': '--keep-last',
  '-H': '--keep-hourly',
  '-d': '--keep-daily',
  '-w': '--keep-weekly',
  '-m': '--keep-monthly',
  '-y': '--keep-yearly',
  '-g': '--group-by',
}
const IGNORED = new Set(['forget', 'restic', '--prune', '--dry-run', '-n'])
/** A line of arguments, not a file. */
const LIMIT_CHARACTERS = 1000

/**
 * Reads restic's arguments: `--keep-daily 30 --keep-monthly 12 --group-by host,paths`.
 * @throws BevisError USAGE for what is no such argument, or keeps nothing
 */
export function parseForgetPolicy(text: string): ForgetPolicy {
  if (text.length > LIMIT_CHARACTERS) throw refused('the policy is too long')
  const count = new Map<Unit, number>()
  const within = new Map<Unit, Span>()
  let groupBy: Grouping[] = ['host', 'paths']
  const words = text.split(/[\s=]+/).filter((word) => word !== '')
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (IGNORED.has(word)) continue
    const option = SHORT[word] ?? word
    const value = words.shift() ?? ''
    const [, range = '', unit = ''] = /^--keep-(?:(within)-?)?(.*)$/.exec(option) ?? []
    if (option === '--group-by') groupBy = readGrouping(value)
    else if (range !== '') within.set(readUnit(unit === '' ? 'last' : unit, option), readSpan(option, value))
    else count.set(readUnit(unit, option), readCount(option, value))
  }
  if ([...count.values()].every((one) => one === 0) && within.size === 0)
    throw refused('the policy keeps nothing; name at least one like --keep-daily 30')
  return { count, within, groupBy }
}

function refused(why: string): BevisError {
  return new BevisError('USAGE', `restic’s policy cannot be played through: ${why}`)
}

function readUnit(text: string, option: string): Unit {
  const unit = UNITS.find((one) => one === text)
  if (unit === undefined) throw refused(`${option} is not known here; --keep-tag and others are left out`)
  return unit
}

function readCount(option: string, value: string): number {
  if (value === 'unlimited' || value === '-1') return -1
  if (!/^\d{1,6}$/.test(value)) throw refused(`${option} needs a number, "unlimited" or -1`)
  return Number(value)
}

function readSpan(option: string, value: string): Span {
  const match = /^(?=.)(?:(\d{1,4})y)?(?:(\d{1,4})m)?(?:(\d{1,5})d)?(?:(\d{1,6})h)?$/.exec(value)
  if (match === null) throw refused(`${option} needs a duration like 1y5m7d2h`)
  const [years = 0, months = 0, days = 0, hours = 0] = match.slice(1).map((digits) => Number(digits ?? 0))
  return { months: years * 12 + months, days, hours }
}

function readGrouping(value: string): Grouping[] {
  const names = value.replace(/^["']|["']$/g, '').split(',')
  return names.flatMap((name): Grouping[] => {
    if (name === '') return []
    if (name === 'host' || name === 'paths' || name === 'tags') return [name]
    throw refused(`--group-by takes host, paths and tags, not ${name}`)
  })
}

/** Snapshots of one group are judged together, and no others with them. */
export function groupOf({ groupBy }: ForgetPolicy, { host, paths, tags = [] }: Forgettable): string {
  const parts = { host, paths: paths.toSorted(), tags: tags.toSorted() }
  return JSON.stringify(groupBy.map((name) => parts[name]))
}

/**
 * What the rules remove of one group at an instant, given newest first. Periods are those of the clock that the
 * snapshots were taken by: restic goes by the offset stored with each, so the zone must be that of the hosts.
 */
export function forgotten<S extends Forgettable>(
  { count, within }: ForgetPolicy,
  group: readonly S[],
  zone: Zone,
  at: number,
): S[] {
  const newest = group.find(({ start }) => start < at)?.start ?? -Infinity
  const counted = [...count]
    .filter(([, left]) => left !== 0)
    .map(([unit, left]) => ({ unit, left, last: -1 }))
  const ranged = [...within].map(([unit, span]) => ({ unit, from: startOf(newest, span, zone), last: -1 }))
  return group.filter((snapshot, place) => {
    const isOldest = place === group.length - 1
    let isKept = false
    for (const rule of counted) {
      const period = periodOf(rule.unit, snapshot.start, place, zone)
      // What is left of the count goes to the oldest, too.
      if (rule.left === 0 || (period === rule.last && !isOldest)) continue
      isKept = true
      rule.last = period
      if (rule.left > 0) rule.left -= 1
    }
    for (const rule of ranged) {
      if (snapshot.start <= rule.from) continue
      const period = periodOf(rule.unit, snapshot.start, place, zone)
      if (period === rule.last && !isOldest) continue
      isKept = true
      rule.last = period
    }
    return !isKept
  })
}

/** Years and months are taken off the clock's date as restic does: 31 March less a month is 3 March. */
function startOf(newest: number, { months, days, hours }: Span, zone: Zone): number {
  if (newest === -Infinity) return newest
  const local = new Date(newest + zone.offsetMsAt(newest))
  local.setUTCFullYear(local.getUTCFullYear(), local.getUTCMonth() - months, local.getUTCDate() - days)
  return zone.instantOf(local.getTime()) - hours * HOUR_MS
}

/** Two snapshots of one period have the same number. */
function periodOf(unit: Unit, start: number, place: number, zone: Zone): number {
  const local = start + zone.offsetMsAt(start)
  const day = Math.floor(local / DAY_MS)
  const { year, month } = civilOf(day)
  switch (unit) {
    case 'last':
      return place
    case 'hourly':
      // By the clock: the repeated hour of autumn is one.
      return Math.floor(local / HOUR_MS)
    case 'daily':
      return day
    case 'weekly':
      return Math.floor((day + 3) / 7)
    case 'monthly':
      return year * 12 + month
    case 'yearly':
      return year
  }
}
