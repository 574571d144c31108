import { ERRORS, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
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
export function failureOutcome(error: unknown): Outcome {
  const code = errorCodeOf(error)
  const { exit } = ERRORS[code]
  const cure = cureOf(error)
  const message = errorMessageOf(error)
  return { exit, json: { error: { code, message, cure } }, lines: [`${code}: ${message}`, `  ${cure}`] }
}
