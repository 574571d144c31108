import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { environment, setOf } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { requireIdentity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import type { Recorder } from '../evidence/record.ts'
import { lock } from '../lock.ts'
import type { Restic } from '../restic/restic.ts'
import { saveMark } from '../schedule/mark.ts'
import type { Work } from '../schedule/mark.ts'
import { inventoryKeeper } from '../schedule/plan.ts'
import { plainLogger } from './log.ts'
import type { Logger } from './log.ts'
import { recorderOf, sendEvidence } from './open.ts'
import type { Opened } from './open.ts'
import { openProgress } from './terminal.ts'
import type { ProgressLine } from './terminal.ts'

/** How a command that works on a repository was called. */
export interface WorkOptions {
  readonly signal: AbortSignal
  /** Whether what it recorded is sent before it ends; the service sends for its children. */
  readonly send: boolean
  readonly json: boolean
}

/** What a story works with. */
export interface Bench {
  readonly set: SetConfig
  readonly restic: Restic
  readonly recorder: Recorder
  readonly stateDir: string
  readonly now: () => Date
  readonly logger: Logger
  readonly signal: AbortSignal
}

const SILENT: ProgressLine = { update: () => {}, end: () => {} }

/** How long evidence may take to be sent at the end of a command by hand; the rest waits for the service. */
const SEND_TIMEOUT_MS = 15_000

/** What a story came to, as far as the schedule is concerned. */
export interface WorkResult {
  readonly outcome: 'passed' | 'failed'
  readonly error: { readonly code: string } | null
}

/**
 * Runs a story on a set's repository, which no other process works on meanwhile, and marks that it ran.
 * @throws BevisError NOT_ENROLLED, STATE_LOCKED, RESTIC_MISSING …: then nothing was done
 */
export async function workOn<R>(
  opened: Opened,
  { id, what }: { id: string; what: Work },
  options: WorkOptions,
  story: (bench: Bench, progress: ProgressLine) => Promise<R>,
  resultOf: (result: R) => WorkResult,
): Promise<R> {
  const { config, state, now } = opened
  const set = setOf(config, id)
  const recorder = recorderOf(opened)
  const locks = join(state.folder, 'locks')
  mkdirSync(locks, { recursive: true, mode: 0o700 })
  const file = join(locks, `${sha256Hex(set.repository.url).slice(0, 16)}.lock`)
  const held = await lock(file, `${what} of ${id}`, { waitMs: 0, now })
  const progress = options.json ? SILENT : openProgress(process.stderr, () => performance.now())
  const startedAt = now().toISOString()
  let isBegun = false
  const mark = (result: WorkResult): void => {
    if (!options.signal.aborted) keepMark(opened, set, what, startedAt, result) // else it stays owed
  }
  try {
    const logger = plainLogger(options.json ? 'warn' : config.log === 'debug' ? 'debug' : 'warn')
    const restic = await openRepository(opened, set, logger)
    const { signal } = options
    const result = await story(
      { set, restic, recorder, stateDir: state.folder, now, logger, signal },
      progress,
    )
    mark(resultOf(result))
    return result
  } catch (error) {
    const code = errorCodeOf(error)
    mark({ outcome: 'failed', error: { code } })
    // A story records its own failures; this is one that it could not, so the agent says it.
    const detail = { set: id, what, begun: isBegun, message: errorMessageOf(error).slice(0, 1000) }
    await recorder.record(lifecycle(requireIdentity(state), 'alarm', now(), { reason: code, detail }))
    throw error
  } finally {
    progress.end()
    held.release()
    if (options.send) await sendAtEnd(opened)
  }
}

/** Remembers that a kind of work was done, so that the schedule does not owe it. */
export function keepMark(
  { config, state, now }: Opened,
  set: SetConfig,
  what: Work,
  startedAt: string,
  { outcome, error }: WorkResult,
): void {
  const keeper =
    what === 'inventory' ? (inventoryKeeper(config.sets, set.repository.url)?.id ?? set.id) : set.id
  saveMark(state, keeper, what, {
    startedAt,
    endedAt: now().toISOString(),
    outcome,
    code: error?.code ?? null,
  })
}

/** restic on the set's repository, with a cache of its own in the state folder. */
export async function openRepository(opened: Opened, set: SetConfig, logger: Logger): Promise<Restic> {
  const { openRestic } = await import('../restic/restic.ts')
  return openRestic({
    binary: opened.config.restic,
    repository: set.repository,
    cacheDir: join(opened.state.folder, 'cache'),
    environment: environment.forRestic,
    now: opened.now,
    logger,
  })
}

/** Tries to send; what cannot be sent now waits in the outbox, and that is no failure of the work. */
async function sendAtEnd(opened: Opened): Promise<void> {
  try {
    const report = await sendEvidence(opened, AbortSignal.timeout(SEND_TIMEOUT_MS))
    if (report?.failure) process.stderr.write(`not sent yet: ${report.failure.message}\n`)
  } catch (error) {
    process.stderr.write(`not sent yet: ${errorMessageOf(error)}\n`)
  }
}
