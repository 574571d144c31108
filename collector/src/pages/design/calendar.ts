import { COUNTED_STATES } from '@bevis/shared/contract/answer'
import type { ObligationState } from '@bevis/shared/contract/answer'
import type { Per } from '@bevis/shared/contract/schema'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { nameBucket } from './bucket.ts'

export type CellState = ObligationState

/** One obligation in the heat map. */
export interface Cell {
  bucket: string
  state: CellState
  href: string
}

export interface CalendarTier {
  per: Per
  title: string
  note: string
  /** In time order. */
  cells: readonly Cell[]
  /** Address of the list of a period (`2025`, `2025-03`, `2025-03-05`): what all its cells say, in words. */
  hrefOf: (period: string) => string
}

/** What needs a person is reached by Tab; what is kept is reached by pointer, or by the list of its period. */
const QUIET: ReadonlySet<CellState> = new Set(['met', 'discharged', 'pending', 'excused'])

/** How many groups or cells of a tier a page shows: its size is bounded whatever a contract promises. */
const SHOWN = { hour: 7, day: 12, week: 53, month: 36, year: 12, fiscalYear: 12 } as const satisfies Record<
  Per,
  number
>

/** On a phone a cell must fit a thumb: the older months are left to their lists. */
const PHONE_MONTHS = 3

interface Group {
  period: string
  cells: Cell[]
}

/** The newest part of a tier that ends by `until` (a month, `2025-03`; left out: its end), and if there is more. */
export function windowOf(
  per: Per,
  cells: readonly Cell[],
  until?: string,
): { groups: Group[]; earlier: boolean; later: boolean } {
  const upTo = until === undefined ? cells : cells.filter((cell) => monthOf(per, cell.bucket) <= until)
  const groups = groupBy(per, per === 'hour' || per === 'day' ? upTo : upTo.slice(-SHOWN[per]))
  const shown = groups.slice(-SHOWN[per])
  const count = shown.reduce((sum, group) => sum + group.cells.length, 0)
  return { groups: shown, earlier: count < upTo.length, later: upTo.length < cells.length }
}

/** A tier's part of the heat map. */
export function calendarTier(tier: CalendarTier, locale: Locale, until?: string): Html {
  const { groups } = windowOf(tier.per, tier.cells, until)
  return html`<section class="tier" aria-label="${tier.title}">
    <h4 class="tier-head">${tier.title} <span>${tier.note}</span></h4>
    ${groups.length === 0 ? html`<p class="muted small">${locale.t('calendar.none')}</p>` : body(tier, groups, locale)}
  </section>`
}

function body(tier: CalendarTier, groups: readonly Group[], locale: Locale): Html {
  switch (tier.per) {
    case 'day':
      return html`<div class="months">
        ${groups.map((group, at) => month(tier, group, groups.length - at, locale))}
      </div>`
    case 'hour':
      return html`<div>
        ${groups.map((group) => strip('day', locale.day(group.period), tier, group, locale))}
      </div>`
    case 'week':
    case 'month':
      return html`<div class="years">
        ${groups.map((group) => strip('year', group.period, tier, group, locale))}
      </div>`
    case 'year':
    case 'fiscalYear':
      return html`<div class="run">
        ${groups.flatMap((group) => group.cells).map((cell) => chip(tier.per, cell, locale))}
      </div>`
  }
}

function month(tier: CalendarTier, { period, cells }: Group, fromEnd: number, locale: Locale): Html {
  const first = Temporal.PlainDate.from(`${period}-01`)
  const byDay = new Map(cells.map((cell) => [cell.bucket, cell]))
  const last = Temporal.PlainDate.from(cells.at(-1)?.bucket ?? first)
  const days = Array.from({ length: last.day }, (_, at) => byDay.get(first.add({ days: at }).toString()))
  return html`<div class="month${fromEnd > PHONE_MONTHS ? ' early' : ''}">
    <h5><a href="${tier.hrefOf(period)}">${locale.month(period)}</a></h5>
    <div class="grid">
      ${days.map((cell, at) => {
        const place = at === 0 ? ` from-${first.dayOfWeek}` : ''
        return cell === undefined
          ? html`<i class="c blank${place}"></i>`
          : square(tier.per, cell, locale, place)
      })}
    </div>
  </div>`
}

function strip(kind: 'day' | 'year', title: string, tier: CalendarTier, group: Group, locale: Locale): Html {
  const cells = group.cells.map((cell) =>
    tier.per === 'month' ? chip(tier.per, cell, locale) : square(tier.per, cell, locale),
  )
  return html`<div class="${kind}">
    <h5><a href="${tier.hrefOf(group.period)}">${title}</a></h5>
    <div class="run">${cells}</div>
  </div>`
}

function square(per: Per, cell: Cell, locale: Locale, place = ''): Html {
  return html`<a
    class="c ${cell.state}${place}"
    href="${cell.href}"
    aria-label="${labelOf(per, cell, locale)}"
    ${reach(cell)}
  ></a>`
}

function chip(per: Per, cell: Cell, locale: Locale): Html {
  const { bucket, state, href } = cell
  const text = per === 'month' ? locale.monthShort(bucket) : per === 'year' ? bucket : fiscalYears(bucket)
  // WCAG 2.2, 2.5.3 Label in Name: what is read is in what is seen
  const name = per === 'month' ? `${text} ${bucket.slice(0, 4)}` : text
  const label = `${name}: ${locale.t(`state.${state}`)}`
  return html`<a class="c chip ${state}" href="${href}" aria-label="${label}" ${reach(cell)}>${text}</a>`
}

/** `2024-07-01` is the year 2024/25; `2024-01-01` is 2024. */
function fiscalYears(firstDay: string): string {
  const year = Number(firstDay.slice(0, 4))
  return firstDay.endsWith('-01-01') ? String(year) : `${year}/${String(year + 1).slice(2)}`
}

function labelOf(per: Per, cell: Cell, locale: Locale): string {
  return `${nameBucket(per, cell.bucket, locale)}: ${locale.t(`state.${cell.state}`)}`
}

function reach(cell: Cell): Html {
  return QUIET.has(cell.state) ? html` tabindex="-1"` : nothing
}

/** What the shapes mean: only those that occur. */
export function legend(states: ReadonlySet<CellState>, locale: Locale): Html {
  return html`<ul class="legend" aria-label="${locale.t('calendar.legend')}">
    ${COUNTED_STATES.filter((state) => states.has(state)).map(
      (state) => html`<li><i class="c ${state}"></i>${locale.t(`state.${state}`)}</li>`,
    )}
  </ul>`
}

function groupBy(per: Per, cells: readonly Cell[]): Group[] {
  const groups: Group[] = []
  for (const cell of cells) {
    const period = periodOf(per, cell.bucket)
    const group = groups.at(-1)
    if (group?.period === period) group.cells.push(cell)
    else groups.push({ period, cells: [cell] })
  }
  return groups
}

/** The period whose list a cell stands in; always a beginning of the bucket's name. */
export function periodOf(per: Per, bucket: string): string {
  if (per === 'hour') return bucket.slice(0, 10)
  return per === 'day' ? bucket.slice(0, 7) : bucket.slice(0, 4)
}

function monthOf(per: Per, bucket: string): string {
  if (per !== 'week') return per === 'year' ? `${bucket}-01` : bucket.slice(0, 7)
  // ISO 8601: 4 January is always in week 1
  const week = Number(bucket.slice(6))
  return Temporal.PlainDate.from(`${bucket.slice(0, 4)}-01-04`)
    .add({ weeks: week - 1 })
    .toString()
    .slice(0, 7)
}
