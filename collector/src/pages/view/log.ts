import { empty, hash, notice, tiles } from '../design/element.ts'
import { table } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { heading } from './page.ts'

export interface LogModel {
  now: Date
  origin: string
  vkey: string
  statements: number
  /** What comes is dated like this, for the collector's clock was ahead; null: dates are right. */
  datedUntil: string | null
  /** Newest first. */
  stamps: { leaf: number; size: number; at: string; authority: string }[]
  /** Clocks that were asked and do not answer. */
  silent: { url: string; since: string; reason: string }[]
  /** Newest first; roots in base64. */
  checkpoints: { size: number; root: string; signedAt: string; note: string }[]
}

export function logView(model: LogModel, locale: Locale): Html {
  const { t } = locale
  const [newest] = model.checkpoints
  return html`${heading({ title: t('log.title'), lead: t('log.lead') })}
    ${
      model.datedUntil === null
        ? nothing
        : html`<div class="section-last">
            ${notice('bad', t('log.clockAhead', { until: locale.instant(model.datedUntil) }))}
          </div>`
    }
    ${tiles([
      { label: t('log.size'), value: locale.number(newest?.size ?? 0) },
      { label: t('log.statements'), value: locale.number(model.statements) },
      {
        label: t('log.signed'),
        value: html`<span class="text"
          >${newest === undefined ? '–' : locale.relative(newest.signedAt, model.now)}</span
        >`,
      },
    ])}
    <div class="columns section">
      <section class="panel" aria-labelledby="vkey">
        <h2 id="vkey">${t('log.vkey')}</h2>
        <p class="small muted">${t('log.vkeyHint')}</p>
        <pre tabindex="0">${model.vkey}</pre>
      </section>
      <section class="panel" aria-labelledby="latest">
        <h2 id="latest">${t('log.latest')}</h2>
        <pre tabindex="0">${newest?.note ?? '–'}</pre>
      </section>
    </div>
    <section class="section" aria-labelledby="stamps">
      <h2 id="stamps">${t('log.stamps')}</h2>
      ${model.silent.map(
        ({ url, since, reason }) =>
          html`<div class="section-last">
            ${notice('bad', t('log.tsaDown', { url, since: locale.instant(since), reason }))}
          </div>`,
      )}
      ${
        model.stamps.length === 0
          ? html`<p class="small muted">${t('log.tsaNone')}</p>`
          : html`<div class="panel flush">
              ${table<LogModel['stamps'][number]>({
                caption: t('log.stampsCaption'),
                rows: model.stamps,
                columns: [
                  { head: t('log.stamped'), cell: ({ at }) => locale.instant(at) },
                  { head: t('log.size'), cell: ({ size }) => locale.number(size), num: true },
                  { head: t('log.token'), cell: ({ leaf }) => locale.number(leaf), num: true },
                  { head: t('log.authority'), cell: ({ authority }) => authority },
                ],
              })}
            </div>`
      }
    </section>
    <section class="section" aria-labelledby="checkpoints">
      <h2 id="checkpoints">${t('log.checkpoints')}</h2>
      <div class="panel flush">
        ${
          model.checkpoints.length === 0
            ? empty(t('log.emptyTitle'), t('log.emptyNext'))
            : table<LogModel['checkpoints'][number]>({
                caption: t('log.caption'),
                rows: model.checkpoints,
                columns: [
                  { head: t('log.signed'), cell: ({ signedAt }) => locale.instant(signedAt) },
                  { head: t('log.size'), cell: ({ size }) => locale.number(size), num: true },
                  { head: t('log.root'), cell: ({ root }) => hash(root) },
                ],
              })
        }
      </div>
    </section>`
}
