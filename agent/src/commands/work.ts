import { join } from 'node:path'
import { errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import { environment, setOf } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { requireIdentity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { keepOwnRuns } from '../evidence/own-runs.ts'
import type { Recorder } from '../evidence/record.ts'
import { lock } from '../lock.ts'
import type { Restic } from '../restic/restic.ts'
import { isAboutTrust } from '../outbox/send.ts'
import { forgetAttempt, repositoryLock, saveAttempt } from '../schedule/attempt.ts'
import type { Attempt } from '../schedule/attempt.ts'
import { saveMark } from '../schedule/mark.ts'
import type { Work } from '../schedule/mark.ts'
import { inventoryKeeper } from '../schedule/plan.ts'
import { cureOf } from '../cure.ts'
import { stateDeaths } from './death.ts'
import { plainLogger } from './log.ts'
import type { Logger } from './log.ts'
import { recorderOf, sendEvidence } from './open.ts'
import type { Opened } from './open.ts'
import { openProgress, paint, printable } from './terminal.ts'
import type { ProgressLine } from './terminal.ts'
import { waitForLocks } from './wait-for-locks.ts'

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

/** How long somebody at a terminal waits for a repository that another works on; the service has more patience. */
const PATIENCE_BY_HAND_MS = 30_000
const PATIENCE_OF_SERVICE_MS = 5 * 60_000

/** What a story came to, as far as the schedule is concerned. */
export interface WorkResult {
  /** `inconclusive`: no answer was reached. `empty`: there was nothing to back up. */
  readonly outcome: 'passed' | 'failed' | 'inconclusive' | 'empty'
  readonly error: { readonly code: string } | null
}

/** A verdict, as the schedule remembers it. */
export const MARK_OF = {
  PASSED: 'passed',
  FAILED: 'failed',
  INCONCLUSIVE: 'inconclusive',
} as const

/**
 * Runs a story on a set's repository, which no other process works on meanwhile, and marks that it ran.
 * @throws BevisError NOT_ENROLLED, STATE_LOCKED, RESTIC_MISSING …: then nothing was done
 */
export async function workOn<R>(
  opened: Opened,
  /** `isLook`: nothing is done, so nothing is remembered of it either. */
  { id, what, isLook = false }: { id: string; what: Work; isLook?: boolean },
  options: WorkOptions,
  story: (bench: Bench, progress: ProgressLine) => Promise<R>,
  resultOf: (result: R) => WorkResult,
): Promise<R> {
  const { config, state, now } = opened
  const set = setOf(config, id)
  const recorder = recorderOf(opened)
  const file = repositoryLock(state.folder, set.repository.url)
  // The service comes back to it by itself; somebody at a terminal would have to.
  const held = await lock(file, `${what} of ${id}`, { waitMs: options.send ? PATIENCE_BY_HAND_MS : 0, now })
  const progress = options.json ? SILENT : openProgress(process.stderr, () => performance.now())
  const sayStopping = (): void =>
    void process.stderr.write('stopping: restic takes its lock away first (the same again leaves it)\n')
  if (!options.json) options.signal.addEventListener('abort', sayStopping, { once: true })
  const startedAt = now().toISOString()
  await stateDeaths(opened, set.repository.url)
  const attempt: Attempt = {
    set: keeperOf(opened, set, what),
    what,
    startedAt,
    endedAt: null,
    repository: set.repository.url,
  }
  if (!isLook) saveAttempt(state, attempt)
  const mark = (result: WorkResult): void => {
    if (isLook) return
    // Without a mark it stays owed.
    if (options.signal.aborted) saveAttempt(state, { ...attempt, endedAt: now().toISOString() })
    else keepMark(opened, set, what, startedAt, result)
  }
  try {
    const logger = plainLogger(options.json ? 'warn' : config.log === 'debug' ? 'debug' : 'warn')
    const { signal } = options
    const patienceMs = options.send ? PATIENCE_BY_HAND_MS : PATIENCE_OF_SERVICE_MS
    const restic = await openRepository(opened, set, logger, patienceMs)
    await waitForLocks(restic, {
      // A restic that cannot wait for itself needs us; and whoever sits at a terminal is told why nothing moves.
      isNeeded: options.send || !restic.capabilities.retryLock,
      alone: !isLook && (what === 'data-check' || what === 'retention'),
      waitMs: patienceMs,
      signal,
      tell: (text) => process.stderr.write(`${printable(text)}\n`),
    })
    const result = await story(
      { set, restic, recorder, stateDir: state.folder, now, logger, signal },
      progress,
    )
    try {
      keepOwnRuns(state)
    } catch (err) {
      logger.warn({ err }, 'what was stated could not be taken over; the next run does it')
    }
    mark(resultOf(result))
    return result
  } catch (error) {
    const code = errorCodeOf(error)
    if (isLook) throw error
    if (code === 'USAGE') {
      // Nothing was done, and nothing is wrong with the backups: a slip of the keyboard is no evidence.
      forgetAttempt(state, attempt)
      throw error
    }
    mark({ outcome: 'failed', error: { code } })
    // A story records its own failures; this is one that it could not, so the agent says it.
    const detail = { set: id, what, message: errorMessageOf(error).slice(0, 1000) }
    await recorder.record(lifecycle(requireIdentity(state), 'alarm', now(), { reason: code, detail }))
    throw error
  } finally {
    progress.end()
    options.signal.removeEventListener('abort', sayStopping)
    held.release()
    if (options.send) await sendAtEnd(opened)
  }
}

/** Remembers that a kind of work was done, so that the schedule does not owe it. */
export function keepMark(
  opened: Opened,
  set: SetConfig,
  what: Work,
  startedAt: string,
  { outcome, error }: WorkResult,
): void {
  const { state, now } = opened
  const keeper = keeperOf(opened, set, what)
  const endedAt = now().toISOString()
  state.write(() => {
    saveMark(state, keeper, what, { startedAt, endedAt, outcome, code: error?.code ?? null })
    forgetAttempt(state, { set: keeper, what })
  })
}

/** Under whose name it is remembered: an inventory is of a repository, whichever set it was asked for. */
function keeperOf({ config }: Opened, set: SetConfig, what: Work): string {
  return what === 'inventory' ? (inventoryKeeper(config.sets, set.repository.url)?.id ?? set.id) : set.id
}

/** restic on the set's repository, with a cache of its own in the state folder. */
export async function openRepository(
  opened: Opened,
  set: SetConfig,
  logger: Logger,
  lockWaitMs?: number,
): Promise<Restic> {
  const { openRestic } = await import('../restic/restic.ts')
  return openRestic({
    binary: opened.config.restic,
    repository: set.repository,
    cacheDir: join(opened.state.folder, 'cache'),
    environment: environment.forRestic,
    now: opened.now,
    logger,
    ...(lockWaitMs !== undefined && { lockWaitMs }),
  })
}

/** Tries to send; what cannot be sent now waits in the outbox, and that is no failure of the work. */
async function sendAtEnd(opened: Opened): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`${printable(text)}\n`)
  try {
    const report = await sendEvidence(opened, AbortSignal.timeout(SEND_TIMEOUT_MS))
    const { failure, alarms } = report ?? { failure: null, alarms: [] }
    if (failure !== null && isAboutTrust(failure.code)) {
      say(paint('red', `✗ ALARM ${failure.code}: ${failure.message}`))
      say(`  The evidence waits in the outbox. ${cureOf(failure)} Until then status and doctor say so.`)
    } else if (failure !== null) say(`not sent yet: ${failure.message}`)
    for (const { code, message } of alarms)
      if (code !== failure?.code) say(paint('red', `✗ ALARM ${code}: ${message}`))
  } catch (error) {
    say(`not sent yet: ${errorMessageOf(error)}`)
  }
}
