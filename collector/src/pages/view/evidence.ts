import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import type { ProvenBounds } from '@bevis/shared/time/bounds'
import type { Statement } from '@bevis/shared/evidence/statement'
import { crumbs, empty, facts, hash, notice } from '../design/element.ts'
import { badge } from '../design/state.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import { en } from '../language/en.ts'
import type { Locale } from '../language/locale.ts'
import { agentHref, evidenceHref } from './address.ts'
import { CLOCK_TOLERANCE_MS, clockText } from './agent-words.ts'
import { evidenceTable, kindOf } from './evidence-row.ts'
import type { EvidenceRow } from './evidence-row.ts'
import { heading } from './page.ts'
import { tell } from './statement/tell.ts'

export interface EvidenceListModel {
  rows: EvidenceRow[]
  /** What the list is narrowed to. */
  filter: { kind?: string; agent?: string }
  /** Pass it on to see what is older; null: that was all. */
  before: number | null
  /** False: the newest are shown. */
  paged: boolean
}

const KINDS = Object.keys(en.kind) as (keyof typeof en.kind)[]

export function evidenceListView(model: EvidenceListModel, locale: Locale): Html {
  const { t } = locale
  const { filter, rows } = model
  const href = (changes: Record<string, string | null>) => {
    const query = new URLSearchParams(filter)
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) query.delete(key)
      else query.set(key, value)
    }
    const text = query.toString()
    return text === '' ? '/evidence' : `/evidence?${text}`
  }
  const choice = (kind: string | null, text: string) =>
    html`<a href="${href({ kind })}" ${(filter.kind ?? null) === kind ? html` aria-current="true"` : nothing}
      >${text}</a
    >`
  const bare = filter.kind === undefined && filter.agent === undefined

  return html`${heading({ title: t('evidence.title'), lead: t('evidence.lead') })}
    <nav class="chips" aria-label="${t('evidence.what')}">
      ${choice(null, t('evidence.all'))} ${KINDS.map((kind) => choice(kind, t(`kind.${kind}`)))}
    </nav>
    <div class="panel flush list-top">
      ${
        rows.length === 0
          ? bare
            ? empty(t('evidence.emptyTitle'), t('evidence.emptyNext'))
            : empty(t('evidence.noMatch'), t('evidence.noMatchNext'))
          : evidenceTable(
              {
                caption: t('evidence.caption'),
                rows,
                columns: ['agent', 'set', 'outcome', 'snapshot', 'received', 'leaf'],
              },
              locale,
            )
      }
    </div>
    <nav class="pager" aria-label="${t('evidence.caption')}">
      <span>${model.paged ? html`<a href="${href({})}">← ${t('evidence.newest')}</a>` : nothing}</span>
      <span
        >${model.before === null ? nothing : html`<a rel="next" href="${href({ before: String(model.before) })}">${t('evidence.older')} →</a>`}</span
      >
    </nav>`
}

/** What a check of a statement against the log gave, as the page was made. */
export interface ProofModel {
  /** Null: signature, inclusion and checkpoint all held. */
  problem: string | null
  checkpoint: { size: number; root: string; note: string; signedAt: string } | null
}

export interface EvidenceModel {
  row: EvidenceRow
  statement: Statement
  /** The payload, indented. */
  json: string
  keyid: string
  /** Null: a contract event, which stands in no chain. */
  chain: { epoch: number; seq: number; prev: string } | null
  /** False: it contradicts another one of the same agent. */
  counted: boolean
  proof: ProofModel
  /** The clock's offset that the agent had told of last before it; null: none. */
  clock: { offsetMs: number; toldAt: string } | null
  /** By outside clocks. */
  bounds: ProvenBounds
  /** How far ahead of its receipt it is dated. */
  aheadMs: number
}

export function evidenceView(model: EvidenceModel, locale: Locale): Html {
  const { t } = locale
  const { row } = model
  const told = tell(model.statement, locale)
  return html`${crumbs(t('nav.crumbs'), [
      { text: t('evidence.title'), href: '/evidence' },
      ...(row.agent === null ? [] : [{ text: row.agent, href: agentHref(row.agent) }]),
    ])}
    ${heading({
      title: t('evidence.from', { kind: kindOf(row.kind, locale), agent: row.agent ?? t('evidence.office') }),
      ...(told.lead === null ? {} : { lead: told.lead }),
      note: [row.set, locale.instant(row.statedAt)].filter((part) => part !== null).join(' · '),
      ...(told.state === null ? {} : { aside: badge(told.state, t(`state.${told.state}`), 'large') }),
    })}
    ${model.counted ? nothing : html`<div class="section-last">${notice('bad', t('evidence.notCounted'))}</div>`}
    ${clockNotices(model, locale)}
    <div class="split">
      <div>
        ${told.body}
        <section class="panel">
          <details>
            <summary>${t('evidence.raw')}</summary>
            <pre tabindex="0">${model.json}</pre>
          </details>
        </section>
      </div>
      <section class="panel proof" aria-labelledby="proof">
        <h2 id="proof">${t('proof.title')}</h2>
        ${proof(model, locale)}
      </section>
    </div>`
}

