import { mark } from '../design/symbol.ts'
import { stylesheetPath } from '../design/stylesheet.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'

export const ICON_PATH = '/assets/mark.svg'

const SECTIONS = [
  ['overview', '/'],
  ['agents', '/agents'],
  ['evidence', '/evidence'],
  ['log', '/log'],
] as const

export type Section = (typeof SECTIONS)[number][0]

/** What every page has around its content. */
export interface Frame {
  /** Of the browser's window; the product's name follows it. */
  title: string
  section?: Section
  /** Where the reader is: to come back to after choosing another language. */
  path: string
  /** When the page was made. */
  at: Date
  /** Null: nobody is signed in. */
  reader: { email: string; csrf: string } | null
}

export function page(frame: Frame, locale: Locale, content: Html): Html {
  const { t } = locale
  return html`<!doctype html>
    <html lang="${locale.language}">
      <head>
        <meta charset="utf-8" />
        <title>${frame.title} – ${t('product')}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="stylesheet" href="${stylesheetPath}" />
        <link rel="icon" type="image/svg+xml" href="${ICON_PATH}" />
      </head>
      <body>
        <a class="skip" href="#content">${t('skip')}</a>
        ${header(frame, locale)}
        <main id="content" tabindex="-1"><div class="wrap">${content}</div></main>
        <footer class="foot">
          <div class="wrap">
            <span>${t('product')} · ${t('tagline')}</span>
            <span
              >${t('footer.asOf', { at: locale.instant(frame.at.toISOString()) })}
              ${t('footer.zone', { zone: locale.zone })}</span
            >
          </div>
        </footer>
      </body>
    </html>`
}

function header({ section, path, reader }: Frame, locale: Locale): Html {
  const { t } = locale
  const other = locale.language === 'da' ? 'en' : 'da'
  const language = html`<a
    href="/language/${other}?back=${encodeURIComponent(path)}"
    hreflang="${other}"
    lang="${other}"
    rel="nofollow"
    >${t('nav.otherLanguage')}</a
  >`
  return html`<header class="top">
    <div class="wrap">
      <a class="brand" href="/">${mark(26)}<span>${t('product')}</span></a>
      ${reader === null ? nothing : navigation(section, locale)}
      <div class="who">
        ${reader === null ? nothing : html`<span class="email">${reader.email}</span>`} ${language}
        ${
          reader === null
            ? nothing
            : html`<form method="post" action="/sign-out">
                <input type="hidden" name="_csrf" value="${reader.csrf}" />
                <button class="plain" type="submit">${t('nav.signOut')}</button>
              </form>`
        }
      </div>
    </div>
  </header>`
}

function navigation(section: Section | undefined, { t }: Locale): Html {
  return html`<nav class="nav" aria-label="${t('nav.label')}">
    <ul>
      ${SECTIONS.map(
        ([name, href]) =>
          html`<li>
            <a href="${href}" ${name === section ? html` aria-current="page"` : nothing}
              >${t(`nav.${name}`)}</a
            >
          </li>`,
      )}
    </ul>
  </nav>`
}

/** The page's heading: what it is about, in one look. */
export function heading(parts: {
  title: string
  lead?: Html | string
  aside?: Html
  note?: Html | string
}): Html {
  return html`<header class="head">
    <div>
      <h1>${parts.title}</h1>
      ${parts.lead === undefined ? nothing : html`<p class="lead">${parts.lead}</p>`}
      ${parts.note === undefined ? nothing : html`<p>${parts.note}</p>`}
    </div>
    ${parts.aside === undefined ? nothing : html`<div class="headline">${parts.aside}</div>`}
  </header>`
}
