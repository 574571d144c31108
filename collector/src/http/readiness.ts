import { setTimeout as sleep } from 'node:timers/promises'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { Log } from '../log/log.ts'
import { findDatedAhead } from '../store/read/ahead.ts'
import type { Store } from '../store/store.ts'

/** How long a failed write speaks against us, unless one succeeds: the disk may have room for a small one only. */
const REMEMBERED_MS = 30_000
/** Whoever may ask may ask often; the disk is asked once in this time. */
const PROBED_EVERY_MS = 2_000
const PATIENCE_MS = 3_000

/** Whether evidence can be taken, and dated. */
export interface Readiness {
  /** A write failed, or what needs one. */
  failed(error: BevisError): void
  /** Evidence was answered, if only as known: what failed before is over, or the next probe finds it again. */
  succeeded(): void
  /** @throws BevisError the reason why nothing is taken, or is dated wrongly */
  assertReady(): Promise<void>
}

export function watchReadiness(store: Store, log: Log, now: () => Date): Readiness {
  let failure: { error: BevisError; at: number } | null = null
  let probed: { result: Promise<void>; at: number } | null = null
  return {
    failed: (error) => {
      failure = { error, at: performance.now() }
    },
    succeeded: () => {
      failure = null
      probed = null
    },
    async assertReady() {
      if (log.trouble !== null) throw log.trouble
      if (failure !== null && performance.now() - failure.at < REMEMBERED_MS) throw failure.error
      if (probed === null || performance.now() - probed.at > PROBED_EVERY_MS) {
        const result = store.probe()
        result.catch(() => undefined) // it is told below, to whoever still waits
        probed = { result, at: performance.now() }
      }
      // A disk that is slow, or busy with the transaction of another, is not broken.
      await Promise.race([probed.result, sleep(PATIENCE_MS, undefined, { ref: false })])
      const trouble = await clockTrouble(store, now())
      if (trouble !== null) throw trouble
    },
  }
}

/** Why what comes now is dated wrongly, whichever of the two clocks is to blame; null when it is not. */
export async function clockTrouble({ db }: Pick<Store, 'db'>, now: Date): Promise<BevisError | null> {
  const ahead = await findDatedAhead(db, now)
  if (ahead === null) return null
  const { statement, until } = ahead
  return new BevisError(
    'CLOCK_AHEAD',
    `statement ${statement} of the log was received at ${until} by this machine’s clock, which says ${toInstant(now)} ` +
      `now: what comes is dated ${until} until then. If the clock is behind, set it right; if it was ahead, those ` +
      'dates cannot be taken back, and only time stamps by outside clocks (timestamps) tell when it really came',
  )
}
