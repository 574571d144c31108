/** Makes a month's service report from a contract and its facts: pure, and the same tomorrow. */
import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { Answer, Dimension } from '@bevis/shared/contract/answer'
import { creditsOf, judgeMonth } from '@bevis/shared/contract/credit'
import type { JudgedMonth } from '@bevis/shared/contract/credit'
import { indexFacts } from '@bevis/shared/contract/facts'
import type { Fact } from '@bevis/shared/contract/known'
import { ledgerOf, setsOfTests } from '@bevis/shared/contract/ledger'
import { isInMonth, monthOf } from '@bevis/shared/contract/month'
import type { Month } from '@bevis/shared/contract/month'
import type { Contract, ContractSet } from '@bevis/shared/contract/schema'
import { worst } from '@bevis/shared/contract/verdict'
import { BevisError } from '@bevis/shared/error'
import { datedAt } from '@bevis/shared/verify/table'
import type { Voice } from '../../pages/voice.ts'
import { tellTests } from '../evidence/tests.ts'
import type { Matter } from '../facts.ts'
import { changesIn } from './changes.ts'
import { damageIn } from './damage.ts'
import { deviationsOf } from './deviations.ts'
import { dataOf, figuresOf, verdictOn } from './figures.ts'
import { SERVICE_REPORT_FORMAT } from './model.ts'
import type { Deviation, ReportedLevel, ReportedTest, ServiceReport } from './model.ts'

export interface ServiceReportWish {
  readonly matter: Matter
  /** `2026-10` */
  readonly month: string
  /** Only the sets of this unit; all of them when left out. */
  readonly unit?: string | undefined
  /** The month is judged up to here, from what had been received by `knownAt`. */
  readonly at: Date
  readonly knownAt: Date
  readonly voice: Pick<Voice, 'dimensions' | 'headline' | 'seenOf' | 'firstTestDue'>
}

const HISTORY_MONTHS = 12

/**
 * @throws BevisError USAGE for what is no month; REQUEST_INVALID for one that has not begun, or that ended before the
 * contract's first day; NOT_FOUND for a unit that no version knows
 */
