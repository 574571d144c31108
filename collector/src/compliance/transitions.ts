import type { Answer, ObligationAnswer, SetAnswer } from '@bevis/shared/contract/answer'

/**
 * What is kept of a judgement: enough to tell what changes after it, and to see whether a clean one says the same. Of
 * obligations only those that are live, or ended otherwise than kept: the others grow for ever, and their number is
 * among the counts.
 */
export interface Kept extends Pick<Answer, 'version' | 'at' | 'headline' | 'findings'> {
  readonly sets: readonly KeptSet[]
}

type KeptSet = Pick<SetAnswer, 'id' | 'headline' | 'dimensions' | 'counts' | 'rate' | 'nextDeadline'> & {
  readonly obligations: readonly ObligationAnswer[]
}

/** @param unsettled by set, where the judgement tells them; else they are looked for among all */
export function keptOf(answer: Answer, unsettled?: ReadonlyMap<string, readonly ObligationAnswer[]>): Kept {
  const { version, at, headline, findings } = answer
  return {
    ...{ version, at, headline, findings },
    sets: answer.sets.map((set) => {
      const { id, dimensions, counts, rate, nextDeadline } = set
      const obligations = unsettled?.get(id) ?? set.obligations.filter((one) => isUnsettled(one, at))
      return {
        ...{ id, headline: set.headline, dimensions, counts, rate, obligations },
        ...(nextDeadline !== undefined && { nextDeadline }),
      }
    }),
  }
}

function isUnsettled({ keepUntil, state }: ObligationAnswer, at: string): boolean {
  return keepUntil === null || keepUntil > at || (state !== 'discharged' && state !== 'excused')
}

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
 * @param answer the whole of the second, for what is settled by now
 */
export function changesBetween(before: Kept | null, after: Kept, answer: Answer): Change[] {
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
    if (before === null || earlier === undefined) continue
    const states = new Map(earlier.obligations.map((one) => [nameOf(one), one.state]))
    for (const one of set.obligations) {
      const subject = nameOf(one)
      const wasOver = one.keepUntil !== null && one.keepUntil <= before.at
      const from = states.get(subject) ?? (wasOver ? 'discharged' : null)
      states.delete(subject)
      if (QUIET.has(one.state) && (from === null || QUIET.has(from))) continue
      tell(set.id, subject, from, one.state)
    }
    const trouble = [...states].filter(([, state]) => !QUIET.has(state))
    if (trouble.length === 0) continue
    const all = answer.sets.find(({ id }) => id === set.id)?.obligations ?? []
    const settled = new Map(all.map((one) => [nameOf(one), one.state]))
    for (const [subject, from] of trouble) tell(set.id, subject, from, settled.get(subject) ?? from)
  }
  return changes
}

function nameOf({ tier, bucket }: ObligationAnswer): string {
  return `${tier}/${bucket}`
}
