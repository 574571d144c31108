import { BevisError } from '@bevis/shared/error'
import { assertEndedWell } from './failure.ts'
import type { Limits } from './interface.ts'
import type { Program } from './program.ts'
import { spawnRestic } from './spawn.ts'

/** Enough for 100,000 snapshots. */
const LARGEST_BYTES = 128 * 1024 * 1024
const DEADLINE_MS = 10 * 60_000

/** A command whose whole answer is small: its stdout, after exit 0. Every other end is a BevisError. */
export async function answerOf(
  program: Program,
  args: readonly string[],
  limits: Limits = {},
): Promise<string> {
  const running = spawnRestic(program, { deadlineMs: DEADLINE_MS, ...limits, args })
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of running.stdout ?? []) {
      running.progress()
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes > LARGEST_BYTES)
        throw new BevisError('RESTIC_OUTPUT_INVALID', `restic ${args[0]} wrote too much`)
    }
  } catch (error) {
    running.stop('unwanted')
    await running.ending
    throw error
  }
  assertEndedWell(await running.ending, `restic ${args[0]} at ${program.location}`)
  return Buffer.concat(chunks).toString('utf8')
}

/** Waiting for another's lock must not look like a stall. */
export function lockArgs({ capabilities, lockWaitMs }: Program, { stallMs }: Limits): string[] {
  const waitMs = Math.min(lockWaitMs, (stallMs ?? Number.POSITIVE_INFINITY) / 2)
  return capabilities.retryLock ? [`--retry-lock=${Math.max(0, Math.floor(waitMs))}ms`] : []
}
