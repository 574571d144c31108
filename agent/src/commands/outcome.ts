import { BevisError, ERRORS, errorMessageOf, errorCodeOf } from '@bevis/shared/error'
import { cureOf } from '../cure.ts'

/** What a command came to: for people, for programs, and for the shell. */
export interface Outcome {
  /** 0 done; 1 the answer is bad; 2 there is no answer. */
  readonly exit: 0 | 1 | 2
  /** What --json prints. */
  readonly json: unknown
  /** What people read: lines. */
  readonly lines: readonly string[]
}

/** The outcome of a command that ended in an error. */
export function failureOutcome(thrown: unknown): Outcome {
  const error = asOurs(thrown)
  const code = errorCodeOf(error)
  const { exit } = ERRORS[code]
  const cure = cureOf(error)
  const message = errorMessageOf(error)
  return { exit, json: { error: { code, message, cure } }, lines: [`${code}: ${message}`, `  ${cure}`] }
}

/** What a full or read-only disk, or the database on it, says wherever it is met: there is a cure for that. */
function asOurs(error: unknown): unknown {
  if (error instanceof BevisError || !(error instanceof Error) || !('code' in error)) return error
  const said = String(error.code)
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(said))
    return new BevisError('STATE_DAMAGED', error.message, { cause: error })
  return /^(SQLITE_|ENOSPC$|EDQUOT$|EROFS$)/.test(said)
    ? new BevisError('STORE_FAILED', error.message, { cause: error })
    : error
}
