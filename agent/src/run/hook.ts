/**
 * Commands around a backup: a dump that is made before it, a file-system snapshot that is mounted for it and
 * taken away again. They come from this machine's own configuration, and from nowhere else.
 *
 * A hook is told what it is for in its environment: BEVIS_SET, BEVIS_PHASE (before, after), and after a backup
 * BEVIS_OUTCOME (complete, partial, failed) and BEVIS_SNAPSHOT, empty when there is none. What it prints goes
 * into the log when it fails, and never into evidence.
 */
import { BevisError } from '@bevis/shared/error'
import { environment } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { runCommand } from '../local-command.ts'
import { parseDuration } from '../quantity.ts'
import type { RunLogger } from './repository.ts'

export interface HookContext {
  readonly set: Pick<SetConfig, 'id' | 'hooks'>
  readonly logger: RunLogger
  readonly signal?: AbortSignal
}

/** When the agent is told to stop, what was mounted is still taken away; then nobody waits any longer. */
const LAST_CHANCE_MS = 60_000

/**
 * Runs the commands until one fails: what follows, and the backup, would not find what they count on.
 * @throws BevisError HOOK_FAILED, INTERRUPTED
 */
export async function runHooksBefore({ set, logger, signal }: HookContext): Promise<void> {
  for (const argv of set.hooks.before) {
    const error = await runHook(argv, { set, logger, phase: 'before', ...(signal && { signal }) })
    if (error) throw signal?.aborted ? new BevisError('INTERRUPTED', error.message) : error
  }
}

/** Runs every command, also when the one before it failed or the run was stopped. Never throws. */
export async function runHooksAfter(
  { set, logger, signal }: HookContext,
  backup: { outcome: string; snapshotId: string | null },
): Promise<BevisError[]> {
  const errors: BevisError[] = []
  for (const argv of set.hooks.after) {
    const error = await runHook(argv, {
      set,
      logger,
      phase: 'after',
      variables: { BEVIS_OUTCOME: backup.outcome, BEVIS_SNAPSHOT: backup.snapshotId ?? '' },
      ...(signal?.aborted && { mostMs: LAST_CHANCE_MS }),
    })
    if (error) errors.push(error)
  }
  return errors
}

async function runHook(
  argv: readonly [string, ...string[]],
  hook: HookContext & {
    readonly phase: 'before' | 'after'
    readonly variables?: Readonly<Record<string, string>>
    readonly mostMs?: number
  },
): Promise<BevisError | null> {
  const { set, logger, phase, signal, variables = {}, mostMs = Infinity } = hook
  const { ended, how, output } = await runCommand({
    argv,
    env: { ...environment.forRestic, ...variables, BEVIS_SET: set.id, BEVIS_PHASE: phase },
    timeoutMs: Math.min(parseDuration(set.hooks.timeout), mostMs),
    ...(signal && { signal }),
  })
  const what = `the hook ${argv[0]} ${phase} the backup of ${set.id} ${how}`
  if (ended === 'well') {
    logger.info({ set: set.id, hook: argv[0], output }, what)
    return null
  }
  logger.warn({ set: set.id, hook: argv[0], output }, output === '' ? what : `${what}; it said: ${output}`)
  return new BevisError('HOOK_FAILED', what)
}
