import { crumbs } from '../design/element.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { contractHref } from './address.ts'

const TABS = [
  ['verdict', ''],
  ['promises', '/promises'],
  ['requests', '/requests'],
  ['whatIf', '/what-if'],
  ['review', '/review'],
  ['reports', '/reports'],
] as const

export type ContractTab = (typeof TABS)[number][0]

export function contractTabHref(contract: string, tab: ContractTab): string {
  return contractHref(contract) + (TABS.find(([name]) => name === tab)?.[1] ?? '')
}

/** The way back up, and the pages of one contract beside each other. */
export function contractTabs(contract: string, current: ContractTab, { t }: Locale): Html {
  return html`${crumbs(t('nav.crumbs'), [{ text: t('nav.overview'), href: '/' }])}
    <nav class="tabs no-print" aria-label="${t('tabs.label')}">
      <ul>
        ${TABS.map(
          ([name, path]) =>
            html`<li>
              <a
                href="${contractHref(contract)}${path}"
                ${name === current ? html` aria-current="page"` : nothing}
                >${t(`tabs.${name}`)}</a
              >
            </li>`,
        )}
      </ul>
    </nav>`
}
