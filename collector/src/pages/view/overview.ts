import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Dimension } from '@bevis/shared/contract/answer'
import { empty, notice, tiles } from '../design/element.ts'
import { badge, LOOKS, rankOf, word } from '../design/state.ts'
import { symbol } from '../design/symbol.ts'
import { table } from '../design/table.ts'
import type { Column } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { nameAlarm } from './alarm.ts'
import type { Alarm } from './alarm.ts'
import { agentHref, contractHref, evidenceHref } from './address.ts'
import { heading } from './page.ts'
import type { SaidState } from './verdict.ts'

export interface OverviewRow {
  id: string
  customer: string
  /** Null: not judged yet. */
  verdict: {
    headline: SaidState
    dimensions: Record<Dimension, SaidState>
    nextDeadline: string | null
  } | null
}

export interface SilentAgent {
  customer: string
  id: string
  host: string
  lastReceivedAt: string | null
}

export interface OverviewModel {
  now: Date
  /** What comes is dated like this, for the collector's clock was ahead; null: dates are right. */
  datedUntil: string | null
  contracts: OverviewRow[]
  /** The last verdicts of those that are not shown; null: it could not be judged. */
  hidden: (string | null)[]
  agents: number
  silent: SilentAgent[]
  /** Newest first. */
  alarms: Alarm[]
  deadlines: { at: string; contractId: string; customer: string; set: string }[]
}

/** Nobody has to look: kept, nothing owed yet, or not begun. */
const CALM: ReadonlySet<string> = new Set(['compliant', 'not-owed', 'not-applicable'])

const TOLD = ['breached', 'unknown', 'at-risk', 'compliant'] as const

export function overviewView(model: OverviewModel, locale: Locale): Html {
  const { t } = locale
  if (model.contracts.length === 0) {
    return html`${heading({ title: t('overview.title') })}
      <div class="panel">
        ${empty(t('overview.emptyTitle'), t('overview.emptyNext'), 'bevis-collector contract check contract.yaml\nbevis-collector contract apply contract.yaml')}
      </div>`
  }
  const rows = model.contracts.toSorted(
    (a, b) => rank(a) - rank(b) || a.customer.localeCompare(b.customer, locale.language),
  )
  const headlines = headlinesOf(model)
  const needing = headlines.filter((headline) => headline === null || !CALM.has(headline)).length
  const total = headlines.length
  const isDamaged = model.alarms.some(({ kind }) => kind === 'data-check-failed')
  const kept = isDamaged
    ? 'overview.damaged'
    : model.datedUntil !== null
      ? 'overview.undated'
      : model.hidden.length === 0 && rows.every(isDue)
        ? 'overview.allKept'
        : 'overview.soFar'
  const lead =
    needing === 0
      ? t(kept, { count: total })
      : t('overview.needYou', { count: needing, total: locale.number(total) })

  return html`${heading({ title: t('overview.title'), lead })} ${clock(model, locale)}
    ${figures(model, locale)}
    <section class="section" aria-labelledby="contracts">
      <h2 id="contracts">${t('overview.contracts')}</h2>
      <div class="panel flush matrix">
        ${table({ caption: t('overview.caption'), columns: columns(model.now, locale), rows })}
      </div>
      ${
        model.hidden.length === 0
          ? nothing
          : html`<p class="muted small">
              <a href="/?all=yes">${t('overview.rest', { count: model.hidden.length })}</a>
            </p>`
      }
    </section>
    <div class="columns section">
      <section class="panel" aria-labelledby="deadlines">
        <h2 id="deadlines">${t('overview.deadlines')}</h2>
        ${deadlines(model, locale)}
      </section>
      <section class="panel" aria-labelledby="silent">
        <h2 id="silent">${t('overview.silent')}</h2>
        ${silence(model, locale)}
      </section>
      ${model.alarms.length === 0 ? nothing : alarms(model, locale)}
    </div>`
}

function clock({ datedUntil: until }: OverviewModel, locale: Locale): Html {
  return until === null
    ? nothing
    : html`<div class="section-last">
        ${notice('bad', locale.t('log.clockAhead', { until: locale.instant(until) }))}
      </div>`
}

/** Of all contracts, shown or not; null: nobody can say. */
function headlinesOf({ contracts, hidden }: OverviewModel): (string | null)[] {
  return [...contracts.map(({ verdict }) => verdict?.headline ?? null), ...hidden]
}

