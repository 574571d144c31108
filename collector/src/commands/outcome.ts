import { BevisError, ERRORS, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'

/** What a command came to: for people, for programs, and for the shell. */
export interface Outcome {
  /** 0 done; 1 the answer is bad; 2 there is no answer. */
  readonly exit: 0 | 1 | 2
  /** What --json prints. */
  readonly json: unknown
  /** What people read: lines. */
  readonly lines: readonly string[]
}

/** Where the table's cure is for a program that calls over HTTP. */
const CURES: { readonly [code in ErrorCode]?: string } = {
  REQUEST_INVALID: 'Give another value; see --help.',
  STORE_FAILED: 'Check the disk, and the owner and mode of the files.',
}

/** What the operating system refuses is no fault of the program: it is told with our code and its own words. */
export function foreseen(error: unknown): unknown {
  const isSystems = error instanceof Error && 'syscall' in error && 'code' in error
  const isSqlite = error instanceof Error && error.name === 'SqliteError'
  if (error instanceof BevisError || !(isSystems || isSqlite)) return error
  return new BevisError('STORE_FAILED', error.message, { cause: error })
}

/** The outcome of a command that ended in an error. */
export function failureOutcome(error: unknown): Outcome {
  const told = foreseen(error)
  const code = errorCodeOf(told)
  const { exit } = ERRORS[code]
  const cure = CURES[code] ?? ERRORS[code].cure
  const message = errorMessageOf(told)
  return { exit, json: { error: { code, message, cure } }, lines: [`${code}: ${message}`, `  ${cure}`] }
}

/** Columns that line up. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length)
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
