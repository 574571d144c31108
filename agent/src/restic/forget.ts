import { failureOf } from './failure.ts'
import { assertFullId } from './full-id.ts'
import type { ForgetRequest, ForgetRun, RunError } from './interface.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { spawnRestic } from './spawn.ts'
import type { Ending, Running } from './spawn.ts'
import { codeOfText, isLeftUndone, refusalOf } from './stderr.ts'

/** Longer than any lock is waited for; restic itself would try an unreachable storage for 15 minutes. */
const DEADLINE_MS = 10 * 60_000

/**
 * Asks the storage to delete these snapshots, named in full. Its refusal ends the run at once: until 0.16 restic takes a 403 for
 * a passing trouble and asks again for 15 minutes, and until 0.18 it exits 0 after a refusal.
 */
export async function forget(program: Program, request: ForgetRequest): Promise<ForgetRun> {
  const { snapshotIds, ...limits } = request
  for (const id of snapshotIds) assertFullId(id)
  const startedAt = program.now()
  let refusal: string | undefined
  const running: Running = spawnRestic(program, {
    deadlineMs: DEADLINE_MS,
    ...limits,
    args: ['forget', '--json', '--no-cache', ...lockArgs(program, limits), '--', ...snapshotIds],
    onSaid: (line) => {
      for (const id of snapshotIds) refusal ??= refusalOf(line, id)
      if (refusal !== undefined && !program.capabilities.cleanSigterm) running.stop('unwanted')
    },
  })
  running.stdout?.resume()
  const ending = await running.ending
  const run = { exitCode: ending.exitCode, startedAt, endedAt: program.now() }
  if (refusal !== undefined) return { ...run, answer: 'refused', refusal }
  const error = failureOf(ending) ?? undone(ending)
  return error ? { ...run, answer: 'unknown', error } : { ...run, answer: 'removed' }
}

function undone({ text, isRemote }: Ending): RunError | undefined {
  if (!isLeftUndone(text)) return undefined
  return {
    code: codeOfText(text, isRemote) ?? 'RESTIC_FAILED',
    message: `restic forget left it: ${text}`.slice(0, 1_500),
  }
}
