import type { ObligationAnswer, ObligationState } from './answer.ts'
import type { Owed } from './copies.ts'
import type { Excused } from './exclusion.ts'
import type { History } from './history.ts'
import type { Course, Obligation } from './obligation.ts'
import { judge } from './state.ts'
import { formatInstant } from './verdict.ts'

/** Of those that are over, how many came to what. */
export type Tally = Map<ObligationState, number>

/**
 * One course's obligations as they are judged again and again. What is over was judged at its end, from what had
 * happened by then: it stays as it was judged until something comes that happened before.
 */
export class Owing {
  readonly course: Course
  readonly obligations: Obligation[] = []
  readonly #history: History
  readonly #excused: readonly Excused[]
  /** The first ones, all of which are over. */
  readonly #over: { answer: ObligationAnswer; state: ObligationState; latestEnd: number }[] = []
  readonly #tally: Tally

  constructor(course: Course, history: History, excused: readonly Excused[], tally: Tally) {
    this.course = course
    this.#history = history
    this.#excused = excused
    this.#tally = tally
  }

  get #latestEnd(): number {
    return this.#over.at(-1)?.latestEnd ?? -Infinity
  }

  /** What comes from then on may tell otherwise of those that ended then or later. */
  reopen(since: number): void {
    while (this.#latestEnd >= since) {
      const last = this.#over.pop()
      if (last !== undefined) this.#count(last.state, -1)
    }
  }

  /** Those that are not settled, and of those that are newly over, their last judgement. */
  judge(
    at: number,
    settle: (obligation: Obligation) => void,
    isChanging: boolean,
  ): { open: Owed[]; ended: Owed[] } {
    const coming = this.course.extend(at)
    this.obligations.push(...coming)
    const isNew = new Set(coming)
    const open: Owed[] = []
    const ended: Owed[] = []
    for (const obligation of this.obligations.slice(this.#over.length)) {
      if (isChanging || isNew.has(obligation)) settle(obligation)
      const judgement = judge(obligation, this.#history, this.#excused, at)
      const owed = { obligation, judgement, history: this.#history }
      if (obligation.keepUntil > at || open.length > 0) open.push(owed)
      else {
        this.#over.push({
          answer: formatObligation(owed),
          state: judgement.state,
          latestEnd: Math.max(this.#latestEnd, obligation.keepUntil),
        })
        this.#count(judgement.state, 1)
        ended.push(owed)
      }
    }
    return { open, ended }
  }

  /** The answers about those that are over. */
  answers(): ObligationAnswer[] {
    return this.#over.map(({ answer }) => answer)
  }

  #count(state: ObligationState, change: number): void {
    this.#tally.set(state, (this.#tally.get(state) ?? 0) + change)
  }
}

export function formatObligation({ obligation, judgement }: Owed): ObligationAnswer {
  const { tier, line, bucket, due, keepUntil } = obligation
  const { state, since, row, candidate } = judgement
  // What is only there, and does not satisfy, is no witness.
  const witness = row === 7 ? undefined : (judgement.witness ?? candidate?.point.snapshot.id)
  return {
    tier,
    bucket: line.buckets.label(bucket),
    from: formatInstant(bucket.from),
    to: formatInstant(bucket.to),
    due: formatInstant(due),
    keepUntil: keepUntil === Infinity ? null : formatInstant(keepUntil),
    state,
    ...(witness !== undefined && { witness }),
    ...(since !== undefined && { since: formatInstant(since) }),
  }
}
