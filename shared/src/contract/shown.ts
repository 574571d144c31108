/** What a verdict rests on, beside the answer's own format: whether anything was shown yet, or only nothing is due. */
import type { SetAnswer } from './answer.ts'

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

/** Of an answer that this process has evaluated, and of no copy of it: of any other nothing is known. */
export function shownOf(set: SetAnswer): Shown {
  return known.get(set) ?? NOTHING
}
