/** What was not kept in a month, one by one: since when, why as far as evidence tells, and who has taken it up. */
import { DIMENSIONS } from '@bevis/shared/contract/answer'
import type { ObligationAnswer } from '@bevis/shared/contract/answer'
import { breachesOf, brokenObligations } from '@bevis/shared/contract/breach'
import type { Breach } from '@bevis/shared/contract/breach'
import type { JudgedMonth } from '@bevis/shared/contract/credit'
import type { Fact } from '@bevis/shared/contract/known'
import { isInMonth } from '@bevis/shared/contract/month'
import type { Month } from '@bevis/shared/contract/month'
import type { Contract } from '@bevis/shared/contract/schema'
import type { BackupRun, ContractEvent, RetentionRun } from '@bevis/shared/evidence/predicates'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Deviation, ReportedTest } from './model.ts'

interface Matter {
  readonly contract: Contract
  readonly facts: readonly Fact[]
  readonly judged: JudgedMonth
  readonly month: Month
  readonly tests: readonly ReportedTest[]
}

/** The oldest first. */
export function deviationsOf(matter: Matter): Deviation[] {
  return [...broken(matter), ...undecided(matter)].toSorted((a, b) => a.since.localeCompare(b.since))
}

function broken({ facts, judged, month }: Matter): Deviation[] {
  const seen = new Map<string, { breach: Breach; first: string; last: string; days: number }>()
  const lastDay = judged.days.at(-1)
  for (const { date, answer } of judged.days) {
    const inMonth = [...brokenObligations(answer)].filter(([, { since }]) => isInMonth(since, month))
    for (const [key, breach] of new Map([...inMonth, ...breachesOf(answer)])) {
      const known = seen.get(key)
      const stands = breachesOf(answer).has(key)
      seen.set(key, {
        breach: breach.evidence.length > 0 || known === undefined ? breach : known.breach,
        first: known?.first ?? date,
        last: stands || known === undefined ? date : known.last,
        days: (known?.days ?? 0) + (stands ? 1 : 0),
      })
    }
  }
  const standing = lastDay === undefined ? new Map() : breachesOf(lastDay.answer)
  const obligations = new Map<string, ObligationAnswer>(
    lastDay?.answer.sets.flatMap(({ id, obligations: list }) =>
      list.map((one) => [`${id} ${one.tier}/${one.bucket}`, one] as const),
    ),
  )
  const witness = new Evidence(facts)
  return [...seen].map(([key, { breach, last, days }]) => {
    const obligation = obligations.get(`${breach.set} ${breach.subject}`)
    return {
      set: breach.set,
      dimension: breach.dimension,
      code: breach.code,
      subject: breach.subject,
      since: breach.since,
      until: standing.has(key) ? null : last,
      days: Math.max(days, 1),
      cause: witness.causeOf(breach, obligation),
      owner: witness.ownerOf(breach, obligation),
      endsAt: obligation?.keepUntil ?? null,
      evidence: breach.evidence.slice(0, 4),
    }
  })
}

/** Days on which nobody could say: no breach, and no green either. */
function undecided({ judged }: Matter): Deviation[] {
  const ids = new Set(judged.days.flatMap(({ answer }) => answer.sets.map(({ id }) => id)))
  return [...ids].flatMap((set) =>
    DIMENSIONS.flatMap((dimension): Deviation[] => {
      const days = judged.days.filter(
        ({ answer }) => answer.sets.find(({ id }) => id === set)?.dimensions[dimension] === 'unknown',
      )
      const [first] = days
      const last = days.at(-1)
      if (first === undefined || last === undefined) return []
      return [
        {
          set,
          dimension,
          code: 'unknown',
          subject: '',
          since: first.date,
          until: last === judged.days.at(-1) ? null : last.date,
          days: days.length,
          cause: { kind: 'none' },
          owner: null,
          endsAt: null,
          evidence: [],
        },
      ]
    }),
  )
}

/** What statements tell of a breach's cause. */
class Evidence {
  readonly #runs: BackupRun[] = []
  readonly #retentions: RetentionRun[] = []
  readonly #acknowledged: ContractEvent[] = []

  constructor(facts: readonly Fact[]) {
    for (const { statement } of facts) {
      if (isEvidence(statement, 'backup-run')) this.#runs.push(statement.predicate)
      else if (isEvidence(statement, 'retention-run')) this.#retentions.push(statement.predicate)
      else if (
        isEvidence(statement, 'contract-event') &&
        statement.predicate.event === 'finding-acknowledged'
      )
        this.#acknowledged.push(statement.predicate)
    }
  }

  causeOf({ code, set, subject }: Breach, obligation: ObligationAnswer | undefined): Deviation['cause'] {
    if (code === 'missed' && obligation !== undefined) {
      const { from, to } = obligation
      const there = this.#runs.filter(({ startedAt }) => startedAt >= from && startedAt < to)
      const failed = there.findLast(
        (run) => run.outcome !== 'complete' && (run.set === set || there.length === 1),
      )
      if (failed !== undefined) {
        const { error, outcome, endedAt } = failed
        return {
          kind: 'run-failed',
          at: endedAt,
          code: error?.code ?? outcome.toUpperCase(),
          message: (error?.message ?? '').slice(0, 400),
        }
      }
      return there.length === 0 ? { kind: 'no-run' } : { kind: 'none' }
    }
    const snapshot = code === 'lost' ? obligation?.witness : subject
    const removal = this.#retentions.find(
      ({ removed }) => snapshot !== undefined && removed.includes(snapshot),
    )
    return removal === undefined ? { kind: 'none' } : { kind: 'removed', at: removal.endedAt }
  }

  /** The newest acknowledgement that names the finding's snapshot, its statement, or its code. */
  ownerOf(breach: Breach, obligation: ObligationAnswer | undefined): Deviation['owner'] {
    const event = this.#acknowledged.findLast(({ detail }) => {
      const { snapshot, statement, finding, set } = detail
      if (set !== undefined && set !== breach.set) return false
      return (
        (typeof snapshot === 'string' && [obligation?.witness, breach.subject].includes(snapshot)) ||
        (typeof statement === 'string' && breach.evidence.includes(statement)) ||
        (typeof finding === 'string' &&
          [breach.code, breach.subject, `${breach.code} ${breach.subject}`].includes(finding))
      )
    })
    if (event === undefined) return null
    const { by, at, detail } = event
    const { note } = detail
    return { person: by.person, party: by.party, at, ...(typeof note === 'string' && { note }) }
  }
}
