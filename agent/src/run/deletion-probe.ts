/** THE STORY of a deletion probe: try to delete a snapshot made for it, look whether it is still there, tell. */
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { DeletionProbe } from '@bevis/shared/evidence/predicates'
import { setDigest } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { observeDeletionProbe } from '../evidence/observe-repository.ts'
import type { Recorded, Recorder } from '../evidence/record.ts'
import type { ForgetRun, Limits, Restic } from '../restic/restic.ts'
import { probeSnapshot } from './probe-snapshot.ts'
import { identifyRepository } from './repository.ts'
import type { RunLogger } from './repository.ts'

export interface DeletionProbeContext {
  /** Any set of the repository: its credentials are the ones that are tried. */
  readonly set: SetConfig
  readonly restic: Restic
  readonly recorder: Recorder
  readonly stateDir: string
  readonly now: () => Date
  readonly logger: RunLogger
  readonly signal?: AbortSignal
  /** For each of restic's runs; left out: 10 minutes. */
  readonly deadlineMs?: number
}

export interface DeletionProbeResult {
  /** refused: append-only is proven. allowed: whoever has the agent's credentials can delete backups. */
  readonly outcome: DeletionProbe['outcome']
  readonly snapshotId: string | null
  /** What came back, in words. */
  readonly answer: string
  /** Why it is inconclusive. */
  readonly error: BevisError | null
  readonly recorded: Recorded
}

const DEADLINE_MS = 10 * 60_000

type Tried = Omit<DeletionProbeResult, 'recorded'>

/** Probes a repository once. Whatever goes wrong is recorded; only recording itself can throw. */
export async function runDeletionProbe(context: DeletionProbeContext): Promise<DeletionProbeResult> {
  const { set, restic, now, recorder } = context
  const identity = await identifyRepository(context)
  const at = now()
  const tried = identity.error ? inconclusive(null, identity.error) : await probe(context)
  const recorded = await recorder.record(
    observeDeletionProbe({
      set: set.id,
      setDigest: setDigest(set),
      repository: identity.repository,
      resticVersion: restic.version,
      at,
      snapshotId: tried.snapshotId,
      outcome: tried.outcome,
      by: `restic forget with the agent's own credentials: ${tried.answer}`,
    }),
  )
  return { ...tried, recorded }
}

async function probe(context: DeletionProbeContext): Promise<Tried> {
  const { restic, signal, deadlineMs = DEADLINE_MS, logger } = context
  const limits: Limits = { deadlineMs, ...(signal && { signal }) }
  let snapshotId: string | null = null
  try {
    snapshotId = await probeSnapshot(context, limits)
    const run = await restic.forget({ ...limits, snapshotIds: [snapshotId] })
    if (run.error) return inconclusive(snapshotId, new BevisError(run.error.code, run.error.message))
    // What restic and the storage say is a claim: only a whole listing shows what they did.
    const listed = await restic.snapshots(limits)
    const isThere = listed.some(({ id }) => id === snapshotId)
    return judge(run, snapshotId, isThere)
  } catch (cause) {
    logger.warn({ err: cause }, 'whether the storage refuses deletion could not be told')
    const message = errorMessageOf(cause)
    return inconclusive(
      snapshotId,
      cause instanceof BevisError ? cause : new BevisError(errorCodeOf(cause), message, { cause }),
    )
  }
}

/** Both must say the same: the storage's answer, and what the repository holds afterwards. */
function judge({ answer, refusal }: ForgetRun, snapshotId: string, isThere: boolean): Tried {
  if (answer === 'refused' && isThere) {
    return { outcome: 'refused', snapshotId, answer: `refused by the storage: ${refusal ?? ''}`, error: null }
  }
  if (answer === 'removed' && !isThere) {
    return { outcome: 'allowed', snapshotId, answer: 'allowed, the snapshot is gone', error: null }
  }
  const message = isThere
    ? 'restic says that it deleted the snapshot, but it is still listed'
    : `the storage refused to delete the snapshot (${refusal ?? ''}), but it is gone`
  return inconclusive(snapshotId, new BevisError('RESTIC_FAILED', message))
}

function inconclusive(snapshotId: string | null, error: BevisError): Tried {
  return { outcome: 'inconclusive', snapshotId, answer: `no answer: ${error.code}: ${error.message}`, error }
}
