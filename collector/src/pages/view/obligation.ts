import type { ObligationAnswer } from '@bevis/shared/contract/answer'
import { nameBucket } from '../design/bucket.ts'
import type { TierName } from '../design/bucket.ts'
import { crumbs, empty, facts, hash } from '../design/element.ts'
import { badge, word } from '../design/state.ts'
import { table } from '../design/table.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { contractHref, obligationHref } from './address.ts'
import { evidenceTable } from './evidence-row.ts'
import type { EvidenceRow } from './evidence-row.ts'
import { heading } from './page.ts'

/** Where an obligation, or a list of them, belongs. */
export interface TierPlace {
  contract: string
  customer: string
  set: string
  tier: TierName
  knownOn?: string
}

export interface ObligationModel extends TierPlace {
  obligation: ObligationAnswer
  previous: string | null
  next: string | null
  /** What was stated on the witness; without one, what arrived in the bucket's time. */
  evidence: EvidenceRow[]
}

export function obligationView(model: ObligationModel, locale: Locale): Html {
  const { t } = locale
  const { obligation, tier } = model
  const title = nameBucket(tier.per, obligation.bucket, locale)
  return html`${way(model, locale)}
    ${heading({
      title: title.charAt(0).toLocaleUpperCase(locale.language) + title.slice(1),
      lead: t(`obligation.lead.${obligation.state}`),
      aside: badge(obligation.state, t(`state.${obligation.state}`), 'large'),
    })}
    <div class="panel">${obligationFacts(model, locale)}</div>
    <section class="section" aria-labelledby="evidence">
      <h2 id="evidence">
        ${obligation.witness === undefined ? t('obligation.nearby') : t('obligation.evidence')}
      </h2>
      <div class="panel flush">
        ${
          model.evidence.length === 0
            ? empty(t('obligation.evidenceNone'), t('obligation.lead.unknown'))
            : evidenceTable(
                {
                  caption: t('obligation.evidence'),
                  rows: model.evidence,
                  columns: ['agent', 'outcome', 'received', 'leaf'],
                },
                locale,
              )
        }
      </div>
    </section>
    ${neighbours(model, locale)}`
}

function obligationFacts({ obligation, tier, set }: ObligationModel, locale: Locale): Html {
  const { t } = locale
  return facts([
    [t('contract.set'), set],
    [
      t('obligation.promised'),
      t('promise.tier', { per: t(`per.${tier.per}`), keep: t(`keep.${tier.per}`, { count: tier.keep }) }),
    ],
    [t('obligation.period'), `${locale.instant(obligation.from)} – ${locale.instant(obligation.to)}`],
    [t('obligation.due'), locale.instant(obligation.due)],
    [
      t('obligation.keepUntil'),
      obligation.keepUntil === null ? t('obligation.open') : locale.instant(obligation.keepUntil),
    ],
    [
      t('obligation.witness'),
      obligation.witness === undefined ? t('obligation.noWitness') : hash(obligation.witness),
    ],
    obligation.since === undefined ? null : [t('obligation.since'), locale.instant(obligation.since)],
  ])
}

function neighbours({ contract, set, tier, previous, next, knownOn }: ObligationModel, locale: Locale): Html {
  const link = (bucket: string) => ({
    href: obligationHref(contract, set, tier.name, bucket, knownOn),
    text: nameBucket(tier.per, bucket, locale),
  })
  const before = previous === null ? null : link(previous)
  const after = next === null ? null : link(next)
  return html`<nav class="pager" aria-label="${locale.t('contract.calendar')}">
    <span>${before === null ? nothing : html`<a rel="prev" href="${before.href}">← ${before.text}</a>`}</span>
    <span>${after === null ? nothing : html`<a rel="next" href="${after.href}">${after.text} →</a>`}</span>
  </nav>`
}

export interface PeriodModel extends TierPlace {
  /** `2025`, `2025-03` or `2025-03-05`. */
  period: string
  obligations: ObligationAnswer[]
}

/** The obligations of a tier in one period, as a list: what the heat map shows, in words. */
export function periodView(model: PeriodModel, locale: Locale): Html {
  const { t } = locale
  const { tier, set } = model
  return html`${way(model, locale)}
    ${heading({
      title: t('obligation.list', { period: namePeriod(model.period, locale) }),
      lead: t('obligation.listLead', { tier: t(`calendar.title.${tier.per}`), set }),
    })}
    <div class="panel flush">
      ${
        model.obligations.length === 0
          ? empty(t('calendar.none'), t('calendar.hint'))
          : table<ObligationAnswer>({
              caption: t('contract.calendar'),
              rows: model.obligations,
              columns: [
                {
                  head: t('obligation.period'),
                  cell: ({ bucket }) =>
                    html`<a href="${obligationHref(model.contract, set, tier.name, bucket, model.knownOn)}"
                      >${nameBucket(tier.per, bucket, locale)}</a
                    >`,
                },
                { head: t('obligation.state'), cell: ({ state }) => word(state, t(`state.${state}`)) },
                { head: t('obligation.due'), cell: ({ due }) => locale.instant(due) },
                {
                  head: t('obligation.keepUntil'),
                  cell: ({ keepUntil }) =>
                    keepUntil === null ? t('obligation.open') : locale.instant(keepUntil),
                },
                {
                  head: t('obligation.witness'),
                  cell: ({ witness }) => (witness === undefined ? null : hash(witness)),
                },
              ],
            })
      }
    </div>`
}

function namePeriod(period: string, locale: Locale): string {
  if (period.length === 4) return period
  return period.length === 7 ? locale.month(period) : locale.day(period)
}

function way({ contract, customer, set, knownOn }: TierPlace, { t }: Locale): Html {
  const query = knownOn === undefined ? '' : `?known=${encodeURIComponent(knownOn)}`
  return crumbs(t('nav.crumbs'), [
    { text: t('nav.overview'), href: '/' },
    { text: customer, href: `${contractHref(contract)}${query}` },
    { text: set, href: `${contractHref(contract)}${query}#set-${set}` },
  ])
}