/** Whether all that it promises has been put to the test at least once. */
function isDue({ verdict }: OverviewRow): boolean {
  return (
    verdict?.headline === 'compliant' &&
    DIMENSIONS.every((dimension) => ['compliant', 'not-applicable'].includes(verdict.dimensions[dimension]))
  )
}

function rank(row: OverviewRow): number {
  return rankOf(row.verdict?.headline ?? 'unknown')
}

function figures(model: OverviewModel, locale: Locale): Html {
  const { t } = locale
  const headlines = headlinesOf(model)
  const tile = (state: (typeof TOLD)[number] | 'silent', label: string, value: number) => ({
    label: html`<span class="${LOOKS[state].tone}">${symbol(LOOKS[state].shape)}</span>${label}`,
    value: locale.number(value),
    zero: value === 0,
  })
  return tiles([
    ...TOLD.map((state) =>
      tile(state, t(`state.${state}`), headlines.filter((one) => (one ?? 'unknown') === state).length),
    ),
    tile('silent', t('overview.silent'), model.silent.length),
  ])
}

function columns(now: Date, locale: Locale): Column<OverviewRow>[] {
  const { t } = locale
  return [
    {
      head: t('overview.customer'),
      cell: (row) =>
        html`<a href="${contractHref(row.id)}">${row.customer}</a> <span class="under">${row.id}</span>`,
    },
    {
      head: t('overview.headline'),
      cell: ({ verdict }) =>
        verdict === null
          ? html`<span class="muted">${t('overview.notEvaluated')}</span>`
          : badge(verdict.headline, t(`state.${verdict.headline}`)),
    },
    ...DIMENSIONS.map((dimension) => ({
      head: t(`dimension.${dimension}.name`),
      cell: ({ verdict }: OverviewRow) => {
        if (verdict === null) return null
        const state = verdict.dimensions[dimension]
        return word(state, t(`state.${state}`))
      },
    })),
    {
      head: t('overview.next'),
      cell: ({ verdict }) =>
        verdict === null || verdict.nextDeadline === null ? null : locale.relative(verdict.nextDeadline, now),
    },
  ]
}

function deadlines(model: OverviewModel, locale: Locale): Html {
  if (model.deadlines.length === 0)
    return html`<p class="muted small">${locale.t('overview.noDeadlines')}</p>`
  return html`<ul class="list">
    ${model.deadlines.map(
      ({ at, contractId, customer, set }) =>
        html`<li>
          <span
            ><a href="${contractHref(contractId)}#set-${set}">${customer}</a>
            <span class="under">${contractId} · ${set}</span></span
          >
          <span class="num"
            >${locale.relative(at, model.now)} <span class="under">${locale.instant(at)}</span></span
          >
        </li>`,
    )}
  </ul>`
}

function silence(model: OverviewModel, locale: Locale): Html {
  const { t } = locale
  if (model.silent.length === 0) {
    return html`<p class="muted small">
      ${
        model.agents === 0
          ? t('overview.noAgents')
          : t(model.datedUntil === null ? 'overview.noSilent' : 'overview.silentUnknown')
      }
    </p>`
  }
  return html`<ul class="list">
    ${model.silent.map(
      ({ customer, id, host, lastReceivedAt }) =>
        html`<li>
          <span><a href="${agentHref(id)}">${id}</a> <span class="under">${customer} · ${host}</span></span>
          <span class="dark"
            >${
              lastReceivedAt === null
                ? t('overview.neverHeard')
                : t('overview.lastHeard', { when: locale.relative(lastReceivedAt, model.now) })
            }</span
          >
        </li>`,
    )}
  </ul>`
}

function alarms(model: OverviewModel, locale: Locale): Html {
  return html`<section class="panel" aria-labelledby="alarms">
    <h2 id="alarms">${locale.t('agent.alarms')}</h2>
    <ul class="list">
      ${model.alarms.map((alarm) => {
        const { agent, at, digest } = alarm
        const href =
          digest === null ? (agent === null ? '/evidence' : agentHref(agent)) : evidenceHref(digest)
        return html`<li>
          <span
            ><a href="${href}">${nameAlarm(alarm, locale)}</a> <span class="under">${agent ?? ''}</span></span
          >
          <span>${locale.relative(at, model.now)} <span class="under">${locale.instant(at)}</span></span>
        </li>`
      })}
    </ul>
  </section>`
}
