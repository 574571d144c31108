import { crumbs, empty, facts, hash, notice } from '../design/element.ts'
import type { Content } from '../design/element.ts'
import { badge, word } from '../design/state.ts'
import type { State } from '../design/state.ts'
import { table } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { CLOCK_TOLERANCE_MS, clock, nameRun, versionsTold, waiting } from './agent-words.ts'
import type { Spool } from './agent-words.ts'
import { alarmNotice } from './alarm.ts'
import type { Alarm } from './alarm.ts'
import { agentHref, contractHref, evidenceHref } from './address.ts'
import type { EvidenceRow } from './evidence-row.ts'
import { coverage } from './coverage.ts'
import type { CoverageTold } from './coverage.ts'
import { evidenceTable } from './evidence-row.ts'
import { heading } from './page.ts'

export interface AgentSummary {
  customer: string
  id: string
  host: string
  state: 'active' | 'revoked' | 'retired'
  /** When it was last heard; `silent`: not for longer than a day. */
  contact: 'heard' | 'quiet' | 'silent' | 'never'
  /** False: its service has never told that it started. */
  serviceSeen: boolean
  lastReceivedAt: string | null
  /** The agent's clock less the collector's; null: not told. */
  clockOffsetMs: number | null
  versions: Record<string, string>
  /** As the agent told last, and nothing when that was sent since; null: not told. */
  spool: Spool | null
}

export interface AgentModel extends AgentSummary {
  now: Date
  epoch: number
  enrolledAt: string
  /** `root`: the customer's root key (vkey) that signed it, or null. */
  keys: { keyid: string; epoch: number; fromLeaf: number; revokedLeaf: number | null; root: string | null }[]
  next: { set: string; what: string; at: string }[]
  contracts: { id: string; customer: string }[]
  /** By set, as its newest test of the newest snapshot told. */
  coverage: { set: string; at: string; digest: string; told: CoverageTold }[]
  alarms: Alarm[]
  statements: EvidenceRow[]
}

const stateOf = (agent: AgentSummary): State => (agent.state === 'active' ? agent.contact : agent.state)

function stateNote(agent: AgentSummary, { t }: Locale): Html {
  if (agent.state !== 'active' || agent.serviceSeen) return nothing
  return html`<span class="under">${t('agent.notStarted')}</span>`
}

export function agentListView(agents: readonly AgentSummary[], now: Date, locale: Locale): Html {
  const { t } = locale
  if (agents.length === 0) {
    return html`${heading({ title: t('agent.title') })}
      <div class="panel">
        ${empty(t('agent.emptyTitle'), t('agent.emptyNext'), 'bevis-collector invite --contract ID --host NAME\nbevis-agent enroll TOKEN')}
      </div>`
  }
  return html`${heading({ title: t('agent.title'), lead: t('agent.lead') })}
    <div class="panel flush">
      ${table<AgentSummary>({
        caption: t('agent.title'),
        rows: agents,
        columns: [
          {
            head: t('agent.name'),
            cell: ({ id, host }) =>
              html`<a href="${agentHref(id)}">${id}</a>
                ${host === id ? nothing : html`<span class="under">${host}</span>`}`,
          },
          { head: t('agent.customer'), cell: ({ customer }) => customer },
          {
            head: t('agent.state'),
            cell: (agent) =>
              html`${word(stateOf(agent), t(`state.${stateOf(agent)}`))} ${stateNote(agent, locale)}`,
          },
          {
            head: t('agent.lastContact'),
            cell: ({ lastReceivedAt }) =>
              lastReceivedAt === null ? t('agent.never') : locale.relative(lastReceivedAt, now),
          },
          { head: t('agent.clock'), cell: ({ clockOffsetMs }) => clock(clockOffsetMs, locale) },
          { head: t('agent.spool'), cell: ({ spool }) => waiting(spool, locale) },
          { head: t('agent.versions'), cell: ({ versions }) => versionsTold(versions, locale) },
        ],
      })}
    </div>`
}

