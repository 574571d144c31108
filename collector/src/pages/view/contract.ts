import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Dimension, FindingAnswer } from '@bevis/shared/contract/answer'
import type { Clause } from '@bevis/shared/evidence/clause'
import { empty, notice } from '../design/element.ts'
import { badge, isState, word } from '../design/state.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { parseTier, nameBucket } from '../design/bucket.ts'
import { agentHref, contractHref, packHref } from './address.ts'
import { alarmNotice } from './alarm.ts'
import type { Alarm } from './alarm.ts'
import { contractTabs } from './contract-tabs.ts'
import type { SetModel } from './contract-set.ts'
import { setView } from './contract-set.ts'
import { findingList } from './finding.ts'
import { heading } from './page.ts'
import type { SaidState } from './verdict.ts'

export interface Change {
  set: string | null
  /** `headline`, a dimension, or `<tier>/<bucket>`. */
  subject: string
  from: string | null
  to: string
  at: string
  /** How many of the same tier changed alike at the same time, beside it. */
  others: number
}

export interface ContractModel {
  id: string
  customer: string
  provider: string
  now: Date
  /** Null: there is nothing to judge, and `problem` says why if anyone knows. */
  verdict: {
    headline: SaidState
    version: number | null
    at: string
    sets: SetModel[]
    findings: FindingAnswer[]
  } | null
  problem: string | null
  /** The local date of its first version, where that is still to come. */
  begins: string | null
  /** A local date: the verdict is as known at its end. */
  knownOn: string | null
  /** A month, `2025-03`: the calendar ends there. */
  until: string | null
  changes: Change[]
  /** Damage in its repositories that stands; no verdict tells of it. */
  damage: Alarm[]
  agents: { tenant: string; id: string; host: string; lastReceivedAt: string | null }[]
  csrf: string
  /** What a pack may be asked to mark. */
  clauses: readonly Clause[]
  /** Local dates that the form for the pack proposes; `to` is today. */
  period: { from: string; to: string }
}

export function contractView(model: ContractModel, locale: Locale): Html {
  const { t } = locale
  const { verdict } = model
  const way = contractTabs(model.id, 'verdict', locale)
  if (verdict === null) {
    return html`${way} ${heading({ title: model.customer, note: t('contract.kicker', { id: model.id }) })}
      ${model.problem === null ? nothing : notice('bad', t('contract.invalid', { message: model.problem }))}
      <div class="panel">${empty(t('contract.emptyTitle'), t('contract.emptyNext'))}</div>`
  }
  const view = {
    contract: model.id,
    now: model.now,
    thisMonth: model.period.to.slice(0, 7),
    ...(model.knownOn === null ? {} : { knownOn: model.knownOn }),
    ...(model.until === null ? {} : { until: model.until }),
  }
  return html`${way}
    ${heading({
      title: model.customer,
      lead: t('contract.of', { id: model.id, version: verdict.version ?? '–', provider: model.provider }),
      note: html`${t('contract.asOf', { at: locale.instant(verdict.at) })}`,
      aside: badge(verdict.headline, t(`state.${verdict.headline}`), 'large'),
    })}
    ${model.knownOn === null ? nothing : known(model.id, model.knownOn, locale)}
    ${model.begins === null ? nothing : notice('none', t('contract.begins', { day: locale.day(model.begins) }))}
    ${model.damage.map((alarm) => alarmNotice(alarm, locale))} ${findingList(verdict.findings, view, locale)}
    ${verdict.sets.map((set) => setView(set, view, locale))}
    <div class="columns section">
      <section class="panel" aria-labelledby="changes">
        <h2 id="changes">${t('contract.transitions')}</h2>
        ${changes(model.changes, locale)}
      </section>
      <div>${aside(model, locale)}</div>
    </div>`
}

function known(id: string, day: string, locale: Locale): Html {
  const { t } = locale
  return notice(
    'none',
    html`<p>
      ${t('contract.knownAs', { day: locale.day(day) })}
      <a href="${contractHref(id)}">${t('contract.knownToday')}</a>
    </p>`,
  )
}

