/** The evaluation: a pure function of a contract, what is known, and two instants. */
import type { Answer, CorrectionAnswer, ObligationAnswer, ObligationState, SetAnswer } from './answer.ts'
import type { FactIndex } from './facts.ts'
import { indexFacts, settle } from './facts.ts'
import type { Fact } from './known.ts'
import type { Contract } from './schema.ts'
import { SetJudge } from './set-verdict.ts'
import { Situation } from './situation.ts'
import { formatInstant, worst } from './verdict.ts'

export interface Question {
  contract: Contract
  /** In log order. */
  facts: readonly Fact[]
  at: Date
  /** The same facts folded, where they are already: all of them, whatever had been received when. */
  index?: FactIndex | undefined
  /** Only what had been received by then counts; everything when left out. */
  knownAt?: Date
}

/** What the contract's verdict was at `at`, from what had been received by `knownAt`. */
export function evaluate({ contract, facts, index, at, knownAt }: Question): Answer {
  const { known, index: folded } = knownBy({ facts, index }, knownAt)
  const answer = judge({ contract, index: folded, at, ...(knownAt !== undefined && { knownAt }) })
  const late = known.filter((fact) => Date.parse(fact.receivedAt) > at.getTime())
  const last = late.at(-1)
  if (last === undefined) return answer
  const timely = known.filter((fact) => Date.parse(fact.receivedAt) <= at.getTime())
  const then = judge({ contract, index: indexFacts(timely), at })
  return { ...answer, corrections: compare(statesOf(then.sets), answer.sets, answer.at, last.receivedAt) }
}

/** What had been received by an instant, folded; folded anew only where that is not all. */
export function knownBy(
  { facts, index }: Pick<Question, 'facts' | 'index'>,
  knownAt: Date | undefined,
): { known: readonly Fact[]; index: FactIndex } {
  const known =
    knownAt === undefined ? facts : facts.filter((fact) => Date.parse(fact.receivedAt) <= knownAt.getTime())
  const isAll = index !== undefined && known.length === facts.length && index.size === facts.length
  return { known, index: isAll ? index : indexFacts(known) }
}

/** The judging step alone, on facts that have been folded: everything in the index counts as known. */
export function judge({
  contract,
  index,
  at,
  knownAt,
}: {
  contract: Contract
  index: FactIndex
  at: Date
  knownAt?: Date
}): Answer {
  const answer = new Judge(contract, index).judge(at)
  return knownAt === undefined ? answer : { ...answer, knownAt: formatInstant(knownAt.getTime()) }
}

/**
 * Judges one contract again and again while facts are added to the index. What has come since costs what it touches:
 * what ended before is not judged again. The answer is always that of a clean evaluation.
 */
export class Judge {
  readonly #contract: Contract
  readonly #index: FactIndex
  #situation: Situation | undefined
  #sets: readonly SetJudge[] = []
  #unsettled: ReadonlyMap<string, readonly ObligationAnswer[]> = new Map()
  /** How often everything was read from its beginning: once, and when something told otherwise of what was read. */
  beginnings = 0

  constructor(contract: Contract, index: FactIndex) {
    this.#contract = contract
    this.#index = index
  }

  judge(at: Date): Answer {
    const now = at.getTime()
    const touched = settle(this.#index) && this.#situation?.extend(now)
    if (touched === undefined) this.#begin(now)
    else for (const set of this.#sets) set.extend(touched)
    const sets = this.#sets.map((set) => set.judge())
    this.#unsettled = new Map(sets.map(({ answer, unsettled }) => [answer.id, unsettled]))
    return {
      contract: this.#contract.id,
      version: this.#situation?.versions.at(-1)?.version.no ?? null,
      at: formatInstant(now),
      knownAt: null,
      headline: worst(sets.map(({ answer }) => answer.headline)),
      sets: sets.map(({ answer }) => answer),
      findings: sets.flatMap(({ findings }) => findings),
      corrections: [],
    }
  }

  /**
   * Of the last judgement, by set: the obligations that are live, or ended otherwise than kept. They are few, however
   * long the list of all is.
   */
  get unsettled(): ReadonlyMap<string, readonly ObligationAnswer[]> {
    return this.#unsettled
  }

  #begin(now: number): void {
    this.beginnings += 1
    const situation = new Situation(this.#contract, this.#index, now)
    this.#situation = situation
    this.#sets = [...situation.terms].map(([id, versions]) => new SetJudge(situation, id, versions))
  }
}

/** The states of all obligations as they are now, whatever becomes of the answer's lists. */
export function statesOf(sets: readonly SetAnswer[]): States {
  return new Map(
    sets.flatMap(({ id, obligations }) =>
      obligations.map((one) => [`${id} ${one.tier} ${one.bucket}`, one.state] as const),
    ),
  )
}

export type States = ReadonlyMap<string, ObligationState>

export function compare(
  before: States,
  now: readonly SetAnswer[],
  at: string,
  receivedAt: string,
): CorrectionAnswer[] {
  const corrections: CorrectionAnswer[] = []
  for (const { id, obligations } of now) {
    for (const { tier, bucket, state } of obligations) {
      const was = before.get(`${id} ${tier} ${bucket}`)
      if (was === undefined || was === state) continue
      corrections.push({ set: id, tier, bucket, at, was, is: state, receivedAt })
    }
  }
  return corrections
}
