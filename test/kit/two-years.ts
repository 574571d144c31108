/** Two years of an example contract: told by a story, watched as they pass. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Answer, SetAnswer } from '@bevis/shared/contract/answer'
import { creditsOf, judgeMonth } from '@bevis/shared/contract/credit'
import type { ClauseCredits } from '@bevis/shared/contract/credit'
import { Judge } from '@bevis/shared/contract/evaluate'
import { addFact, emptyIndex } from '@bevis/shared/contract/facts'
import type { Fact } from '@bevis/shared/contract/known'
import { monthsThrough } from '@bevis/shared/contract/month'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'

const examples = join(import.meta.dirname, '../../deploy/examples/contracts')

export function exampleContract(name: string): Contract {
  const { contract, errors } = parseContract(readFileSync(join(examples, `${name}.yaml`), 'utf8'))
  if (contract === undefined) throw new Error(JSON.stringify(errors))
  return contract
}

/** What a collector would have answered at an instant, from what it had received. Ask in the order of time. */
export class Watch {
  readonly #judge: Judge
  readonly #facts: readonly Fact[]
  readonly #index = emptyIndex()

  constructor(contract: Contract, facts: readonly Fact[]) {
    this.#judge = new Judge(contract, this.#index)
    this.#facts = facts.toSorted((a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt))
  }

  at(instant: string): Answer {
    const at = new Date(instant)
    for (const fact of this.#facts.slice(this.#index.size)) {
      if (Date.parse(fact.receivedAt) > at.getTime()) break
      addFact(this.#index, fact)
    }
    return this.#judge.judge(at)
  }
}

/** A contract as it would be with other clauses on credits in all of its versions. */
export function withPenalties(
  contract: Contract,
  penalties: readonly Pick<ClauseCredits, 'measure' | 'per' | 'pctOfMonthlyFee' | 'capPct'>[],
): Contract {
  const clauses = penalties.map(({ capPct, ...rest }) => ({
    ...rest,
    ...(capPct !== null && { capPct }),
    mustBeClaimed: true,
  }))
  return { ...contract, versions: contract.versions.map((one) => ({ ...one, penalties: clauses })) }
}

/**
 * What each month comes to, once it is over: a line for each clause that was met, `2025-07: retention.lost 2, 4 %`,
 * and one for each that nobody can judge on some days.
 */
export function creditLines(
  contract: Contract,
  facts: readonly Fact[],
  first: string,
  last: string,
): string[] {
  const asOf = new Date('2100-01-01')
  return monthsThrough(first, last).flatMap((month) => {
    const { clauses } = creditsOf(contract, judgeMonth({ contract, facts, month, asOf }))
    return clauses.flatMap(({ measure, units, pct, undecidedDays }) => [
      ...(units === 0 ? [] : [`${month}: ${measure} ${units}, ${pct} %`]),
      ...(undecidedDays === 0 ? [] : [`${month}: ${measure} undecided on ${undecidedDays} days`]),
    ])
  })
}

/** One line of a verdict, to be worked out by hand: the headline and what is not compliant. */
export function inShort({ headline, dimensions }: SetAnswer): string {
  const bad = Object.entries(dimensions).filter(
    ([, verdict]) => verdict !== 'compliant' && verdict !== 'not-applicable',
  )
  return [headline, ...bad.map(([dimension, verdict]) => `${dimension} ${verdict}`)].join(', ')
}

/** The states of a bucket's obligations, by tier. */
export function statesOf(set: SetAnswer, bucket: string): Record<string, string> {
  const own = set.obligations.filter((one) => one.bucket === bucket)
  return Object.fromEntries(own.map(({ tier, state }) => [tier, state]))
}

/** All instants of one hour of the day, from one date through another; dates are UTC's. */
export function* datesFrom(first: string, last: string): Generator<string> {
  for (
    let date = Temporal.PlainDate.from(first);
    Temporal.PlainDate.compare(date, last) <= 0;
    date = date.add({ days: 1 })
  ) {
    yield date.toString()
  }
}

/** When a snapshot taken then is as old as the duration, on Danish clocks. */
export function agedAt(time: string, duration: string): number {
  return Temporal.Instant.from(time).toZonedDateTimeISO('Europe/Copenhagen').add(duration).epochMilliseconds
}
