import { formatCsvLine } from '../csv.ts'
import type { ClauseId } from '../evidence/clause.ts'
import type { Statement } from '../evidence/statement.ts'
import { evidenceNameOf } from '../evidence/statement.ts'

const FIRST_COLUMNS = ['leaf', 'received_at', 'in_period'] as const
const COLUMNS = [
  'agent',
  'epoch',
  'number',
  'kind',
  'dated',
  'set',
  'repository',
  'snapshot',
  'outcome',
  'statement',
] as const

/** One row of `evidence.csv`. */
export interface TableRow {
  readonly leafIndex: number
  readonly receivedAt: string
  readonly inPeriod: boolean
  /** Left out where a pack was asked for none: its table has no such column. */
  readonly clauses?: readonly ClauseId[] | undefined
  readonly paeDigest: string
  readonly statement: Statement
}

export function formatTableHead({ filter }: { readonly filter?: unknown }): string {
  return formatCsvLine([...FIRST_COLUMNS, ...(filter === undefined ? [] : ['clauses']), ...COLUMNS])
}

export function formatRow({
  leafIndex,
  receivedAt,
  inPeriod,
  clauses,
  paeDigest,
  statement,
}: TableRow): string {
  const { predicate } = statement
  const chain = 'chain' in predicate ? predicate.chain : null
  const cells = [
    leafIndex,
    receivedAt,
    inPeriod ? 'yes' : 'no',
    ...(clauses === undefined ? [] : [clauses.join(' ')]),
    chain?.agent ?? '',
    chain?.epoch ?? '',
    chain?.seq ?? '',
    evidenceNameOf(statement),
    datedAt(statement),
    'set' in predicate ? (predicate.set ?? '') : '',
    'repository' in predicate ? predicate.repository.id : '',
    'snapshot' in predicate ? (predicate.snapshot?.id ?? '') : '',
    outcomeOf(statement),
    paeDigest,
  ]
  return formatCsvLine(cells)
}

/** The end of what a statement tells, by its agent's clock. */
export function datedAt({ predicate }: Statement): string {
  if ('endedAt' in predicate) return predicate.endedAt
  return 'takenAt' in predicate ? predicate.takenAt : predicate.at
}

/** One word for how it went. */
export function outcomeOf({ predicate }: Statement): string {
  if ('outcome' in predicate) return predicate.outcome
  if ('result' in predicate) return predicate.result
  if ('event' in predicate) return predicate.event
  if ('complete' in predicate) return predicate.complete ? 'complete' : 'partial'
  return String(predicate.exitCode)
}

/** True for statements dated in [from, to). */
export function isInPeriod(
  statement: Statement,
  period: { readonly from: string; readonly to: string },
): boolean {
  const dated = datedAt(statement)
  return dated >= period.from && dated < period.to
}
