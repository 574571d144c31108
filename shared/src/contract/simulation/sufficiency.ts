/**
 * Whether what a contract promises is enough, as far as evidence can say: the customer's yearly review. It answers
 * what can be measured and asks the rest; it never says that a promise suffices.
 */
import type { Answer } from '../answer.ts'
import { canBeShorter, parseDuration } from '../duration.ts'
import type { FactIndex } from '../facts.ts'
import { settle } from '../facts.ts'
import { DAY_MS } from '../local.ts'
import { hasPassed, testsOf } from '../proof.ts'
import type { SetTest } from '../proof.ts'
import type { Contract, ContractSet, Tier } from '../schema.ts'
import { Situation } from '../situation.ts'
import { formatInstant } from '../verdict.ts'

/** A restore, and how old what it brought back was. */
export interface Reached {
  snapshot: string
  /** When the restore ended: an instant. */
  at: string
  /** The snapshot's age then, in whole days. */
  days: number
}

/** What a rule of law or a standard asks of retention, recovery or proof. */
export type Demand =
  | 'books-five-years'
  | 'ceiling-for-personal-data'
  | 'recovery-time'
  | 'offsite-copy'
  | 'restore-tests'
  | 'full-restore-yearly'

export interface Sufficiency {
  set: string
  /** How far back each tier reaches now: when the oldest point that is owed and there was taken; null: none. */
  reach: { tier: string; oldest: string | null }[]
  /** Restores that people asked for or drilled in the year before: how many, and of those that passed the oldest. */
  asked: { count: number; oldest: Reached | null }
  /** The oldest snapshot that ever came back whole in a test. */
  proven: Reached | null
  /**
   * The longest restore that was timed, in seconds: of everything, where that was ever timed, else of a sample. And
   * the contract's own time, ISO 8601; null: none.
   */
  recovery: { seconds: number; isFull: boolean; agreed: string | null } | null
  demands: { demand: Demand; regimes: Contract['regimes']; isPromised: boolean }[]
}

/** One review looks back to the last one. */
const REVIEW_MS = 366 * DAY_MS

/** @param answer the contract's evaluation at the same instant, by the same facts */
export function reviewSufficiency(contract: Contract, index: FactIndex, answer: Answer): Sufficiency[] {
  settle(index)
  const at = Date.parse(answer.at)
  const situation = new Situation(contract, index, at)
  return answer.sets.flatMap(({ id, obligations }) => {
    const terms = situation.terms.get(id)?.at(-1)
    if (terms === undefined) return []
    const { set } = terms
    const history = situation.historyOf(terms)
    const taken = new Map(
      Array.from(history.between()).flatMap(({ point, start }) =>
        point.members.map((member) => [member.id, start] as const),
      ),
    )
    const tests = testsOf(history, at)
    const asked = tests.filter(
      ({ test, endedAt }) =>
        endedAt >= at - REVIEW_MS && ['requested', 'drill'].includes(test.predicate.reason),
    )
    const longest = longestOf(tests)
    return {
      set: id,
      reach: set.retention.min.map((tier) => {
        const name = `${tier.per}x${tier.keep}`
        const starts = obligations.flatMap(({ tier: own, state, witness }) => {
          const start = own === name && state === 'met' ? taken.get(witness ?? '') : undefined
          return start === undefined ? [] : start
        })
        return { tier: name, oldest: starts.length === 0 ? null : formatInstant(Math.min(...starts)) }
      }),
      asked: {
        count: asked.length,
        oldest: oldestOf(asked.filter(({ test }) => test.predicate.result === 'PASSED')),
      },
      proven: oldestOf(tests.filter(hasPassed)),
      recovery: longest && { ...longest, agreed: set.restoreTest?.rto ?? null },
      demands: demandsOn(contract, set),
    }
  })
}

function longestOf(tests: readonly SetTest[]): { seconds: number; isFull: boolean } | null {
  const timed = tests.flatMap(({ test: { predicate } }) =>
    predicate.rto === undefined
      ? []
      : { seconds: predicate.rto.measuredSeconds, isFull: predicate.mode === 'full' },
  )
  const byLength = timed.toSorted((a, b) => Number(b.isFull) - Number(a.isFull) || b.seconds - a.seconds)
  return byLength[0] ?? null
}

function oldestOf(tests: readonly SetTest[]): Reached | null {
  const reached = tests.map(({ point, endedAt }) => ({
    snapshot: point.snapshot.id,
    at: formatInstant(endedAt),
    days: Math.floor((endedAt - point.start) / DAY_MS),
  }))
  return reached.toSorted((a, b) => b.days - a.days)[0] ?? null
}

/** Only what the contract's own regimes ask, and only what its text can answer. */
function demandsOn({ regimes }: Contract, set: ContractSet): Sufficiency['demands'] {
  const { retention, restoreTest, copies = [], personalData } = set
  const continuity = ['nis2', 'nis2-msp', 'dora', 'iso27001', 'soc2'] as const
  const asked: [Demand, readonly Contract['regimes'][number][], boolean][] = [
    ['books-five-years', ['bogforingsloven'], retention.min.some(keepsBooks)],
    ['ceiling-for-personal-data', ['gdpr'], personalData === 'none' || retention.max !== undefined],
    ['recovery-time', ['nis2', 'nis2-msp', 'dora', 'gdpr'], restoreTest?.rto !== undefined],
    ['offsite-copy', ['nis2', 'nis2-msp', 'dora'], copies.some(({ role }) => role === 'offsite')],
    ['restore-tests', continuity, restoreTest !== undefined],
    ['full-restore-yearly', ['dora'], restoreTest !== undefined && testsWholeYearly(restoreTest)],
  ]
  return asked.flatMap(([demand, of, isPromised]) => {
    const named = of.filter((regime) => regimes.includes(regime))
    return named.length === 0 ? [] : [{ demand, regimes: named, isPromised }]
  })
}

/** Bogføringsloven § 12: five years from the end of the fiscal year. */
function keepsBooks({ per, keep }: Tier): boolean {
  return per === 'fiscalYear' && keep >= 5
}

function testsWholeYearly({ mode, every, fullEvery }: NonNullable<ContractSet['restoreTest']>): boolean {
  const whole = mode === 'full' ? every : fullEvery
  return whole !== undefined && !canBeShorter(parseDuration('P1Y'), parseDuration(whole))
}
