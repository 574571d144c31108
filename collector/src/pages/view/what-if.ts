import type { StorageEstimate } from '@bevis/shared/contract/simulation/growth'
import type { ForgetOutcome, WrongDeletion } from '@bevis/shared/contract/simulation/wrong-deletion'
import { nameBucket, parseTier } from '../design/bucket.ts'
import { facts, notice } from '../design/element.ts'
import { table } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { contractTabHref, contractTabs } from './contract-tabs.ts'
import { heading } from './page.ts'

export interface WhatIfModel {
  id: string
  customer: string
  zone: string
  /** As it was written; empty: nothing was asked. */
  policy: string
  /** Null: nothing was asked. A text: why it cannot be played through. */
  forget: ForgetOutcome[] | string | null
  storage: (StorageEstimate & { tiers: { per: string; keep: number; name: string; proposed: number }[] })[]
}

export function whatIfView(model: WhatIfModel, locale: Locale): Html {
  const { t } = locale
  return html`${contractTabs(model.id, 'whatIf', locale)}
  ${heading({ title: t('whatIf.title'), lead: t('whatIf.lead'), note: model.customer })}
  ${forgetPart(model, locale)} ${storagePart(model, locale)}`
}

function forgetPart({ id, zone, policy, forget }: WhatIfModel, locale: Locale): Html {
  const { t } = locale
  return html`<section class="panel" aria-labelledby="forget">
    <h2 id="forget">${t('whatIf.forget')}</h2>
    <p class="muted">${t('whatIf.forgetLead', { zone })}</p>
    <form class="fields" method="get" action="${contractTabHref(id, 'whatIf')}">
      <div class="field grow">
        <label for="policy">${t('whatIf.policy')}</label>
        <input
          id="policy"
          name="policy"
          class="mono"
          required
          maxlength="1000"
          value="${policy === '' ? '--keep-daily 30 --keep-monthly 12' : policy}"
        />
      </div>
      <button type="submit">${t('whatIf.play')}</button>
    </form>
    <div class="outcomes">
      ${
        forget === null
          ? nothing
          : typeof forget === 'string'
            ? notice('bad', forget)
            : forget.map((outcome) => outcomeView(outcome, locale))
      }
    </div>
  </section>`
}

function outcomeView({ set, snapshots, removed, first }: ForgetOutcome, locale: Locale): Html {
  const { t } = locale
  const counts = { removed: locale.number(removed), snapshots: locale.number(snapshots) }
  if (snapshots === 0) return notice('dark', t('whatIf.nothing', { set }))
  if (first === null) return notice('good', t('whatIf.right', { set, ...counts }))
  return notice(
    'bad',
    html`<p><strong>${t('whatIf.wrong', { set, at: locale.instant(first.at) })}</strong></p>
      <p>${whyWrong(first, locale)}</p>
      <p class="muted">${t('whatIf.wrongMore', counts)}</p>`,
  )
}

function whyWrong({ start, tier, bucket, keepUntil, authority }: WrongDeletion, locale: Locale): string {
  const { t } = locale
  const told = locale.instant(start)
  if (authority !== undefined) return t('whatIf.wrongHold', { start: told, authority })
  const parsed = parseTier(tier ?? '')
  return t('whatIf.wrongTier', {
    start: told,
    bucket: parsed === null ? (bucket ?? '') : nameBucket(parsed.per, bucket ?? '', locale),
    tier: parsed === null ? (tier ?? '') : tierText(parsed, locale),
    until: typeof keepUntil === 'string' ? locale.instant(keepUntil) : t('whatIf.untilNewer'),
  })
}

function tierText({ per, keep }: { per: keyof typeof PER; keep: number }, { t }: Locale): string {
  return t('promise.tier', { per: t(`per.${per}`), keep: t(`keep.${per}`, { count: keep }) })
}

const PER = { hour: 1, day: 1, week: 1, month: 1, year: 1, fiscalYear: 1 } as const

function storagePart({ id, policy, storage }: WhatIfModel, locale: Locale): Html {
  const { t } = locale
  const rows = storage.flatMap(({ set, tiers, changes }) =>
    tiers.map((tier) => ({ set, tier, change: changes.find((one) => one.tier === tier.name) })),
  )
  return html`<section class="panel section" aria-labelledby="storage">
    <h2 id="storage">${t('whatIf.storage')}</h2>
    <p class="muted">${t('whatIf.storageLead')}</p>
    <form class="fields" method="get" action="${contractTabHref(id, 'whatIf')}">
      ${policy === '' ? nothing : html`<input type="hidden" name="policy" value="${policy}" />`}
      ${rows.map(({ set, tier }) => {
        const name = `keep:${set}:${tier.name}`
        const parsed = parseTier(tier.name)
        return html`<div class="field">
          <label for="${name}"
            >${t('whatIf.keep', { set, tier: parsed === null ? tier.name : t(`calendar.title.${parsed.per}`) })}</label
          >
          <input
            id="${name}"
            name="${name}"
            type="number"
            min="1"
            max="100000"
            required
            value="${tier.proposed}"
          />
        </div>`
      })}
      <button type="submit">${t('whatIf.estimate')}</button>
    </form>
    ${storage.map(({ set, growth }) =>
      facts([
        [t('contract.set'), set],
        [
          t('whatIf.growth'),
          growth.perDay === null
            ? t('whatIf.growthFew', { days: growth.days })
            : t('whatIf.growthOf', {
                p50: locale.bytes(growth.perDay.p50),
                p90: locale.bytes(growth.perDay.p90),
              }),
        ],
        [
          t('whatIf.stored'),
          growth.storedBytes === null ? t('whatIf.storedUnknown') : locale.bytes(growth.storedBytes),
        ],
      ]),
    )}
    <div class="panel flush list-top">
      ${table({
        caption: t('whatIf.caption'),
        rows,
        columns: [
          { head: t('whatIf.column.set'), cell: ({ set }) => set },
          {
            head: t('whatIf.column.tier'),
            cell: ({ tier }) => {
              const parsed = parseTier(tier.name)
              return parsed === null ? tier.name : tierText(parsed, locale)
            },
          },
          {
            head: t('whatIf.column.change'),
            num: true,
            cell: ({ change }) =>
              change === undefined
                ? t('whatIf.same')
                : `${change.units > 0 ? '+' : '−'}${locale.number(Math.abs(change.units))}`,
          },
          {
            head: t('whatIf.column.storage'),
            num: true,
            cell: ({ change }) => costOf(change, locale),
          },
        ],
      })}
    </div>
  </section>`
}

function costOf(change: StorageEstimate['changes'][number] | undefined, locale: Locale): string | null {
  const { t } = locale
  if (change === undefined) return null
  if (change.bytes === null) return t('whatIf.unknown')
  const { p50, p90 } = change.bytes
  return change.units > 0
    ? t('whatIf.more', { p50: locale.bytes(p50), p90: locale.bytes(p90) })
    : t('whatIf.less', { p50: locale.bytes(-p50) })
}
