import type { Answer } from '@bevis/shared/contract/answer'
import type { FactIndex } from '@bevis/shared/contract/facts'
import type { Fact } from '@bevis/shared/contract/known'

/** When a contract is judged: as it stood at `at`, from what had been received by `knownAt`. */
export interface When {
  /** An instant; now if left out. */
  readonly at?: string | undefined
  /** An instant; everything received so far if left out. */
  readonly knownAt?: string | undefined
}

/** Judges contracts from the log. */
export interface Compliance {
  /**
   * Evaluates a contract from its newest text and its facts. Answers of one minute are kept.
   * The caller has checked that the reader may see the contract.
   * @throws BevisError NOT_FOUND when there is no such contract
   */
  answer(contract: string, when?: When): Promise<Answer>
  /** A contract's facts so far, for questions other than its verdict. The reader may see it, as above. */
  facts(contract: string): Promise<{ readonly facts: readonly Fact[]; readonly index: FactIndex }>
  /**
   * Evaluates what may have changed since last time, and stores verdicts and transitions. A contract that
   * cannot be evaluated does not keep the others waiting: it is among the failures.
   */
  tick(): Promise<Ticked>
}

export interface Ticked {
  readonly evaluated: number
  readonly transitions: number
  readonly failures: readonly { readonly contract: string; readonly error: unknown }[]
}
