import type { Answer } from './answer.ts'
import { compare, judge, statesOf } from './evaluate.ts'
import type { States } from './evaluate.ts'
import { addFact, emptyIndex } from './facts.ts'
import type { Fact } from './known.ts'
import type { Contract } from './schema.ts'
import { BevisError } from '../error.ts'

/**
 * The evaluation of facts that come one by one, in the order of their receipt, and are not kept: what
 * {@link evaluate} answers for all of them at once.
 */
export class Evaluation {
  readonly #contract: Contract
  readonly #at: Date
  readonly #knownAt: Date
  readonly #index = emptyIndex()
  #lastReceivedAt = -Infinity
  /** What was known at `at` itself, once something has come that was received after it. */
  #then: States | undefined
  #lastLate = ''
  #isDisordered = false

  constructor(contract: Contract, { at, knownAt }: { at: Date; knownAt: Date }) {
    this.#contract = contract
    this.#at = at
    this.#knownAt = knownAt
  }

  add(fact: Fact): void {
    const receivedAt = Date.parse(fact.receivedAt)
    if (receivedAt < this.#lastReceivedAt) this.#isDisordered = true
    this.#lastReceivedAt = receivedAt
    if (receivedAt > this.#knownAt.getTime() || this.#isDisordered) return
    if (receivedAt > this.#at.getTime()) {
      this.#then ??= statesOf(judge({ contract: this.#contract, index: this.#index, at: this.#at }).sets)
      this.#lastLate = fact.receivedAt
    }
    addFact(this.#index, fact)
  }

  /** @throws BevisError LOG_INCONSISTENT for facts that did not come in the order of their receipt */
  answer(): Answer {
    if (this.#isDisordered)
      throw new BevisError(
        'LOG_INCONSISTENT',
        'facts were received before what stands before them in the log',
      )
    const answer = judge({
      contract: this.#contract,
      index: this.#index,
      at: this.#at,
      knownAt: this.#knownAt,
    })
    if (this.#then === undefined) return answer
    return { ...answer, corrections: compare(this.#then, answer.sets, answer.at, this.#lastLate) }
  }
}
