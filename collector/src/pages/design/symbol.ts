import { html } from '../html.ts'
import type { Html } from '../html.ts'

/**
 * The signs. Each state has a shape of its own, so that neither colour nor the word is needed alone.
 * All are decoration to a screen reader: the word always stands beside them.
 */
const SHAPES = {
  check: html`<circle cx="8" cy="8" r="7" /><path class="cut" d="m4.8 8.3 2.2 2.2 4.2-4.8" />`,
  triangle: html`<path d="M8 1.2 15.3 14.3H.7Z" stroke-linejoin="round" /><path
      class="cut"
      d="M8 5.8v3.9M8 11.9v.3"
    />`,
  square: html`<rect x="1" y="1" width="14" height="14" rx="2.4" /><path class="cut" d="m5 5 6 6m0-6-6 6" />`,
  diamond: html`<path d="M8 .4 15.6 8 8 15.6.4 8Z" /><path
      class="cut"
      d="M6.3 6.6c0-1 .8-1.6 1.7-1.6s1.7.6 1.7 1.5c0 1.2-1.7 1.2-1.7 2.4M8 10.9v.3"
    />`,
  dash: html`<path class="line" d="M4 8h8" />`,
  ring: html`<circle class="line" cx="8" cy="8" r="5.6" />`,
  dot: html`<circle cx="8" cy="8" r="4" />`,
  info: html`<circle class="line" cx="8" cy="8" r="6.4" /><path class="line" d="M8 7.4v3.8M8 4.9v.2" />`,
  key: html`<circle class="line" cx="5" cy="8" r="3.2" /><path class="line" d="M8.2 8H15m-2.4 0v2.6" />`,
  tray: html`<path class="line" d="M1.6 9.6h3.2l1.2 2h4l1.2-2h3.2M3.4 3.4h9.2l1.8 6.2v3.6H1.6V9.6Z" />`,
} as const

export type Shape = keyof typeof SHAPES

export function symbol(shape: Shape): Html {
  return html`<svg
    class="symbol"
    viewBox="0 0 16 16"
    width="16"
    height="16"
    fill="currentColor"
    aria-hidden="true"
    focusable="false"
  >
    ${SHAPES[shape]}
  </svg>`
}

/** Our mark: a witnessed copy: two sheets that agree, with the seal where they overlap. */
export function mark(sizePx: number): Html {
  return html`<svg
    class="mark"
    viewBox="0 0 32 32"
    width="${sizePx}"
    height="${sizePx}"
    aria-hidden="true"
    focusable="false"
  >
    <rect
      x="2.5"
      y="2.5"
      width="19"
      height="19"
      rx="5"
      fill="none"
      stroke="currentColor"
      stroke-width="2.6"
    />
    <rect x="10.5" y="10.5" width="19" height="19" rx="5" fill="currentColor" />
    <path
      d="m15.4 20.3 3.3 3.3 6-6.9"
      fill="none"
      stroke="var(--surface)"
      stroke-width="2.6"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>`
}

/** The mark as a file of its own, for the browser's tab: readable on light and on dark. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect x="2.5" y="2.5" width="19" height="19" rx="5" fill="none" stroke="#5673c9" stroke-width="2.6"/><rect x="10.5" y="10.5" width="19" height="19" rx="5" fill="#5673c9"/><path d="m15.4 20.3 3.3 3.3 6-6.9" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>`
