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
  readonly #over: { state: ObligationState; latestEnd: number }[] = []
  readonly #answers: ObligationAnswer[] = []
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
      this.#answers.pop()
      if (last !== undefined) this.#count(last.state, -1)
    }
  }

  /** Those that are open; what is newly over is judged for the last time. */
  judge(at: number, settle: (obligation: Obligation) => void, isChanging: boolean): Owed[] {
    const before = this.obligations.length
    this.obligations.push(...this.course.extend(at))
    const open: Owed[] = []
    for (let place = this.#over.length; place < this.obligations.length; place++) {
      const obligation = this.obligations[place]
      if (obligation === undefined) break
      if (isChanging || place >= before) settle(obligation)
      const judgement = judge(obligation, this.#history, this.#excused, at)
      const owed = { obligation, judgement, history: this.#history }
      if (obligation.keepUntil > at || open.length > 0) open.push(owed)
      else {
        const latestEnd = Math.max(this.#latestEnd, obligation.keepUntil)
        this.#over.push({ state: judgement.state, latestEnd })
        this.#answers.push(formatObligation(owed))
        this.#count(judgement.state, 1)
      }
    }
    return open
  }

  /** The answers about those that are over. */
  get answers(): readonly ObligationAnswer[] {
    return this.#answers
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
