import type { Statement } from '../../evidence/statement.ts'
import type { Report } from '../report.ts'

/** What the page asks of its worker. */
export type Question =
  | {
      readonly kind: 'verify'
      readonly pack: File
      readonly trust: readonly { name: string; text: string }[]
    }
  /** The whole statement of a row. */
  | { readonly kind: 'statement'; readonly row: number }

/** A statement as the page's table shows it. */
export interface Row {
  readonly leafIndex: number
  readonly dated: string
  readonly kind: string
  readonly agent: string
  readonly set: string
  readonly outcome: string
}

export type Answer =
  | { readonly kind: 'progress'; readonly step: 'reading' | 'signatures' | 'judging'; readonly part: number }
  | { readonly kind: 'report'; readonly report: Report; readonly rows: readonly Row[] }
  /** It could not be done; `why` names the place and the cure. */
  | { readonly kind: 'failed'; readonly why: string }
  | {
      readonly kind: 'statement'
      readonly row: number
      readonly statement: Statement
      readonly digest: string
    }
