import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { isEvidence } from '@bevis/shared/evidence/statement'
import { isInPeriod } from '@bevis/shared/verify/table'
import type { Voice } from '../../pages/voice.ts'
import type { PackTold } from '../pack.ts'
import { Sheet } from '../pdf/sheet.ts'
import type { Surveyed } from '../survey.ts'
import { tellTests } from './tests.ts'
import type { TestTold } from './tests.ts'

/** What every part of the evidence report is written with. */
export interface Desk {
  readonly sheet: Sheet
  readonly told: PackTold
  readonly voice: Voice
  readonly locale: Voice['locale']
  readonly t: Voice['locale']['t']
  /** A state's word and sign, for a cell. */
  readonly state: (state: string) => { text: string; look: ReturnType<Voice['look']> }
  /** The period's restore tests. */
  readonly tests: readonly TestTold[]
}

export function openDesk(told: PackTold, voice: Voice): Desk {
  const { locale } = voice
  const { t } = locale
  const { pack, gist } = told
  const inPeriod = gist.kept.filter(({ statement }) => isInPeriod(statement, pack.period))
  const digests = new Set(inPeriod.map(({ paeDigest }) => paeDigest))
  return {
    told,
    voice,
    locale,
    t,
    state: (state) => ({ text: voice.word(state), look: voice.look(state) }),
    // What came of a test may lie after the period.
    tests: tellTests(gist.kept).filter(({ digest }) => digests.has(digest)),
    sheet: new Sheet({
      title: t('evidenceReport.title', { id: pack.contract.id }),
      language: locale.language,
      madeAt: new Date(pack.madeAt),
      foot: t('paper.foot'),
      pageOf: (page, pages) => t('paper.page', { page, pages }),
    }),
  }
}

/** The last millisecond of a half-open period: the day that people call its end. */
export function lastInstant(to: string): string {
  return new Date(Date.parse(to) - 1).toISOString()
}

/** The contract's events that count, in log order. */
export function eventsOf(statements: readonly Surveyed[]): ContractEvent[] {
  return statements.flatMap(({ statement, counted }) =>
    counted && isEvidence(statement, 'contract-event') ? [statement.predicate] : [],
  )
}
