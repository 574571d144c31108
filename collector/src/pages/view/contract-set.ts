import type { Dimension } from '@bevis/shared/contract/answer'
import { describeInShort } from '@bevis/shared/contract/plain'
import type { ContractSet, Per, Version } from '@bevis/shared/contract/schema'
import { calendarTier, legend, windowOf } from '../design/calendar.ts'
import type { Cell, CellState } from '../design/calendar.ts'
import { empty, facts, tiles } from '../design/element.ts'
import type { Tile } from '../design/element.ts'
import { badge, LOOKS } from '../design/state.ts'
import type { Tone } from '../design/state.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { contractHref, obligationHref, periodHref } from './address.ts'
import { contractTabHref } from './contract-tabs.ts'
import type { EvidenceRow } from './evidence-row.ts'
import { evidenceTable } from './evidence-row.ts'
import { dimensionGrid } from './verdict.ts'
import type { Said, SaidState } from './verdict.ts'

/** What a contract says of a set, as far as a page tells it. */
export interface Promised {
  version: Version
  set: ContractSet
}

export interface SetTier {
  name: string
  per: Per
  keep: number
  /** In time order. */
  obligations: { bucket: string; state: CellState }[]
}

export interface SetModel {
  id: string
  headline: SaidState
  dimensions: Record<Dimension, Said>
  counts: Partial<Record<CellState, number>>
  /** Obligations, past ones too: `judged` were kept or broken, and of `undecided` ones nobody can say it today. */
  settled: { kept: number; judged: number; undecided: number }
  nextDeadline: string | null
  promised: Promised | null
  tiers: SetTier[]
  tests: EvidenceRow[]
}

/** What the sets of one page share. */
export interface SetView {
  contract: string
  now: Date
  /** Where the calendar ends when nobody asks otherwise, `2026-11`. */
  thisMonth: string
  knownOn?: string
  until?: string
}

export function setView(set: SetModel, view: SetView, locale: Locale): Html {
  const { t } = locale
  return html`<section class="section set" id="set-${set.id}" aria-labelledby="set-${set.id}-title">
    <div class="section-head">
      <h2 id="set-${set.id}-title"><span class="muted">${t('contract.set')}</span> ${set.id}</h2>
      ${badge(set.headline, t(`state.${set.headline}`))}
    </div>
    ${dimensionGrid(set.dimensions, locale)}
    ${set.promised === null ? nothing : promise(set.promised, view.contract, locale)}
    <div class="panel">
      <h3>${t('contract.calendar')}</h3>
      ${numbers(set, view.now, locale)}
      <p class="muted small">${t('calendar.hint')}</p>
      ${legend(new Set(set.tiers.flatMap((tier) => tier.obligations.map(({ state }) => state))), locale)}
      ${set.tiers.map((tier) => heatMap(set.id, tier, view, locale))} ${pager(set, view, locale)}
    </div>
    <div class="panel flush">
      ${
        set.tests.length === 0
          ? empty(t('contract.noTests'), t('contract.noTestsNext'), `bevis-agent test ${set.id}`)
          : html`<h3 class="inset">${t('contract.tests')}</h3>
              ${evidenceTable(
                {
                  caption: t('contract.tests'),
                  rows: set.tests,
                  columns: ['outcome', 'snapshot', 'received', 'leaf'],
                },
                locale,
              )}`
      }
    </div>
  </section>`
}

function promise({ set, version }: Promised, contract: string, locale: Locale): Html {
  const { t } = locale
  const { hosts, requiredPaths, repository } = set.selector
  return html`<div class="panel columns clause">
    <div>
      <h3>${t('contract.clause')}</h3>
      <blockquote>${set.retention.wording}</blockquote>
    </div>
    <div>
      <h3>${t('contract.reading')}</h3>
      <ul class="reading">
        ${describeInShort(set, version, locale.language).map((one) => html`<li>${one}</li>`)}
      </ul>
      ${facts([
        [t('promise.hosts'), hosts.join(', ')],
        requiredPaths.length === 0
          ? null
          : [t('promise.paths'), html`${requiredPaths.map((path) => html`<div class="path">${path}</div>`)}`],
        [t('promise.repository'), repository],
      ])}
      <p class="small list-top no-print">
        <a href="${contractTabHref(contract, 'promises')}">${t('contract.allTerms')}</a>
      </p>
    </div>
  </div>`
}

/** States of obligations that exist today, in the order of the bar. */
const LIVE: readonly CellState[] = ['met', 'stale', 'late', 'unknown', 'missed', 'lost']