export function agentView(agent: AgentModel, locale: Locale): Html {
  const { t } = locale
  const state = stateOf(agent)
  return html`${crumbs(t('nav.crumbs'), [{ text: t('agent.title'), href: '/agents' }])}
    ${heading({
      title: agent.id,
      note: `${agent.customer} · ${agent.host}`,
      aside: badge(state, t(`state.${state}`), 'large'),
    })}
    <div class="stack">${warnings(agent, locale)}</div>
    <div class="split section-first">
      <section class="panel" aria-label="${t('agent.state')}">${agentFacts(agent, locale)}</section>
      <section class="panel" aria-labelledby="next">
        <h2 id="next">${t('agent.next')}</h2>
        ${nextRuns(agent, locale)}
      </section>
    </div>
    ${restoredSoFar(agent, locale)}
    <section class="section" aria-labelledby="statements">
      <div class="section-head">
        <h2 id="statements">${t('agent.statements')}</h2>
        <a class="small" href="/evidence?agent=${encodeURIComponent(agent.id)}">${t('evidence.title')}</a>
      </div>
      <div class="panel flush">
        ${evidenceTable({ caption: t('agent.statements'), rows: agent.statements, columns: ['set', 'outcome', 'snapshot', 'received', 'leaf'] }, locale)}
      </div>
    </section>`
}

function restoredSoFar({ coverage: sets, now }: AgentModel, locale: Locale): Html {
  const { t } = locale
  if (sets.length === 0) return nothing
  return html`<section class="section panel" aria-labelledby="coverage">
    <h2 id="coverage">${t('coverage.title')}</h2>
    ${facts(
      sets.map(({ set, at, digest, told }) => [
        set,
        html`${coverage(told, locale)}
          <span class="note"><a href="${evidenceHref(digest)}">${locale.relative(at, now)}</a></span>`,
      ]),
    )}
  </section>`
}

function warnings(agent: AgentModel, locale: Locale): Html {
  const { t } = locale
  const offset = agent.clockOffsetMs ?? 0
  return html`${
    agent.state === 'active' && agent.contact === 'silent' && agent.lastReceivedAt !== null
      ? notice('dark', t('agent.silentNotice', { at: locale.instant(agent.lastReceivedAt) }))
      : nothing
  }
  ${
    Math.abs(offset) > CLOCK_TOLERANCE_MS
      ? notice('risk', t('agent.clockNotice', { by: locale.duration(Math.abs(offset)) }))
      : nothing
  }
  ${agent.alarms.map((alarm) => alarmNotice(alarm, locale))}`
}

function agentFacts(agent: AgentModel, locale: Locale): Html {
  const { t } = locale
  const contact: Content =
    agent.lastReceivedAt === null
      ? t('agent.never')
      : html`${locale.relative(agent.lastReceivedAt, agent.now)}
          <span class="note">${locale.instant(agent.lastReceivedAt)}</span>`
  return facts([
    [
      t('agent.lastContact'),
      html`${contact}
      ${agent.state !== 'active' || agent.serviceSeen ? nothing : html`<span class="note">${t('agent.notStarted')}</span>`}`,
    ],
    [t('agent.clock'), clock(agent.clockOffsetMs, locale)],
    [t('agent.spool'), waiting(agent.spool, locale)],
    [t('agent.versions'), versionsTold(agent.versions, locale)],
    [t('agent.enrolled'), locale.instant(agent.enrolledAt)],
    [t('agent.epoch'), t('agent.epochValue', { epoch: agent.epoch })],
    [t('agent.keys'), html`${agent.keys.map((key) => keyLine(key, locale))}`],
    [
      t('agent.contracts'),
      html`${agent.contracts.map(
        ({ id, customer }) =>
          html`<div><a href="${contractHref(id)}">${customer}</a> <span class="muted">${id}</span></div>`,
      )}`,
    ],
  ])
}

function keyLine({ keyid, fromLeaf, revokedLeaf, root }: AgentModel['keys'][number], { t }: Locale): Html {
  return html`<div>
    ${hash(keyid)}
    <span class="note"
      >${revokedLeaf === null ? t('agent.keyActive') : t('agent.keyRevoked', { leaf: revokedLeaf })},
      ${t('agent.keyFrom', { leaf: fromLeaf })}</span
    >
    ${root === null ? nothing : html`<span class="note">${t('agent.keyRoot', { name: root.split('+')[0] ?? '' })}</span>`}
  </div>`
}

function nextRuns({ next, now }: AgentModel, locale: Locale): Html {
  const { t } = locale
  if (next.length === 0) return html`<p class="muted small">${t('agent.nextNone')}</p>`
  return html`<ul class="list">
    ${next.map(({ set, what, at }) => {
      return html`<li>
        <span>${nameRun(what, locale)} <span class="under">${set}</span></span>
        <span class="num">${locale.relative(at, now)} <span class="under">${locale.instant(at)}</span></span>
      </li>`
    })}
  </ul>`
}
