import type { ObligationAnswer, ObligationState } from './answer.ts'
import type { Owed } from './copies.ts'
import type { Excused } from './exclusion.ts'
import type { History } from './history.ts'
import type { Listed } from './lineage.ts'
import type { Course, Obligation } from './obligation.ts'
import { Series } from './series.ts'
import type { Judgement } from './state.ts'
import { judge, renew } from './state.ts'
import { formatInstant } from './verdict.ts'

/** Of those that are over, how many came to what. */
export type Tally = Map<ObligationState, number>

/** What was said of an obligation last. */
interface Told {
  judgement: Judgement
  tier: string
  keepUntil: number
  answer: ObligationAnswer
}

/** One course's obligations at an instant. */
export interface Standing {
  /** Live, or kept from being settled by one that is. */
  open: readonly Owed[]
  /** All answers, past ones included, put together when they are asked for. */
  answers: () => ObligationAnswer[]
  /** Those that are live, or ended otherwise than kept. */
  unsettled: ObligationAnswer[]
}

/**
 * One course's obligations as they are judged again and again. What is over was judged at its end, from what had
 * happened by then: it stays as it was judged until something comes that happened before. What is kept stays so
 * while its witness is listed and nothing comes that touches its bucket.
 */
export class Owing {
  readonly course: Course
  readonly obligations: Obligation[] = []
  readonly history: History
  readonly #excused: readonly Excused[]
  /** The first ones, all of which are over. */
  readonly #over: { state: ObligationState; latestEnd: number }[] = []
  readonly #answers = new Series<ObligationAnswer>()
  /** Those that ended otherwise than kept, by their place. */
  readonly #broken = new Map<number, ObligationAnswer>()
  readonly #tally: Tally
  #told = new Map<Obligation, Told>()
  /** The starts of what has come since they were judged. */
  #touched: number[] = []

  constructor(course: Course, history: History, excused: readonly Excused[], tally: Tally) {
    this.course = course
    this.history = history
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
      this.#broken.delete(this.#over.length)
      if (last !== undefined) this.#count(last.state, -1)
    }
  }

  /** What started then is judged anew. */
  touch(starts: readonly number[]): void {
    for (const start of starts) this.#touched.push(start)
  }

  /** Those that are open; what is newly over is judged for the last time. */
  judge(at: number, settle: (obligation: Obligation) => void, isChanging: boolean): Standing {
    const before = this.obligations.length
    this.obligations.push(...this.course.extend(at))
    const told = new Map<Obligation, Told>()
    const newest = this.history.lineage.newest(at)
    const open: Owed[] = []
    const answers: ObligationAnswer[] = []
    const unsettled = [...this.#broken.values()]
    for (let place = this.#over.length; place < this.obligations.length; place++) {
      const obligation = this.obligations[place]
      if (obligation === undefined) break
      if (isChanging || place >= before) settle(obligation)
      const judgement = this.#judge(obligation, newest, at)
      const answer = this.#answer(obligation, judgement)
      if (isUnsettled(answer, obligation, at)) unsettled.push(answer)
      if (obligation.keepUntil > at || open.length > 0) {
        open.push({ obligation, judgement, history: this.history })
        answers.push(answer)
        const { tier, keepUntil } = obligation
        told.set(obligation, { judgement, tier, keepUntil, answer })
      } else this.#settle(obligation, answer)
    }
    this.#told = told
    this.#touched = []
    const over = this.#answers.keep()
    return { open, unsettled, answers: () => over().concat(answers) }
  }

  #judge(obligation: Obligation, newest: Listed | undefined, at: number): Judgement {
    const before = this.#told.get(obligation)?.judgement
    const renewed =
      before === undefined || at >= obligation.keepUntil || this.#isTouched(obligation)
        ? undefined
        : renew(before, obligation, this.history, newest, at)
    return renewed ?? judge(obligation, this.history, this.#excused, at)
  }

  #isTouched({ line, bucket }: Obligation): boolean {
    if (this.#touched.length === 0) return false
    const { from, to } = line.windowOf(bucket)
    return this.#touched.some((start) => start >= from && start < to)
  }

  /** The same answer as last time, where it says the same. */
  #answer(obligation: Obligation, judgement: Judgement): ObligationAnswer {
    const before = this.#told.get(obligation)
    const isSame =
      before !== undefined &&
      before.tier === obligation.tier &&
      before.keepUntil === obligation.keepUntil &&
      saysTheSame(before.judgement, judgement)
    return isSame ? before.answer : formatObligation(obligation, judgement)
  }

  #settle(obligation: Obligation, answer: ObligationAnswer): void {
    const latestEnd = Math.max(this.#latestEnd, obligation.keepUntil)
    if (isUnsettled(answer, obligation, Infinity)) this.#broken.set(this.#over.length, answer)
    this.#over.push({ state: answer.state, latestEnd })
    this.#answers.push(answer)
    this.#count(answer.state, 1)
  }

  #count(state: ObligationState, change: number): void {
    this.#tally.set(state, (this.#tally.get(state) ?? 0) + change)
  }
}

function isUnsettled({ state }: ObligationAnswer, { keepUntil }: Obligation, at: number): boolean {
  return keepUntil > at || (state !== 'discharged' && state !== 'excused')
}

function saysTheSame(one: Judgement, other: Judgement): boolean {
  return (
    one.state === other.state &&
    one.row === other.row &&
    one.since === other.since &&
    one.witness === other.witness &&
    one.candidate?.point === other.candidate?.point
  )
}

function formatObligation(obligation: Obligation, judgement: Judgement): ObligationAnswer {
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