function changes(list: readonly Change[], locale: Locale): Html {
  const { t } = locale
  if (list.length === 0) return html`<p class="muted small">${t('contract.noTransitions')}</p>`
  return html`<ul class="list">
    ${list.map(
      (change) =>
        html`<li>
          <span
            >${subjectOf(change.subject, locale)}
            <span class="under"
              >${change.set ?? ''}${change.others === 0 ? nothing : html` · ${t('contract.alsoChanged', { count: change.others })}`}</span
            ></span
          >
          <span class="num"
            >${stateWord(change.to, locale)}<span class="under">${locale.instant(change.at)}</span></span
          >
        </li>`,
    )}
  </ul>`
}

function stateWord(state: string, { t }: Locale): Html {
  return isState(state) ? word(state, t(`state.${state}`)) : html`<span>${state}</span>`
}

function subjectOf(subject: string, locale: Locale): string {
  const { t } = locale
  if (subject === 'headline') return t('contract.thisContract')
  const dimension = DIMENSIONS.find((one): one is Dimension => one === subject)
  if (dimension !== undefined) return t(`dimension.${dimension}.name`)
  const [tierName = '', bucket = ''] = subject.split('/')
  const tier = parseTier(tierName)
  return tier === null ? subject : nameBucket(tier.per, bucket, locale)
}

function aside(model: ContractModel, locale: Locale): Html {
  const { t } = locale
  return html`<section class="panel no-print" aria-labelledby="pack">
      <h2 id="pack">${t('contract.pack')}</h2>
      <p class="small muted">${t(model.agents.length === 0 ? 'contract.packNone' : 'contract.packLead')}</p>
      ${model.agents.length === 0 ? nothing : packForm(model, locale)}
    </section>
    <section class="panel no-print" aria-labelledby="known">
      <h2 id="known">${t('contract.asKnownOn')}</h2>
      <p class="small muted">${t('contract.asKnownHint')}</p>
      <form class="fields" method="get" action="${contractHref(model.id)}">
        ${dateField('known', t('contract.day'), model.knownOn ?? model.period.to, model.period.to)}
        <button class="quiet" type="submit">${t('contract.show')}</button>
      </form>
    </section>
    ${
      model.agents.length === 0
        ? nothing
        : html`<section class="panel" aria-labelledby="agents">
            <h2 id="agents">${t('contract.agents')}</h2>
            <ul class="list">
              ${model.agents.map(
                ({ id, host, lastReceivedAt }) =>
                  html`<li>
                    <span><a href="${agentHref(id)}">${id}</a> <span class="under">${host}</span></span>
                    <span
                      >${lastReceivedAt === null ? t('agent.never') : locale.relative(lastReceivedAt, model.now)}</span
                    >
                  </li>`,
              )}
            </ul>
          </section>`
    }`
}

function packForm(model: ContractModel, locale: Locale): Html {
  const { t } = locale
  const { from, to } = model.period
  return html`<form class="fields" method="post" action="${packHref(model.id)}">
    <input type="hidden" name="_csrf" value="${model.csrf}" />
    ${dateField('from', t('contract.from'), from, to)} ${dateField('to', t('contract.to'), to, to)}
    ${clauseFields(model.clauses, locale)}
    <button type="submit">${t('contract.download')}</button>
  </form>`
}

/** Closed at first: most packs are asked for by period alone. */
function clauseFields(clauses: readonly Clause[], { t, language }: Locale): Html {
  return html`<details class="clauses">
    <summary>${t('contract.clauses')}</summary>
    <p class="small muted">${t('contract.clausesHint')}</p>
    ${clauses.map(
      ({ id, name }) =>
        html`<label class="check small"
          ><input type="checkbox" name="clauses" value="${id}" /> ${name[language]}</label
        >`,
    )}
  </details>`
}

function dateField(name: string, label: string, value: string, max: string): Html {
  return html`<div class="field">
    <label for="field-${name}">${label}</label>
    <input id="field-${name}" name="${name}" type="date" value="${value}" max="${max}" required />
  </div>`
}