export function buildServiceReport(wish: ServiceReportWish): ServiceReport {
  const { matter, knownAt, at, voice } = wish
  const { contract } = matter
  const month = monthOf(wish.month, contract.timezone)
  if (month.from >= at.getTime()) throw new BevisError('REQUEST_INVALID', `${wish.month} has not begun`)
  const [start = ''] = contract.versions.map(({ effectiveFrom }) => effectiveFrom).toSorted()
  if (wish.month < start.slice(0, 7)) {
    const refusal = `${contract.id} promises nothing before ${start}: there is no report of ${wish.month}`
    throw new BevisError('REQUEST_INVALID', refusal)
  }
  const facts = matter.facts.filter(({ receivedAt }) => Date.parse(receivedAt) <= knownAt.getTime())
  const judged = judgeMonth({ contract, facts, index: matter.index, month: wish.month, asOf: at, knownAt })
  const last = judged.days.at(-1)?.answer ?? judged.before
  const unit = unitOf(matter, wish.unit)
  const own = new Set(setsIn(matter, wish.unit))
  const mine = restrict(judged, own, firstDays(contract))
  const answer = mine.days.at(-1)?.answer ?? mine.before
  const tests = testsIn(matter, facts, month, at, own)
  const ledger = ledgerOf({ contract, facts, from: earlier(wish.month, HISTORY_MONTHS), to: wish.month })
  const rows = ledger.rows.filter(({ set }) => own.has(set) || (set === '' && unit === null))
  const version = contract.versions.find(({ no }) => no === last.version)
  const deviations = deviationsOf({ contract, facts, judged: mine, month, tests })
  const broken = brokenOn(deviations, month)
  const sets = answer.sets.map((set) => {
    const terms = version?.sets.find(({ id }) => id === set.id)
    const seen = voice.seenOf(set, voice.firstTestDue(contract, last.version, set.id))
    const atEnd = voice.dimensions(set, answer.findings, seen)
    const row = rows.find((one) => one.set === set.id && one.month === wish.month)
    const saidDaily = mine.days.map(({ answer: then }) => {
      const own = then.sets.find(({ id }) => id === set.id)
      if (own === undefined) return null
      const due = voice.firstTestDue(contract, then.version, set.id)
      return voice.dimensions(own, then.findings, voice.seenOf(own, due))
    })
    const levels = DIMENSIONS.map((dimension): ReportedLevel => {
      const own = broken.filter((one) => one.set === set.id && one.dimension === dimension)
      const days = saidDaily.map((said, place) =>
        own.some(({ day }) => day === place) ? 'breached' : (said?.[dimension].state ?? 'not-applicable'),
      )
      const ofMonth = worst([
        ...mine.days.map((day) => verdictOn(day.answer, set.id, dimension)),
        ...own.map(() => 'breached' as const),
      ])
      return {
        dimension,
        days,
        month:
          ofMonth === 'compliant' || ofMonth === 'not-applicable'
            ? atEnd[dimension]
            : { state: ofMonth, text: null },
        atEnd: atEnd[dimension],
        figures: figuresOf(dimension, { set, answer, month, tests, row, days: mine.days }),
        data: dataOf(dimension, terms, row, tests, month, at),
      }
    })
    return { id: set.id, wording: terms?.retention.wording ?? '', promises: promisesOf(terms), levels, atEnd }
  })
  const worstOf = worst([
    ...mine.days.map((day) => day.answer.headline),
    ...broken.map(() => 'breached' as const),
  ])
  const { customer, provider, timezone } = contract
  return {
    format: SERVICE_REPORT_FORMAT,
    contract: contract.id,
    version: last.version,
    revision: matter.revision,
    textSha256: matter.sha256,
    customer: { name: customer.name, ...(customer.cvr !== undefined && { cvr: customer.cvr }) },
    provider: { name: provider.name, ...(provider.cvr !== undefined && { cvr: provider.cvr }) },
    timezone,
    unit,
    month: wish.month,
    isOver: judged.isOver,
    at: new Date(Math.min(at.getTime(), month.to)).toISOString(),
    knownAt: knownAt.toISOString(),
    headline: voice.headline(
      worstOf,
      sets.map((set) => set.atEnd),
    ),
    statements: facts.filter(({ statement }) => isInMonth(datedAt(statement), month)).length,
    sets: sets.map(({ id, wording, promises, levels }) => ({ id, wording, promises, levels })),
    deviations,
    credits: creditsOf(contract, mine),
    tests,
    ...damageIn(facts, month, at),
    changes: changesIn(matter, facts, month),
    ledger: rows,
  }
}

/** The local date from which each set is promised. */
function firstDays({ versions }: Contract): Map<string, string> {
  const days = new Map<string, string>()
  for (const { effectiveFrom, sets } of versions) {
    for (const { id, onboardedAt = effectiveFrom } of sets) {
      const day = onboardedAt > effectiveFrom ? onboardedAt : effectiveFrom
      if (day < (days.get(id) ?? '9999')) days.set(id, day)
    }
  }
  return days
}

interface Broken {
  set: string
  dimension: Dimension
  /** Of the month's days, the first being 0. */
  day: number
}

/** Obligations that came to be broken in the month: one may be over by its day's end, and its verdict with it. */
function brokenOn(deviations: readonly Deviation[], month: Month): Broken[] {
  return deviations.flatMap(({ set, dimension, code, since }) => {
    if ((code !== 'missed' && code !== 'lost') || !isInMonth(since, month)) return []
    return [{ set, dimension, day: month.days.findIndex(({ end }) => Date.parse(since) < end) }]
  })
}

