import { ERRORS, errorCodeOf } from '@bevis/shared/error'
import type { BevisError, ErrorCode } from '@bevis/shared/error'

/** Where the table speaks to somebody at the collector, and an agent's user reads it. */
const HERE: Partial<Record<ErrorCode, string>> = {
  STORE_FAILED:
    'Free space on the disk of the state folder, then run it again; what was recorded is not lost.',
  REQUEST_INVALID: 'Agent and collector do not understand each other: bring both to the same version.',
  LOG_ROLLED_BACK: 'Tell whoever runs the collector: it must restore the newest database.',
  AGENT_REVOKED: 'If nobody meant to, ask for a new invitation, and enrol with an empty state folder.',
  AGENT_UNKNOWN: 'Tell whoever runs the collector: it has lost this agent, or it is another collector.',
}

const cures = new WeakMap<BevisError, string>()

/** The error with a cure that fits better than its code's. */
export function withCure(error: BevisError, cure: string): BevisError {
  cures.set(error, cure)
  return error
}

/** What a person does about an error. */
export function cureOf(error: unknown): string {
  return cures.get(error as BevisError) ?? cureOfCode(errorCodeOf(error))
}

export function cureOfCode(code: ErrorCode): string {
  return HERE[code] ?? ERRORS[code].cure
}
