import type { ReportReply } from '@bevis/shared/contract/report-reply'
import type { Voice } from '../../pages/voice.ts'
import type { Corrections } from './compare.ts'
import type { ServiceReport } from './model.ts'

/** What is known of a report's being issued; null for a draft. */
export interface Issued {
  readonly at: string
  readonly person: string
  /** SHA-256 of the statement in the log; null in what that statement is about. */
  readonly statement: string | null
  /** Of report.json. */
  readonly sha256: string
}

export interface Telling {
  readonly report: ServiceReport
  readonly voice: Voice
  readonly issued: Issued | null
  /** What evidence that came since says otherwise; only of an issued report. */
  readonly corrections: Corrections | null
  /** What the parties have said of it since; in log order. */
  readonly replies: readonly ReportReply[]
}
