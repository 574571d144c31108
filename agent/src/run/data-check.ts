/** THE STORY of a data check: let restic read the next part of the packs byte by byte, tell, and keep the ledger. */
import { BevisError } from '@bevis/shared/error'
import type { DataCheck } from '@bevis/shared/evidence/predicates'
import { toInstant } from '@bevis/shared/format'
import { setDigest } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { observeDataCheck } from '../evidence/observe-repository.ts'
import type { Recorded, Recorder } from '../evidence/record.ts'
import type { CheckRun, Restic } from '../restic/restic.ts'
import {
  coverageOf,
  emptyLedger,
  loadCheckLedger,
  nextSlice,
  saveCheckLedger,
  withHindrance,
  withRead,
} from './check-ledger.ts'
import type { CheckLedger, Coverage, Slice } from './check-ledger.ts'
import { identifyRepository } from './repository.ts'
import type { Copy, Identity, RunLogger } from './repository.ts'

/** restic tries one request for up to 15 minutes; after that without a byte or a finding it hangs. */
const STALL_MS = 20 * 60_000

export interface DataCheckContext {
  /** Any set of the repository: it says where it is, and names the statement. */
  readonly set: SetConfig
  readonly restic: Restic
  readonly recorder: Recorder
  /** The ledger is kept in `<stateDir>/data-checks`. */
  readonly stateDir: string
  readonly now: () => Date
  readonly logger: RunLogger
  /** In how many runs every pack is read, 256 at most. */
  readonly cycle: number
  /** Left out: the one that has waited longest. */
  readonly slice?: Slice
  /** Called when it is known which one is read. */
  readonly onSlice?: (slice: Slice) => void
  readonly signal?: AbortSignal
  readonly stallMs?: number
  readonly deadlineMs?: number
}

export interface DataCheckResult {
  readonly result: DataCheck['result']
  readonly slice: Slice
  readonly errors: number
  /** restic's words about what it found, the first 100. */
  readonly messages: readonly string[]
  /** Read of the packs; null where that is not known. */
  readonly bytes: number | null
  /** With this run. */
  readonly coverage: Coverage
  /** Damage, or what kept the check from an answer; null when PASSED. */
  readonly error: BevisError | null
  readonly recorded: Recorded
}

/** Reads one slice. Whatever goes wrong is recorded; only recording itself can throw. */
export async function runDataCheck(context: DataCheckContext): Promise<DataCheckResult> {
  const { set, restic, stateDir, now, recorder } = context
  const startedAt = now()
  const identity = await identifyRepository(context)
  const { repository } = identity
  const ledger = loadCheckLedger(stateDir, repository) ?? emptyLedger()
  const slice = context.slice ?? nextSlice(ledger, context.cycle)
  context.onSlice?.(slice)
  const run = identity.error ? null : await check(context, slice)
  const { result, error } = judge(identity, run)
  const endedAt = now()
  const errors = run?.errorCount ?? 1
  const seen = { errors: result === 'FAILED' ? errors : 0, bytes: run?.readBytes ?? null }
  const recorded = await recorder.record(
    observeDataCheck({
      set: set.id,
      setDigest: setDigest(set),
      repository,
      resticVersion: restic.version,
      startedAt,
      endedAt,
      exitCode: run?.exitCode ?? -1,
      slice,
      result,
      ...seen,
    }),
  )
  const instants = { startedAt: toInstant(startedAt), endedAt: toInstant(endedAt) }
  const kept = run?.isRead
    ? withRead(ledger, slice, { ...instants, isGood: result === 'PASSED' })
    : context.signal?.aborted || error?.code === 'NOTHING_TO_TEST'
      ? ledger
      : withHindrance(ledger, slice)
  await keep(context, repository, kept)
  return {
    result,
    slice,
    ...seen,
    messages: run?.messages ?? [],
    coverage: coverageOf(kept),
    error,
    recorded,
  }
}

function check(context: DataCheckContext, subset: Slice): Promise<CheckRun> {
  const { restic, signal, stallMs = STALL_MS, deadlineMs } = context
  return restic.check({
    subset,
    stallMs,
    ...(signal && { signal }),
    ...(deadlineMs !== undefined && { deadlineMs }),
  })
}

/** Only damage is a failure; whatever else keeps restic from its answer leaves the question open. */
function judge(
  identity: Identity,
  run: CheckRun | null,
): { result: DataCheck['result']; error: BevisError | null } {
  const error = identity.error ?? (run?.error ? new BevisError(run.error.code, run.error.message) : null)
  if (!error) return { result: 'PASSED', error: null }
  return { result: error.code === 'RESTIC_REPOSITORY_DAMAGED' ? 'FAILED' : 'INCONCLUSIVE', error }
}

/** After the statement: a slice that is stated and not in the ledger is read once more, and no harm is done. */
async function keep(
  { stateDir, logger }: DataCheckContext,
  repository: Copy,
  ledger: CheckLedger,
): Promise<void> {
  try {
    await saveCheckLedger(stateDir, repository, ledger)
  } catch (err) {
    logger.warn({ err }, 'what was read could not be kept; it will be read again')
  }
}
