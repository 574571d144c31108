import { setTimeout as sleep } from 'node:timers/promises'
import type { Lock, Restic } from '../restic/restic.ts'

const LOOK_EVERY_MS = 1_000

/**
 * Waits, at most `waitMs`, until no other restic's lock is in the way. restic waits by itself from 0.16 on
 * (--retry-lock), but says nothing meanwhile; before, the first lock ended the run.
 */
export async function waitForLocks(
  restic: Restic,
  options: {
    readonly isNeeded: boolean
    /** The work suffers no other beside it. */
    readonly alone: boolean
    readonly waitMs: number
    readonly signal: AbortSignal
    readonly tell: (text: string) => void
  },
): Promise<void> {
  const { alone, signal, tell } = options
  const endsAtMs = performance.now() + (options.isNeeded ? options.waitMs : 0)
  let isTold = false
  while (performance.now() < endsAtMs && !signal.aborted) {
    // What cannot be listed is the story's to tell.
    const locks = await restic.locks({ signal }).catch((): Lock[] => [])
    const other = locks.find(({ exclusive, stale }) => (exclusive || alone) && !stale)
    if (other === undefined) return
    if (!isTold)
      tell(
        `the repository is locked by process ${other.pid} on ${other.hostname} since ${other.time}; waiting for at most ${Math.round(options.waitMs / 1000)} s`,
      )
    isTold = true
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}
