import type { Sufficiency } from '@bevis/shared/contract/simulation/sufficiency'
import { parseTier } from '../design/bucket.ts'
import { facts } from '../design/element.ts'
import { word } from '../design/state.ts'
import { html } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { contractTabs } from './contract-tabs.ts'
import { heading } from './page.ts'

export interface ReviewModel {
  id: string
  customer: string
  sets: Sufficiency[]
}

const QUESTIONS = ['need', 'loss', 'scope', 'law', 'time', 'keys'] as const

/** Made to be printed and signed: what is measured above, what only people can answer below. */
export function reviewView({ id, customer, sets }: ReviewModel, locale: Locale): Html {
  const { t } = locale
  return html`${contractTabs(id, 'review', locale)}
    ${heading({ title: t('review.title'), lead: t('review.lead'), note: customer })}
    ${sets.map(
      (set) =>
        html`<section class="panel" aria-labelledby="set-${set.set}">
          <h2 id="set-${set.set}">${t('contract.set')}: ${set.set}</h2>
          ${figures(set, locale)}
          <h3 class="list-top">${t('review.demands')}</h3>
          ${demands(set, locale)}
        </section>`,
    )}
    <section class="panel" aria-labelledby="questions">
      <h2 id="questions">${t('review.questions')}</h2>
      <ol class="questions">
        ${QUESTIONS.map((question) => html`<li>${t(`review.question.${question}`)}</li>`)}
      </ol>
      <p class="muted">${t('review.supports')}</p>
      <dl class="sign-off">
        <dt>${t('review.answered')}</dt>
        <dd>${t('review.signature')}</dd>
      </dl>
    </section>`
}

function figures({ reach, asked, proven, recovery }: Sufficiency, locale: Locale): Html {
  const { t } = locale
  const measured =
    recovery === null
      ? ''
      : t(recovery.isFull ? 'review.recoveryFull' : 'review.recoverySample', {
          measured: locale.duration(recovery.seconds * 1000),
        })
  return facts([
    ...reach.map(({ tier, oldest }) => {
      const parsed = parseTier(tier)
      const name =
        parsed === null
          ? tier
          : t('promise.tier', {
              per: t(`per.${parsed.per}`),
              keep: t(`keep.${parsed.per}`, { count: parsed.keep }),
            })
      return [
        t('review.reach', { tier: name }),
        oldest === null ? t('review.reachNone') : locale.instant(oldest),
      ] as const
    }),
    [
      t('review.asked'),
      asked.count === 0
        ? t('review.askedNone')
        : asked.oldest === null
          ? locale.number(asked.count)
          : `${locale.number(asked.count)}; ${t('review.askedOldest', { count: asked.oldest.days, at: locale.date(asked.oldest.at) })}`,
    ],
    [
      t('review.proven'),
      proven === null
        ? t('review.provenNone')
        : t('review.provenOldest', { count: proven.days, at: locale.date(proven.at) }),
    ],
    [
      t('review.recovery'),
      recovery === null
        ? t('review.recoveryNone')
        : recovery.agreed === null
          ? t('review.recoveryOnly', { measured })
          : t('review.recoveryAgreed', {
              measured,
              agreed: locale.isoDuration(recovery.agreed),
            }),
    ],
  ])
}

function demands({ demands: all }: Sufficiency, locale: Locale): Html {
  const { t } = locale
  if (all.length === 0) return html`<p class="muted">${t('review.demandsNone')}</p>`
  return html`<ul class="list">
    ${all.map(
      ({ demand, regimes, isPromised }) =>
        html`<li>
          <span
            >${t(`review.demand.${demand}`)}
            <span class="under"
              >${locale.list(regimes.map((regime) => t(`review.regime.${regime}`)))}</span
            ></span
          >
          ${isPromised ? word('compliant', t('review.promised')) : word('at-risk', t('review.notPromised'))}
        </li>`,
    )}
  </ul>`
}
