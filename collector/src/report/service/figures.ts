/** What a service level is made of: what was measured, and by how many statements. */
import type { Answer, Dimension, ObligationAnswer, SetAnswer, Verdict } from '@bevis/shared/contract/answer'
import type { JudgedMonth } from '@bevis/shared/contract/credit'
import type { LedgerRow } from '@bevis/shared/contract/ledger'
import { isInMonth } from '@bevis/shared/contract/month'
import type { Month } from '@bevis/shared/contract/month'
import type { ContractSet } from '@bevis/shared/contract/schema'
import type { ReportedLevel, ReportedTest } from './model.ts'

/** What was measured of a level, by the names that the words know. */
export function figuresOf(
  dimension: Dimension,
  parts: {
    set: SetAnswer
    answer: Answer
    month: Month
    tests: readonly ReportedTest[]
    row: LedgerRow | undefined
    days: JudgedMonth['days']
  },
): ReportedLevel['figures'] {
  const { set, answer, month, row } = parts
  const count = (list: readonly ObligationAnswer[], ...states: ObligationAnswer['state'][]) =>
    list.filter(({ state }) => states.includes(state)).length
  const findings = (code: string) =>
    answer.findings.filter((one) => one.set === set.id && one.code === code).length
  switch (dimension) {
    case 'points': {
      const own = set.obligations.filter(({ from }) => isInMonth(from, month))
      const aged = own.filter(({ state }) => state === 'unknown' || state === 'stale')
      const isSeen = ({ witness }: ObligationAnswer) => witness !== undefined
      return {
        // That it was taken in time was seen, though nobody can say that it is there today.
        kept: count(own, 'met', 'discharged', 'lost') + aged.filter(isSeen).length,
        broken: count(own, 'missed'),
        uncertain: aged.filter((one) => !isSeen(one)).length,
        excused: count(own, 'excused'),
        open: count(own, 'pending', 'late'),
      }
    }
    case 'retention': {
      const { counts } = set
      const lost = set.obligations.filter(
        ({ state, since }) => state === 'lost' && since !== undefined && isInMonth(since, month),
      )
      return { kept: counts.met, uncertain: counts.stale + counts.unknown, broken: lost.length }
    }
    case 'ceiling': {
      const of = (state: string) => set.snapshots?.filter(({ ceiling }) => ceiling === state).length ?? 0
      return { within: of('within'), due: of('purge-due'), over: of('over-retained'), held: of('held') }
    }
    case 'proof': {
      const own = parts.tests.filter((test) => test.set === set.id)
      const seconds = own.flatMap((test) => test.seconds ?? [])
      const of = (result: string) => own.filter((test) => test.result === result).length
      return {
        passed: of('PASSED'),
        failed: of('FAILED'),
        inconclusive: of('INCONCLUSIVE'),
        slowestSeconds: seconds.length === 0 ? null : Math.max(...seconds),
      }
    }
    case 'copies':
      return {
        missing: findings('copy-missing'),
        late: findings('copy-late'),
        probes: row?.deletionProbes ?? 0,
      }
    case 'evidence':
      return {
        complete: row?.inventories.complete ?? 0,
        incomplete: row?.inventories.incomplete ?? 0,
        silentDays: parts.days.filter((day) => isSilent(verdictOn(day.answer, set.id, 'evidence'))).length,
      }
  }
}

/** How many statements a level rests on, beside how many its rhythm makes plausible. */
export function dataOf(
  dimension: Dimension,
  terms: ContractSet | undefined,
  row: LedgerRow | undefined,
  tests: readonly ReportedTest[],
  month: Month,
  at: Date,
): ReportedLevel['data'] {
  const spanMs = Math.min(at.getTime(), month.to) - month.from
  const expect = (every: string | undefined) =>
    every === undefined ? null : Math.floor(spanMs / lengthMs(every, month))
  switch (dimension) {
    case 'points': {
      const { complete = 0, partial = 0, failed = 0 } = row?.backups ?? {}
      // Closed days are not known here: what is expected on all days would be too much.
      const isDaily = terms?.schedule.days !== 'business'
      return {
        received: complete + partial + failed,
        expected: isDaily ? expect(terms?.schedule.every) : null,
      }
    }
    case 'proof':
      return {
        received: tests.filter((test) => test.set === (row?.set ?? terms?.id)).length,
        expected: expect(terms?.restoreTest?.every),
      }
    case 'copies':
      return { received: row?.deletionProbes ?? 0, expected: null }
    case 'retention':
    case 'ceiling':
    case 'evidence':
      return { received: row?.inventories.complete ?? 0, expected: expect(terms?.evidence.inventoryEvery) }
  }
}

function lengthMs(duration: string, month: Month): number {
  return Temporal.Duration.from(duration).total({
    unit: 'milliseconds',
    relativeTo: Temporal.PlainDate.from(`${month.name}-01`),
  })
}

/** Nothing is owed before a set's first day, so there is no silence either. */
function isSilent(evidence: Verdict): boolean {
  return evidence !== 'compliant' && evidence !== 'not-applicable'
}

export function verdictOn({ sets }: Answer, id: string, dimension: Dimension): Verdict {
  return sets.find((set) => set.id === id)?.dimensions[dimension] ?? 'not-applicable'
}
