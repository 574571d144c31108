/** The look of our PDFs: the pages' light scheme, on A4. Sizes in points. */

export const PAGE = { width: 595.28, height: 841.89 } as const
export const MARGIN = { left: 52, right: 52, top: 68, bottom: 62 } as const
export const CONTENT = {
  width: PAGE.width - MARGIN.left - MARGIN.right,
  bottom: PAGE.height - MARGIN.bottom,
} as const

export const INK = {
  text: '#1b2127',
  quiet: '#535a61',
  line: '#d9d4ca',
  accent: '#27458f',
  sunk: '#f5f3ee',
  bar: '#5673c9',
} as const

export const SIZE = { under: 7.5, small: 8, table: 8.5, text: 9.5, h3: 11, h2: 14.5, h1: 22 } as const

/** How loud a state is; `none` has no colour. */
export type Tone = 'good' | 'risk' | 'bad' | 'dark' | 'none'

/** Text on paper, a quiet ground, the solid sign, and what is cut out of it. */
export const TONES: Record<Tone, { text: string; tint: string; solid: string; on: string }> = {
  good: { text: '#1c6442', tint: '#e3f0e8', solid: '#2f8a5f', on: '#ffffff' },
  risk: { text: '#815000', tint: '#fbeed3', solid: '#eaa52a', on: '#3d2600' },
  bad: { text: '#a51c2d', tint: '#fbe6e5', solid: '#bd2437', on: '#ffffff' },
  dark: { text: '#56448c', tint: '#ece8f7', solid: '#7361aa', on: '#ffffff' },
  none: { text: '#535a61', tint: '#f0eee9', solid: '#8b8a85', on: '#ffffff' },
}
