import { setTimeout as sleep } from 'node:timers/promises'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import type { SendReport } from './send.ts'

/** Keeps the outbox empty for as long as it is open. */
export interface Delivery {
  /** There is something to send: try now, unless a wait after a failure is on. */
  poke(): void
  /** Ends the wait and the loop; resolves when nothing is on its way any more. */
  close(): Promise<void>
}

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 5 * 60_000
/** When a person has to act first, there is no hurry. */
const HOPELESS_WAIT_MS = 15 * 60_000
const LONGEST_ASKED_WAIT_MS = 3_600_000
const OTHER_SENDER_WAIT_MS = 5_000

const HOPELESS: ReadonlySet<ErrorCode> = new Set([
  'AGENT_UNKNOWN',
  'AGENT_REVOKED',
  'RECEIPT_INVALID',
  'CHECKPOINT_INVALID',
  'PROOF_INVALID',
  'LOG_INCONSISTENT',
  'LOG_ROLLED_BACK',
  'COLLECTOR_REFUSED',
])

/** The wait after the nth failure in a row: doubled each time, and drawn from its upper half, so that agents part. */
export function waitMs(failures: number, report: SendReport, random: number): number {
  if (report.retryAfterMs !== null)
    return Math.min(report.retryAfterMs, LONGEST_ASKED_WAIT_MS) * (1 + random / 10)
  const hopeless = report.failure !== null && HOPELESS.has(report.failure.code)
  const longest = hopeless ? HOPELESS_WAIT_MS : Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS)
  return Math.round(longest * (0.5 + random / 2))
}

/** A pass that threw is a failure like another: the loop must never end by itself. */
function failedReport(cause: unknown): SendReport {
  const failure =
    cause instanceof BevisError ? cause : new BevisError('INTERNAL', errorMessageOf(cause), { cause })
  return { logged: 0, refused: 0, failure, retryAfterMs: null, alarms: [] }
}

/**
 * @param send one pass over the outbox; null when another process is at it
 * @param told is given what each pass came to
 */
export function openDelivery(
  send: (signal: AbortSignal) => Promise<SendReport | null>,
  told: (report: SendReport) => void,
): Delivery {
  const closing = new AbortController()
  let wake: () => void = () => {}
  let isPoked = true

  const run = async (): Promise<void> => {
    let failures = 0
    while (!closing.signal.aborted) {
      if (!isPoked) await new Promise<void>((resolve) => (wake = resolve))
      if (closing.signal.aborted) return
      isPoked = false
      const report = await Promise.try(send, closing.signal).catch(failedReport)
      if (report === null) {
        isPoked = true
        await rest(OTHER_SENDER_WAIT_MS)
        continue
      }
      if (closing.signal.aborted) return // cut short by us, which is nothing to tell
      told(report)
      if (report.failure === null) {
        failures = 0
        continue
      }
      isPoked = true
      await rest(waitMs(failures++, report, Math.random()))
    }
  }

  /** Ends early, and quietly, when the loop is closed. */
  const rest = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { signal: closing.signal }).catch(() => {})
  }

  const running = run()
  return {
    poke() {
      isPoked = true
      wake()
    },
    close: async () => {
      closing.abort()
      wake()
      await running
    },
  }
}
