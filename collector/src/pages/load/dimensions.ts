import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Dimension, SetAnswer, Verdict } from '@bevis/shared/contract/answer'
import { rankOf } from '../design/state.ts'

/** Each dimension over all sets: the worst. */
export function worstOf(sets: readonly Pick<SetAnswer, 'dimensions'>[]): Record<Dimension, Verdict> {
  const worst = (dimension: Dimension): Verdict =>
    sets
      .map(({ dimensions }) => dimensions[dimension])
      .reduce<Verdict>((a, b) => (rankOf(b) < rankOf(a) ? b : a), 'not-applicable')
  return Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, worst(dimension)])) as Record<
    Dimension,
    Verdict
  >
}
