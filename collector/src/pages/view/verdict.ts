import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Dimension, Verdict } from '@bevis/shared/contract/answer'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { word } from '../design/state.ts'
import type { Locale } from '../language/locale.ts'

/** A set's six sides: what each is called, how it stands, and what that means in plain words. */
export function dimensionGrid(dimensions: Record<Dimension, Verdict>, { t }: Locale): Html {
  return html`<div class="dimensions">
    ${DIMENSIONS.map((dimension) => {
      const verdict = dimensions[dimension]
      return html`<div class="dimension">
        <h3>${t(`dimension.${dimension}.name`)} ${word(verdict, t(`state.${verdict}`))}</h3>
        <p>${t(`dimension.${dimension}.${verdict}`)}</p>
      </div>`
    })}
  </div>`
}
