/**
 * Service credits of a month: what a contract's clauses on penalties come to, from obligations as they were judged.
 * It is pure: the month's answers in, and nothing is claimed or paid by it.
 */
import type { Answer } from './answer.ts'
import type { Breach, Measure } from './breach.ts'
import { breachesOf, brokenObligations, excusedKeys, isOf, isUndecided, parseMeasure } from './breach.ts'
import { Judge, knownBy } from './evaluate.ts'
import type { FactIndex } from './facts.ts'
import type { Fact } from './known.ts'
import { monthOf } from './month.ts'
import type { Contract, Version } from './schema.ts'

type Penalty = Version['penalties'][number]

/** A month day by day. */
export interface JudgedMonth {
  month: string
  /** The contract's zone. */
  timezone: string
  /** As it stood when the month began: what was broken before is not this month's. */
  before: Answer
  /** Each local day as it stood at its end; the last one at the instant of asking, where the month is not over. */
  days: { date: string; answer: Answer }[]
  /** False while days of the month lie ahead. */
  isOver: boolean
  /** Null: from everything that was given. */
  knownAt: string | null
}

/**
 * Judges a contract at the end of each day of a month, from what had been received by `knownAt`.
 * @param asOf days that end after it are left out, but for the one that it lies in
 * @throws BevisError USAGE for what is no month, or one that has not begun
 */
export function judgeMonth({
  contract,
  facts,
  index,
  month,
  asOf,
  knownAt,
}: {
  contract: Contract
  facts: readonly Fact[]
  /** The same folded, where they are already. */
  index?: FactIndex | undefined
  month: string
  asOf: Date
  knownAt?: Date
}): JudgedMonth {
  const { from, to, days } = monthOf(month, contract.timezone)
  const known = knownBy({ facts, index }, knownAt)
  const judge = new Judge(contract, known.index)
  const until = asOf.getTime()
  const before = judge.judge(new Date(Math.min(from, until)))
  const judged: JudgedMonth['days'] = []
  let start = from
  for (const { date, end } of days) {
    if (start > until) break
    judged.push({ date, answer: judge.judge(new Date(Math.min(end, until))) })
    start = end
  }
  return {
    month,
    timezone: contract.timezone,
    before,
    days: judged,
    isOver: until >= to,
    knownAt: knownAt?.toISOString() ?? null,
  }
}

/** What one clause comes to. */
export interface ClauseCredits {
  /** The version whose clause it is. */
  version: number
  measure: string
  per: Penalty['per']
  pctOfMonthlyFee: number
  capPct: number | null
  mustBeClaimed: boolean
  /** How often the clause was met; null for a measure that nothing here can count. */
  units: number | null
  /** Days on which nobody can say whether there was more to count: the evidence has not come. */
  undecidedDays: number
  /** Of the monthly fee, after the cap; null as `units` is. */
  pct: number | null
  isCapped: boolean
  /** In the contract's currency; null without a monthly fee, or as `units` is. */
  amount: number | null
  breaches: readonly Breach[]
}

export interface MonthCredits {
  month: string
  isOver: boolean
  knownAt: string | null
  currency: string
  monthlyFee: number | null
  clauses: ClauseCredits[]
  /** The sum of what could be counted. */
  pct: number
  amount: number | null
}

/**
 * The credits of a month.
 *
 * Per `obligation`: each promised thing that came to be broken in the month, once, however long it stays so. Per
 * `day`: each local day on which something was broken at its end, or came to be. Per `month`: once, if any day
 * counts. A day is judged by the clauses of the version that was in force at its end. What both parties have excused
 * before the month was over counts on none of its days.
 */
export function creditsOf(contract: Contract, judged: JudgedMonth): MonthCredits {
  const fee = contract.monthlyFee ?? null
  const last = judged.days.at(-1)
  const excused = last === undefined ? new Set<string>() : excusedKeys(last.answer)
  const counting = (breaches: Map<string, Breach>) => [...breaches].filter(([key]) => !excused.has(key))
  const begun = new Set(keysOf(judged.before))
  const days = judged.days.map(({ answer, date }) => {
    const standing = new Map(counting(breachesOf(answer)))
    const all = new Map([...counting(brokenObligations(answer)), ...standing])
    const fresh = [...all].filter(([key]) => !begun.has(key))
    for (const [key] of fresh) begun.add(key)
    return { date, answer, standing: [...standing.values()], fresh: fresh.map(([, breach]) => breach) }
  })
  const inForce = new Set(days.map(({ answer }) => answer.version))
  const clauses = contract.versions
    .filter(({ no }) => inForce.has(no))
    .flatMap((version) => {
      const own = days.filter(({ answer }) => answer.version === version.no)
      return version.penalties.map((penalty) => countClause(version, penalty, own, fee))
    })
  const pct = clauses.reduce((sum, clause) => sum + (clause.pct ?? 0), 0)
  return {
    month: judged.month,
    isOver: judged.isOver,
    knownAt: judged.knownAt,
    currency: contract.currency,
    monthlyFee: fee,
    clauses,
    pct,
    amount: amountOf(fee, pct),
  }
}

function keysOf(answer: Answer): string[] {
  return [...brokenObligations(answer).keys(), ...breachesOf(answer).keys()]
}

interface Day {
  answer: Answer
  standing: readonly Breach[]
  fresh: readonly Breach[]
}

function countClause(
  { no }: Version,
  penalty: Penalty,
  days: readonly Day[],
  fee: number | null,
): ClauseCredits {
  const { measure: text, per, pctOfMonthlyFee, capPct = null, mustBeClaimed } = penalty
  const clause = { version: no, measure: text, per, pctOfMonthlyFee, capPct, mustBeClaimed }
  const measure = parseMeasure(text)
  if (measure === null) {
    return {
      ...clause,
      units: null,
      undecidedDays: 0,
      pct: null,
      isCapped: false,
      amount: null,
      breaches: [],
    }
  }
  const fresh = days.flatMap((day) => day.fresh.filter((one) => isOf(one, measure)))
  const bad = days.filter(({ standing, fresh: own }) =>
    [...standing, ...own].some((one) => isOf(one, measure)),
  )
  const units = per === 'obligation' ? fresh.length : per === 'day' ? bad.length : Math.min(bad.length, 1)
  const sum = units * pctOfMonthlyFee
  const pct = capPct === null ? sum : Math.min(sum, capPct)
  return {
    ...clause,
    units,
    undecidedDays: days.filter(({ answer }) => answer.sets.some((set) => isUndecided(set, measure))).length,
    pct,
    isCapped: pct < sum,
    amount: amountOf(fee, pct),
    breaches: per === 'obligation' ? fresh : seenIn(bad, measure),
  }
}

/** Each breach that made a day count, once. */
function seenIn(days: readonly Day[], measure: Measure): Breach[] {
  const seen = new Map<string, Breach>()
  for (const { standing, fresh } of days) {
    for (const one of [...standing, ...fresh]) {
      if (isOf(one, measure)) seen.set(JSON.stringify([one.set, one.code, one.subject, one.since]), one)
    }
  }
  return [...seen.values()]
}

/** Rounded to hundredths, half up. */
function amountOf(fee: number | null, pct: number): number | null {
  return fee === null ? null : Math.round(fee * pct) / 100
}
