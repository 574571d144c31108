import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Tone } from './state.ts'
import { symbol } from './symbol.ts'
import type { Shape } from './symbol.ts'

export type Content = Html | string | number

/** A digest or key: its beginning is seen, one click selects all of it, focus and paper show it whole. */
export function hash(digest: string): Html {
  return html`<code class="hash" tabindex="0">${digest}</code>`
}

/** A digest inside a link, where it cannot be selected. */
export function shortHash(digest: string): Html {
  return html`<code>${digest.slice(0, 12)}</code>`
}

/** A key-value list. */
export function facts(pairs: readonly (readonly [string, Content] | null)[]): Html {
  const rows = pairs.filter((pair) => pair !== null)
  return html`<dl class="facts">
    ${rows.map(
      ([term, value]) =>
        html`<div>
          <dt>${term}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

const NOTICE_SHAPES: Record<Tone, Shape> = {
  good: 'check',
  risk: 'triangle',
  bad: 'square',
  dark: 'diamond',
  none: 'info',
}

export function notice(tone: Tone, text: Content): Html {
  return html`<div class="notice ${tone}">
    ${symbol(NOTICE_SHAPES[tone])}
    <div>${text}</div>
  </div>`
}

/** What a page says when it has nothing to show: why, and what to do next, if it takes a command, with it. */
export function empty(title: string, next: string, command?: string): Html {
  return html`<div class="empty">
    ${symbol('tray')}
    <h3>${title}</h3>
    <p>${next}</p>
    ${command === undefined ? nothing : html`<pre>${command}</pre>`}
  </div>`
}

export interface Tile {
  label: Content
  value: Content
  note?: Content
  zero?: boolean
}

/** A few large figures. */
export function tiles(items: readonly Tile[]): Html {
  return html`<dl class="tiles">
    ${items.map(
      ({ label, value, note, zero }) =>
        html`<div class="tile${zero === true ? ' zero' : ''}">
          <dt>${label}</dt>
          <dd>${value}${note === undefined ? nothing : html`<small>${note}</small>`}</dd>
        </div>`,
    )}
  </dl>`
}

export interface Step {
  text: string
  href: string
}

/** The way back up. The page itself is not in it: it is the heading below. */
export function crumbs(label: string, steps: readonly Step[]): Html {
  return html`<nav class="crumbs" aria-label="${label}">
    <ol>
      ${steps.map(({ text, href }) => html`<li><a href="${href}">${text}</a></li>`)}
    </ol>
  </nav>`
}