/** The units of all versions, the newest words first. */
function unitOf({ contract }: Matter, id: string | undefined): ServiceReport['unit'] {
  if (id === undefined) return null
  const known = contract.versions.toReversed().flatMap(({ units = [] }) => units)
  const unit = known.find((one) => one.id === id)
  if (unit === undefined) throw new BevisError('NOT_FOUND', `${contract.id} has no unit ${id}`)
  const { name, site } = unit
  return { id, name, ...(site !== undefined && { site }) }
}

function setsIn({ contract }: Matter, unit: string | undefined): string[] {
  return contract.versions.flatMap(({ sets }) =>
    sets.filter((set) => unit === undefined || set.unit === unit).map(({ id }) => id),
  )
}

/**
 * A unit's report judges its sets, and no others'; and none on the day before its first, whose end is the first instant
 * of its terms.
 */
function restrict(
  judged: JudgedMonth,
  own: ReadonlySet<string>,
  firstDay: ReadonlyMap<string, string>,
): JudgedMonth {
  const only = (answer: Answer, date = '9999'): Answer => {
    const isJudged = (id: string) => own.has(id) && date >= (firstDay.get(id) ?? '')
    const sets = answer.sets.filter(({ id }) => isJudged(id))
    return {
      ...answer,
      sets,
      headline: worst(sets.map(({ headline }) => headline)),
      findings: answer.findings.filter(({ set }) => isJudged(set)),
    }
  }
  return {
    ...judged,
    before: only(judged.before),
    days: judged.days.map(({ date, answer }) => ({ date, answer: only(answer, date) })),
  }
}

/** What a set promises, in the contract's own terms; the words are made of it. */
function promisesOf(terms: ContractSet | undefined): Record<string, string> {
  if (terms === undefined) return {}
  const { schedule, retention, restoreTest, copies = [], evidence } = terms
  return {
    every: schedule.every,
    rpo: schedule.rpo ?? schedule.every,
    lateGrace: schedule.lateGrace,
    tiers: retention.min.map(({ per, keep }) => `${per}x${keep}`).join(' '),
    ...(retention.max !== undefined && { maxAge: retention.max.age }),
    ...(restoreTest !== undefined && { testEvery: restoreTest.every, testMode: restoreTest.mode }),
    ...(restoreTest?.rto !== undefined && { rto: restoreTest.rto }),
    ...(copies.length > 0 && { copies: copies.map(({ repository }) => repository).join(', ') }),
    inventoryEvery: evidence.inventoryEvery,
  }
}

function testsIn(
  { contract, index }: Matter,
  facts: readonly Fact[],
  month: Month,
  at: Date,
  own: ReadonlySet<string>,
): ReportedTest[] {
  const setOf = setsOfTests(contract)
  // What no verdict stands on, as what a revoked key signed, is no test here either.
  const disregarded = new Set((index ?? indexFacts(facts)).disregarded.map(({ fact }) => fact.digest))
  return tellTests(
    facts.map(({ paeDigest = '', ...fact }) => ({
      ...fact,
      counted: !disregarded.has(paeDigest),
      paeDigest,
    })),
  )
    .filter(({ test }) => isInMonth(test.endedAt, month) && Date.parse(test.endedAt) <= at.getTime())
    .map((told) => ({ ...told, set: setOf(told.test) ?? '' }))
    .filter(({ set }) => own.has(set))
    .map(({ set, test, digest, conclusive, failedFiles }) => ({
      set,
      at: test.endedAt,
      snapshot: test.snapshot.id,
      takenAt: test.snapshot.time,
      reason: test.reason,
      mode: test.mode,
      files: test.selection.files,
      conclusive,
      failed: failedFiles,
      seconds: test.rto?.measuredSeconds ?? null,
      result: test.result,
      evidence: digest,
    }))
}

function earlier(month: string, months: number): string {
  return Temporal.PlainYearMonth.from(month).subtract({ months }).toString()
}
