/** What an evaluation answers. Instants are RFC 3339 UTC with milliseconds. */

export type Verdict = 'compliant' | 'at-risk' | 'breached' | 'unknown' | 'not-applicable'

export const DIMENSIONS = ['points', 'retention', 'ceiling', 'proof', 'copies', 'evidence'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export const COUNTED_STATES = [
  'pending',
  'late',
  'met',
  'stale',
  'missed',
  'lost',
  'unknown',
  'excused',
  'discharged',
] as const
export type ObligationState = (typeof COUNTED_STATES)[number]

export type CeilingState = 'within' | 'purge-due' | 'over-retained' | 'held' | 'purged'

export interface ObligationAnswer {
  /** `<per>x<keep>`, under the terms that hold for it now. */
  tier: string
  /** The bucket's local start: `2025-03-05`, `2025-W10`, `2025-03`, `2025`, `2025-03-05T22+01:00`. */
  bucket: string
  from: string
  to: string
  due: string
  /** Null while a tier of generations has not seen enough later ones. */
  keepUntil: string | null
  state: ObligationState
  /**
   * The snapshot it stands on, by the ID under which the newest complete inventory lists it; what is lost, by
   * the ID that its run reported.
   */
  witness?: string
  /** From when this state holds. */
  since?: string
}

export interface SnapshotAnswer {
  id: string
  ceiling: CeilingState
}

export interface SetAnswer {
  id: string
  headline: Verdict
  dimensions: Record<Dimension, Verdict>
  /** Obligations that are still live, by state; `discharged` counts past ones. */
  counts: Record<ObligationState, number>
  /** (met + discharged) / (met + discharged + missed + lost), live and past; null while nothing is settled. */
  rate: number | null
  /** The next instant at which something falls due or a verdict turns worse by itself. */
  nextDeadline?: string
  /** By tier and bucket; past ones stay. */
  obligations: ObligationAnswer[]
  /** Where a ceiling or a hold is promised. */
  snapshots?: SnapshotAnswer[]
}

export interface FindingAnswer {
  /** The state found (`missed`, `over-retained`…), or what is wrong with the evidence (`future-dated`…). */
  code: string
  set: string
  at: string
  detail: Record<string, string | number>
  /** The statements it stands on: SHA-256 of each PAE. */
  evidence: string[]
}

/** An obligation that is judged otherwise now than it was with what had been received by `at`. */
export interface CorrectionAnswer {
  set: string
  tier: string
  bucket: string
  at: string
  was: ObligationState
  is: ObligationState
  /** The newest receipt of evidence that the correction stands on. */
  receivedAt: string
}

export interface Answer {
  contract: string
  /** The version in force at `at`; null before the first. */
  version: number | null
  at: string
  /** Null: everything that was given counts as known. */
  knownAt: string | null
  headline: Verdict
  sets: SetAnswer[]
  findings: FindingAnswer[]
  corrections: CorrectionAnswer[]
}
