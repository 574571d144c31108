import type { RequestRow } from '../../store/read/requests.ts'
import { empty, hash, notice } from '../design/element.ts'
import { word } from '../design/state.ts'
import { table } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { evidenceHref } from './address.ts'
import { contractTabHref, contractTabs } from './contract-tabs.ts'
import { heading } from './page.ts'

export interface RequestsModel {
  id: string
  customer: string
  /** Sets of the version in force, and a path that each must contain. */
  sets: { id: string; example: string }[]
  requests: readonly RequestRow[]
  /** False: the account may only read. */
  mayAsk: boolean
  csrf: string
  /** What was asked for and cannot be, and why. */
  refused?: { problem: Refusal; set: string; path: string; snapshot?: string | undefined }
}

export type Refusal = 'notBackedUp' | 'notAPath' | 'tooMany'

export function requestsView(model: RequestsModel, locale: Locale): Html {
  const { t } = locale
  const { id, requests, mayAsk } = model
  return html`${contractTabs(id, 'requests', locale)}
    ${heading({ title: t('requests.title'), lead: t('requests.lead'), note: model.customer })}
    ${mayAsk ? askForm(model, locale) : html`<p class="muted">${t('requests.mayNot')}</p>`}
    <section class="panel flush section">
      ${
        requests.length === 0
          ? empty(t('requests.none'), t('requests.noneNext'))
          : table({
              caption: t('requests.caption'),
              rows: requests,
              columns: [
                { head: t('requests.path'), cell: ({ path }) => html`<span class="path">${path}</span>` },
                { head: t('requests.set'), cell: ({ set }) => set },
                {
                  head: t('requests.snapshot'),
                  cell: ({ snapshot }) => (snapshot === null ? null : hash(snapshot)),
                },
                {
                  head: t('requests.at'),
                  cell: ({ askedAt, askedBy }) =>
                    html`${locale.instant(askedAt)}<span class="under">${askedBy}</span>`,
                },
                { head: t('requests.outcome'), cell: (row) => outcome(row, locale) },
              ],
            })
      }
    </section>`
}

function outcome({ answer }: RequestRow, locale: Locale): Html {
  const { t } = locale
  if (answer === null) return word('pending', t('requests.waiting'))
  const said =
    answer.outcome === 'refused'
      ? word('alarm', t('requests.refused'))
      : word(answer.outcome, t(`state.${answer.outcome}`))
  return html`<a href="${evidenceHref(answer.statement)}">${said}</a
    >${answer.detail === null ? nothing : html`<span class="under">${answer.detail}</span>`}`
}

function askForm({ id, sets, csrf, refused }: RequestsModel, { t }: Locale): Html {
  const example = sets[0]?.example ?? '/srv/data/report.pdf'
  return html`<section class="panel no-print">
    ${
      refused === undefined
        ? nothing
        : html`<div class="section-last" role="alert">
            ${notice('bad', t(`requests.problem.${refused.problem}`, { example }))}
          </div>`
    }
    <form class="fields hinted" method="post" action="${contractTabHref(id, 'requests')}">
      <input type="hidden" name="_csrf" value="${csrf}" />
      <div class="field">
        <label for="set">${t('requests.set')}</label>
        <select id="set" name="set" required>
          ${sets.map((set) => html`<option value="${set.id}" ${set.id === refused?.set ? html` selected` : nothing}>${set.id}</option>`)}
        </select>
      </div>
      <div class="field grow">
        <label for="path">${t('requests.path')}</label>
        <input
          id="path"
          name="path"
          required
          maxlength="4096"
          value="${refused?.path ?? ''}"
          aria-describedby="path-hint"
        />
        <p class="small muted" id="path-hint">${t('requests.pathHint', { example })}</p>
      </div>
      <div class="field grow">
        <label for="snapshot">${t('requests.snapshot')}</label>
        <input
          id="snapshot"
          name="snapshot"
          maxlength="64"
          pattern="[0-9a-f]{64}"
          value="${refused?.snapshot ?? ''}"
          aria-describedby="snapshot-hint"
        />
        <p class="small muted" id="snapshot-hint">${t('requests.snapshotHint')}</p>
      </div>
      <button type="submit">${t('requests.ask')}</button>
    </form>
  </section>`
}