function numbers({ counts, settled, nextDeadline }: SetModel, now: Date, locale: Locale): Html {
  const { t } = locale
  const countOf = (state: CellState) => counts[state] ?? 0
  const told = LIVE.filter((state) => state !== 'met' && countOf(state) > 0)
  return html`${bar(LIVE.map((state) => [LOOKS[state].tone, countOf(state)]))}
  ${tiles([
    keptTile(settled, locale),
    {
      label: t('contract.owed'),
      value: locale.number(LIVE.reduce((sum, state) => sum + countOf(state), 0)),
      note: t('contract.owedNote'),
    },
    ...told.map((state) => ({
      label: t(`state.${state}`),
      value: html`<span class="${LOOKS[state].tone}">${locale.number(countOf(state))}</span>`,
    })),
    {
      label: t('contract.nextDeadline'),
      value: html`<span class="text"
        >${nextDeadline === null ? t('contract.noDeadline') : nextDeadline < now.toISOString() ? locale.date(nextDeadline) : locale.relative(nextDeadline, now)}</span
      >`,
      ...(nextDeadline === null ? {} : { note: locale.instant(nextDeadline) }),
    },
  ])}`
}

/** What nobody can say counts as not kept: else the share of a silent agent's contract would be all of it. */
function keptTile({ kept, judged, undecided }: SetModel['settled'], locale: Locale): Tile {
  const { t } = locale
  const all = judged + undecided
  const label = t('contract.rate')
  if (all === 0) return { label, value: '–', note: t('contract.rateNone') }
  const share = locale.percent(kept / all)
  const counts = { kept: locale.number(kept), all: locale.number(all) }
  return undecided === 0
    ? { label, value: share, note: t('contract.rateNote', counts) }
    : {
        label,
        value: t('contract.rateAtLeast', { share }),
        note: t('contract.rateUndecided', { ...counts, undecided: locale.number(undecided) }),
      }
}

/** Shares of a whole as one bar; the figures beside it say the same. */
function bar(shares: readonly (readonly [Tone, number])[]): Html {
  const whole = shares.reduce((sum, [, count]) => sum + count, 0)
  if (whole === 0) return nothing
  let at = 0
  const parts = shares.map(([tone, count]) => {
    const width = (count / whole) * 1000
    const x = at
    at += width
    return count === 0
      ? nothing
      : html`<rect class="${tone}" x="${x.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="10" />`
  })
  return html`<div class="bar">
    <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>
  </div>`
}

function heatMap(set: string, tier: SetTier, view: SetView, locale: Locale): Html {
  const { t } = locale
  const { contract, knownOn } = view
  const cells: Cell[] = tier.obligations.map(({ bucket, state }) => ({
    bucket,
    state,
    href: obligationHref(contract, set, tier.name, bucket, knownOn),
  }))
  return calendarTier(
    {
      per: tier.per,
      title: t(`calendar.title.${tier.per}`),
      note: t('calendar.kept', { keep: t(`keep.${tier.per}`, { count: tier.keep }) }),
      cells,
      hrefOf: (period) => periodHref(contract, set, tier.name, period, knownOn),
    },
    locale,
    view.until,
  )
}

/** Moves this set's calendars a year; there is a link only where there is something to see. */
function pager(set: SetModel, { contract, until, knownOn, thisMonth }: SetView, locale: Locale): Html {
  const windows = set.tiers.map(({ per, obligations }) =>
    windowOf(
      per,
      obligations.map((one) => ({ ...one, href: '' })),
      until,
    ),
  )
  const earlier = windows.some((one) => one.earlier)
  const later = windows.some((one) => one.later)
  if (!earlier && !later) return nothing
  const month = Temporal.PlainYearMonth.from(until ?? thisMonth)
  const href = (to: Temporal.PlainYearMonth) => {
    const query = new URLSearchParams({ until: to.toString() })
    if (knownOn !== undefined) query.set('known', knownOn)
    return `${contractHref(contract)}?${query.toString()}#set-${set.id}`
  }
  const { t } = locale
  return html`<nav class="pager" aria-label="${t('contract.calendar')}">
    <span
      >${earlier ? html`<a rel="prev" href="${href(month.subtract({ years: 1 }))}">← ${t('contract.earlier')}</a>` : nothing}</span
    >
    <span
      >${later ? html`<a rel="next" href="${href(month.add({ years: 1 }))}">${t('contract.later')} →</a>` : nothing}</span
    >
  </nav>`
}
