import { html } from '../html.ts'
import type { Html } from '../html.ts'
import { symbol } from './symbol.ts'
import type { Shape } from './symbol.ts'

/** How loud something is; also the class that colours it. `none` has no colour. */
export type Tone = 'good' | 'risk' | 'bad' | 'dark' | 'none'

export interface Look {
  tone: Tone
  /** One that a state has to itself. */
  shape: Exclude<Shape, 'info' | 'key' | 'tray'>
}

const good: Look = { tone: 'good', shape: 'check' }
const risk: Look = { tone: 'risk', shape: 'triangle' }
const bad: Look = { tone: 'bad', shape: 'square' }
const dark: Look = { tone: 'dark', shape: 'diamond' }
const none: Look = { tone: 'none', shape: 'dash' }
const waiting: Look = { tone: 'none', shape: 'ring' }

/** Every state that a page tells, with its colour and its shape; its word is `state.<name>` in the catalogue. */
export const LOOKS = {
  compliant: good,
  'at-risk': risk,
  breached: bad,
  unknown: dark,
  'not-applicable': none,
  met: good,
  discharged: { tone: 'good', shape: 'dot' },
  stale: risk,
  late: risk,
  missed: bad,
  lost: bad,
  pending: waiting,
  excused: none,
  PASSED: good,
  FAILED: bad,
  INCONCLUSIVE: dark,
  passed: good,
  failed: bad,
  inconclusive: dark,
  complete: good,
  partial: risk,
  incomplete: dark,
  refused: good,
  allowed: bad,
  silent: dark,
  heard: good,
  quiet: risk,
  never: dark,
  'not-owed': waiting,
  'not-kept': waiting,
  'not-due': waiting,
  revoked: none,
  retired: none,
  recorded: { tone: 'none', shape: 'dot' },
  alarm: risk,
} as const satisfies Record<string, Look>

export type State = keyof typeof LOOKS

export function isState(text: string): text is State {
  return Object.hasOwn(LOOKS, text)
}

/** Worst first, as a person wants to see it: what is broken, what nobody knows, what may break. */
const ORDER = ['breached', 'unknown', 'at-risk', 'compliant', 'not-applicable']

export function rankOf(verdict: string): number {
  const rank = ORDER.indexOf(verdict)
  return rank === -1 ? ORDER.length : rank
}

/** Shape and word on a coloured ground: for the state that a page or a row is about. */
export function badge(state: State, word: string, size: 'normal' | 'large' = 'normal'): Html {
  const { tone, shape } = LOOKS[state]
  return html`<span class="badge ${tone}${size === 'large' ? ' large' : ''}"
    >${symbol(shape)}<span>${word}</span></span
  >`
}

/** Shape and word without a ground: for the many states of a table. */
export function word(state: State, text: string): Html {
  const { tone, shape } = LOOKS[state]
  return html`<span class="word ${tone}">${symbol(shape)}<span>${text}</span></span>`
}