function clockNotices({ clock: told, aheadMs }: EvidenceModel, locale: Locale): Html {
  const { t } = locale
  const notices = [
    aheadMs > CLOCK_TOLERANCE_MS
      ? notice('bad', t('evidence.datedAhead', { by: locale.duration(aheadMs) }))
      : null,
    told !== null && Math.abs(told.offsetMs) > CLOCK_TOLERANCE_MS
      ? notice(
          'risk',
          t('evidence.clockNotice', {
            by: locale.duration(Math.abs(told.offsetMs)),
            at: locale.instant(told.toldAt),
          }),
        )
      : null,
  ].filter((one) => one !== null)
  return html`${notices.map((one) => html`<div class="section-last">${one}</div>`)}`
}

/** The proven instants, nearest first; null where no stamp tells of any. */
function boundsText({ madeAfter, loggedAfter, before }: ProvenBounds, locale: Locale): [string, Html] | null {
  const { t } = locale
  const said = [
    madeAfter === null ? null : t('proof.boundsMade', { at: locale.instant(madeAfter) }),
    loggedAfter === null || loggedAfter === madeAfter
      ? null
      : t('proof.boundsLogged', { at: locale.instant(loggedAfter) }),
    before === null ? null : t('proof.boundsBefore', { at: locale.instant(before) }),
  ].filter((one) => one !== null)
  if (said.length === 0) return null
  return [t('proof.bounds'), html`${said.join(', ')} <span class="note">${t('proof.boundsNote')}</span>`]
}

function proof(model: EvidenceModel, locale: Locale): Html {
  const { t } = locale
  const { row, chain } = model
  const { problem, checkpoint } = model.proof
  const address = evidenceHref(row.digest)
  return html`${problem === null ? notice('good', t('proof.good')) : notice('bad', t('proof.bad', { message: problem }))}
    ${facts([
      [
        t('proof.leaf'),
        checkpoint === null
          ? locale.number(row.leaf)
          : t('proof.leafValue', { leaf: locale.number(row.leaf), size: locale.number(checkpoint.size) }),
      ],
      [t('proof.digest'), html`${hash(row.digest)} <span class="note">${t('proof.digestNote')}</span>`],
      [
        t('proof.key'),
        html`${hash(model.keyid)}
          <span class="note">${t(row.agent === null ? 'proof.officeKeyNote' : 'proof.keyNote')}</span>`,
      ],
      chain === null
        ? null
        : [t('evidence.chain'), t('evidence.chainValue', { seq: chain.seq, epoch: chain.epoch })],
      chain === null || chain.prev === ZERO_DIGEST
        ? null
        : [
            t('evidence.follows'),
            html`<a href="${evidenceHref(chain.prev)}"><code>${chain.prev.slice(0, 12)}</code></a>`,
          ],
      [
        t('proof.received'),
        html`${locale.instant(row.receivedAt)} <span class="note">${t('proof.receivedNote')}</span>`,
      ],
      boundsText(model.bounds, locale),
      model.clock === null
        ? null
        : [
            t('agent.clock'),
            html`${clockText(model.clock.offsetMs, locale)}
              <span class="note">${t('agent.toldAt', { at: locale.instant(model.clock.toldAt) })}</span>`,
          ],
      checkpoint === null
        ? null
        : [
            t('proof.checkpoint'),
            t('proof.checkpointValue', {
              size: locale.number(checkpoint.size),
              at: locale.instant(checkpoint.signedAt),
            }),
          ],
      checkpoint === null ? null : [t('proof.root'), hash(checkpoint.root)],
    ])}
    <p class="downloads no-print">
      <a class="button quiet" href="${address}/envelope.json" download>${t('proof.envelope')}</a>
      <a class="button quiet" href="${address}/proof.tlog-proof" download>${t('proof.tlog')}</a>
    </p>
    ${
      checkpoint === null
        ? nothing
        : html`<details>
              <summary>${t('proof.note')}</summary>
              <pre tabindex="0">${checkpoint.note}</pre>
            </details>
            <p class="small muted">${t('proof.hint')}</p>`
    }`
}
