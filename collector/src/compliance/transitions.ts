import type { Answer } from '@bevis/shared/contract/answer'

/** One state of a contract, by name. */
export interface Change {
  readonly setId: string | null
  /** `headline`, a dimension, or `<tier>/<bucket>`. */
  readonly subject: string
  readonly from: string | null
  readonly to: string
}

/** States that come with the clock and mean nothing yet: a point that is not due, or not needed any more. */
const QUIET = new Set(['pending', 'met', 'excused', 'discharged'])

/**
 * What changed between two evaluations. The first one tells its verdicts only: what its obligations had become
 * before anybody looked did not happen now.
 */
export function changesBetween(before: Answer | null, after: Answer): Change[] {
  const changes: Change[] = []
  const tell = (setId: string | null, subject: string, from: string | null, to: string): void => {
    if (from !== to) changes.push({ setId, subject, from, to })
  }
  tell(null, 'headline', before?.headline ?? null, after.headline)
  for (const set of after.sets) {
    const earlier = before?.sets.find(({ id }) => id === set.id)
    for (const [dimension, verdict] of Object.entries(set.dimensions)) {
      tell(set.id, dimension, earlier?.dimensions[dimension as keyof typeof set.dimensions] ?? null, verdict)
    }
    if (earlier === undefined) continue
    const states = new Map(earlier.obligations.map((one) => [`${one.tier}/${one.bucket}`, one.state]))
    for (const { tier, bucket, state } of set.obligations) {
      const subject = `${tier}/${bucket}`
      const from = states.get(subject) ?? null
      if (QUIET.has(state) && (from === null || QUIET.has(from))) continue
      tell(set.id, subject, from, state)
    }
  }
  return changes
}
