import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { Checkpoint } from '@bevis/shared/log/checkpoint'

/** What was in our hands when an answer did not hold. */
export interface Found {
  /** The newest head that was verified before. */
  readonly last: Checkpoint | null
  /** The note that came, and the consistency proof that came with it. */
  readonly note: string
  readonly hashes: readonly string[]
  /** The answer as it came. */
  readonly received: unknown
}

/** An answer about the log that does not hold: the error, and all that it can be proven with. */
export class DoubtError extends BevisError {
  readonly found: Found

  constructor(error: unknown, found: Found) {
    super(errorCodeOf(error), errorMessageOf(error), { cause: error })
    this.found = found
  }
}
