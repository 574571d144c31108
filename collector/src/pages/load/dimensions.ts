import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Answer, Dimension, SetAnswer, Verdict } from '@bevis/shared/contract/answer'
import { shownOf } from '@bevis/shared/contract/shown'
import type { Shown } from '@bevis/shared/contract/shown'
import { rankOf } from '../design/state.ts'
import type { Said, SaidState } from '../view/verdict.ts'

/** What was ever shown of a set, and when its first restore test is due. */
export interface Seen extends Shown {
  /** A local date; null: not known here. */
  readonly firstDue: string | null
}

/** By the evaluation that gave the answer. */
export function seenOf(set: SetAnswer, firstDue: string | null): Seen {
  return { ...shownOf(set), firstDue }
}

/**
 * How each dimension of a set is told. "Compliant" is a verdict on what is owed by now; where nothing is owed,
 * or nothing was ever seen, that is said instead of what nobody has shown.
 */
export function sayDimensions(
  set: SetAnswer,
  findings: Answer['findings'],
  seen: Seen,
): Record<Dimension, Said> {
  const kept = set.counts.met + set.counts.discharged + set.counts.stale + set.counts.lost
  const owed = kept + set.counts.missed + set.counts.late + set.counts.unknown
  const none: SaidState = owed === 0 ? 'not-owed' : 'not-kept'
  const isHoldBroken = findings.some(({ code, set: of }) => code === 'hold-broken' && of === set.id)
  const isRefuted = findings.some(({ code, set: of }) => code === 'refuted' && of === set.id)

  const instead: Record<Dimension, () => Said | null> = {
    points: () => {
      if (kept > 0) return isRefuted ? { state: 'compliant', text: 'pointsRefuted' } : null
      return { state: 'not-owed', text: isRefuted ? 'pointsNoneRefuted' : 'pointsNone' }
    },
    retention: () =>
      kept > 0 ? null : { state: none, text: owed === 0 ? 'retentionNone' : 'retentionUnseen' },
    ceiling: () => (set.snapshots?.length === 0 ? { state: none, text: 'ceilingNone' } : null),
    proof: () => {
      if (seen.passed) return null
      if (seen.firstDue === null) return { state: 'not-due', text: 'proofNoDate' }
      return {
        state: 'not-due',
        text: seen.tested ? 'proofNonePassed' : 'proofNone',
        date: seen.firstDue,
      }
    },
    copies: () => (kept > 0 ? null : { state: none, text: 'copiesNone' }),
    evidence: () => (seen.listed ? null : { state: 'not-due', text: 'evidenceNone' }),
  }
  return byDimension((dimension) => {
    const state = set.dimensions[dimension]
    if (dimension === 'ceiling' && state === 'breached' && isHoldBroken) return { state, text: 'ceilingHeld' }
    if (dimension === 'evidence' && state !== 'compliant' && !seen.listed)
      return { state, text: 'evidenceNever' }
    return (state === 'compliant' ? instead[dimension]() : null) ?? { state, text: null }
  })
}

/** Each dimension over all sets: the worst; a set in which nothing is owed stands behind one that is judged. */
export function worstOf(sets: readonly Record<Dimension, Said>[]): Record<Dimension, SaidState> {
  return byDimension((dimension) =>
    sets
      .map((said) => said[dimension].state)
      .reduce<SaidState>((a, b) => (rank(b) < rank(a) ? b : a), 'not-applicable'),
  )
}

/** The whole: "compliant" only where some side of it was shown to be. */
export function sayHeadline(headline: Verdict, said: readonly Record<Dimension, Said>[]): SaidState {
  const isShown = said.some((set) => Object.values(set).some(({ state }) => state === 'compliant'))
  return headline === 'compliant' && !isShown ? 'not-owed' : headline
}

function rank(state: SaidState): number {
  if (state === 'not-owed' || state === 'not-kept' || state === 'not-due') return rankOf('compliant') + 0.5
  return rankOf(state)
}

function byDimension<T>(of: (dimension: Dimension) => T): Record<Dimension, T> {
  return Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, of(dimension)])) as Record<Dimension, T>
}
