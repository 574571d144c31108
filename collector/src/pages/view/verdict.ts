import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Dimension, Verdict } from '@bevis/shared/contract/answer'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { word } from '../design/state.ts'
import type { en } from '../language/en.ts'
import type { Locale } from '../language/locale.ts'

/** A verdict, or what is said instead of "compliant" where nothing has shown that yet. */
export type SaidState = Verdict | 'not-owed' | 'not-kept' | 'not-due'

export interface Said {
  readonly state: SaidState
  /** Null: the verdict's own words. */
  readonly text: keyof typeof en.said | null
  /** A local date that the text names. */
  readonly date?: string
}

/** A set's six sides: what each is called, how it stands, and what that means in plain words. */
export function dimensionGrid(dimensions: Record<Dimension, Said>, locale: Locale): Html {
  const { t } = locale
  return html`<div class="dimensions">
    ${DIMENSIONS.map((dimension) => {
      const said = dimensions[dimension]
      return html`<div class="dimension">
        <h3>${t(`dimension.${dimension}.name`)} ${word(said.state, t(`state.${said.state}`))}</h3>
        <p>${sentenceOf(dimension, said, locale)}</p>
      </div>`
    })}
  </div>`
}

export function sentenceOf(dimension: Dimension, { state, text, date }: Said, locale: Locale): string {
  const { t } = locale
  if (text !== null) return t(`said.${text}`, { date: date === undefined ? '' : locale.day(date) })
  // What is said instead has words of its own.
  return state === 'not-owed' || state === 'not-kept' || state === 'not-due'
    ? ''
    : t(`dimension.${dimension}.${state}`)
}
