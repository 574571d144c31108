/** What a verdict rests on, beside the answer's own format: whether anything was shown yet, or only nothing is due. */
import type { Answer, SetAnswer } from './answer.ts'

/** Of one set, at the answer's instant and from what it knows. */
export interface Shown {
  /** Whether a restore test of it has ended, whatever it came to. */
  readonly tested: boolean
  /** Whether a test has passed that proves it, by the terms in force. */
  readonly passed: boolean
  /** Whether a complete inventory of its own repository has come that counts. */
  readonly listed: boolean
}

const NOTHING: Shown = { tested: false, passed: false, listed: false }

const known = new WeakMap<SetAnswer, Shown>()

/** Told by who evaluates. */
export function show(set: SetAnswer, shown: Shown): void {
  known.set(set, shown)
}

/** Of an answer that this process has evaluated, or of {@link copyAnswer}'s: of any other nothing is known. */
export function shownOf(set: SetAnswer): Shown {
  return known.get(set) ?? NOTHING
}

/**
 * An answer makes its lists when they are asked for, and keeps all that they are made from. A copy has the lists and
 * keeps nothing else; what was shown of each set goes along.
 */
export function copyAnswer(answer: Answer): Answer {
  const copy = JSON.parse(JSON.stringify(answer)) as Answer
  for (const [place, set] of copy.sets.entries()) {
    const original = answer.sets[place]
    if (original !== undefined) show(set, shownOf(original))
  }
  return copy
}
