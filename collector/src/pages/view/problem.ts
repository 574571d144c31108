import { symbol } from '../design/symbol.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'

export type Problem = 'notFound' | 'forbidden' | 'limited' | 'expired' | 'invalid' | 'failed'

/**
 * What a person sees instead of a page. `reference` finds the same failure in the journal; `detail` is what was not
 * understood, in the words of the interface, which are English.
 */
export function problemView(problem: Problem, reference: string | null, detail: string, { t }: Locale): Html {
  return html`<div class="empty">
    ${symbol(problem === 'failed' ? 'triangle' : 'info')}
    <h1>${t(`problem.${problem}`)}</h1>
    <p>${t(`problem.${problem}Next`)}</p>
    ${detail === '' ? nothing : html`<p class="small muted" lang="en">${detail}</p>`}
    ${reference === null ? nothing : html`<p class="small">${t('problem.reference')}: <code>${reference}</code></p>`}
    <p><a class="button quiet" href="/">${t('problem.home')}</a></p>
  </div>`
}
