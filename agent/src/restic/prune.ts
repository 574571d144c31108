import { failureOf } from './failure.ts'
import type { Limits, PruneRun } from './interface.ts'
import { subsetBytes } from './packs.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { spawnRestic } from './spawn.ts'

/** restic tries one request for up to 15 minutes; after that without a byte it hangs. */
const STALL_MS = 20 * 60_000

const ALL = { part: 1, of: 1 }

/** Takes an exclusive lock. Stopped half-way it leaves a repository that is whole, with what was not removed yet. */
export async function prune(program: Program, limits: Limits = {}): Promise<PruneRun> {
  const startedAt = program.now()
  const before = subsetBytes(program, ALL)
  const running = spawnRestic(program, {
    stallMs: STALL_MS,
    ...limits,
    watchBytes: true,
    args: ['prune', ...lockArgs(program, limits)],
  })
  running.stdout?.resume()
  const ending = await running.ending
  const after = subsetBytes(program, ALL)
  const error = failureOf(ending)
  return {
    exitCode: ending.exitCode,
    startedAt,
    endedAt: program.now(),
    ...(before !== undefined && after !== undefined && { freedBytes: Math.max(0, before - after) }),
    ...(error && { error }),
  }
}
