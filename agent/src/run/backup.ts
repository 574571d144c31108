/** THE STORY of a backup: hooks before, look at the source, run restic, take the witness, hooks after, tell. */
import { join, resolve } from 'node:path'
import { BevisError, errorCodeOf } from '@bevis/shared/error'
import type { Anomaly } from '../anomaly/judge.ts'
import { setDigest } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { observeBackup, snapOf } from '../evidence/observe.ts'
import type { ObservedBackup } from '../evidence/observe.ts'
import type { Recorded, Recorder } from '../evidence/record.ts'
import { listManifests } from '../manifest/file.ts'
import type { ManifestTally } from '../manifest/tally.ts'
import { takeWitness } from '../manifest/witness.ts'
import type { Witness, WitnessRequest } from '../manifest/witness.ts'
import type { BackupRun, Limits, Node, Progress, Restic } from '../restic/restic.ts'
import { openDigestPool } from '../tree/digest-pool.ts'
import { bytePathOf } from '../tree/path.ts'
import { findAnomalies, judgedLast, watchedPaths } from './anomaly.ts'
import { raiseHold } from './hold.ts'
import { runHooksAfter, runHooksBefore } from './hook.ts'
import { identifyBeside, identifyRepository } from './repository.ts'
import type { Identity, Listing, RunLogger } from './repository.ts'
import { settleSources } from './settle.ts'
import { describeRoot, missingRoots } from './source-roots.ts'

export interface BackupContext {
  readonly set: SetConfig
  readonly restic: Restic
  readonly recorder: Recorder
  /** Manifests are kept in `<stateDir>/manifests/<set>`. */
  readonly stateDir: string
  readonly now: () => Date
  readonly logger: RunLogger
  readonly signal?: AbortSignal
  /** Threads that hash; two when left out. */
  readonly threads?: number
  /** Paths that a contract wants to see in every backup; left out: none. */
  readonly mustBeThere?: readonly string[]
  readonly onProgress?: (progress: BackupProgress) => void
}

export type BackupProgress =
  | ({ step: 'backup' } & Progress)
  | { step: 'witness'; files: number; bytes: number }

export interface BackupResult {
  readonly outcome: 'complete' | 'partial' | 'failed'
  readonly snapshotId: string | null
  /** The repository as it was after the run, for the inventory that follows; null where it could not be listed. */
  readonly listing: Listing | null
  readonly tally: ManifestTally | null
  readonly error: BevisError | null
  /** Hooks after the backup that failed. The snapshot is none the worse for it, so the statement is not either. */
  readonly hookErrors: readonly BevisError[]
  /** What is out of the ordinary against the backup before. */
  readonly anomalies: readonly Anomaly[]
  readonly recorded: Recorded
}

/** Backs a set up, with its witness manifest. Whatever goes wrong is recorded; only recording itself can throw. */
export async function runBackup(context: BackupContext): Promise<BackupResult> {
  const { set, restic, now } = context
  const startedAt = now()
  const { identity, hindrance, run, listing, ...begun } = await begin(context)
  const missing = [...new Set([...begun.missingRoots, ...notTaken(set, run)])]
  const witness = run?.snapshot ? await witnessOf(context, run, listing) : null
  await listing?.stop()

  const anomalies = witness === null || witness instanceof BevisError ? [] : judge(context, witness, run)

  const seen: ObservedBackup = {
    set: set.id,
    setDigest: setDigest(set),
    repository: identity.repository,
    resticVersion: restic.version,
    startedAt,
    endedAt: now(),
    run,
    fileSystemSnapshot: set.hooks.snapshotFs === 'none' ? null : set.hooks.snapshotFs,
    missingRoots: missing,
    witness: witness instanceof BevisError ? null : witness,
    anomalies,
    error: hindrance ?? missingError(missing, set) ?? (witness instanceof BevisError ? witness : null),
  }
  const draft = observeBackup(seen)
  const { outcome, error } = draft.predicate
  const snapshotId = run?.snapshot?.id ?? null
  let recorded: Recorded
  let hookErrors: BevisError[]
  try {
    recorded = await context.recorder.record(draft)
  } finally {
    // Last: the witness was taken from what a hook may have mounted, and no hook can cost us the statement.
    hookErrors = await runHooksAfter(context, { outcome, snapshotId })
  }
  return {
    outcome,
    snapshotId,
    listing: run?.listed ? { identity, takenAt: run.listed.at, listed: run.listed.snapshots } : null,
    tally: seen.witness?.tally ?? null,
    error: error ? (seen.error ?? new BevisError(run?.error?.code ?? 'INTERNAL', error.message)) : null,
    hookErrors,
    anomalies,
    recorded,
  }
}

/** A hold is durable before the statement: a crash in between must not let anything go. */
function judge(
  context: BackupContext,
  { change, manifest, against }: Witness,
  run: BackupRun | null,
): readonly Anomaly[] {
  const { set, stateDir, logger, mustBeThere = [] } = context
  const now = context.now()
  const of = { change, manifest: manifest.sha256, against }
  const { anomalies, keep } = findAnomalies({ set, stateDir, ...of, mustBeThere, now, logger })
  const reasons = anomalies.filter(({ holds }) => holds).map(({ kind, text }) => ({ kind, text }))
  try {
    if (reasons.length > 0) raiseHold(stateDir, set.id, { reasons, snapshot: run?.snapshot?.id ?? null, now })
    keep()
  } catch (err) {
    // The statement tells it all the same, and the alarm; and the next run holds it.
    logger.warn({ set: set.id, err }, 'retention could not be held')
  }
  return anomalies
}

interface Begun {
  readonly identity: Identity
  /** Why there is no backup. */
  readonly hindrance: BevisError | null
  /** Not there when restic began, or nothing but links. */
  readonly missingRoots: readonly string[]
  readonly run: BackupRun | null
  /** Of the snapshot, if restic could be asked for it at once. */
  readonly listing: EarlyListing | null
}

/** Which repository it is, and the backup into it. */
async function begin(context: BackupContext): Promise<Begun> {
  let listing: EarlyListing | null = null
  const run = (signal = context.signal): Promise<BackupRun> =>
    backUp(context, signal, (id) => (listing = listEarly(context, id)))
  const begun = await (context.set.hooks.before.length > 0
    ? beginWithHooks(context, run)
    : beginAtOnce(context, run))
  return { ...begun, listing }
}

async function beginAtOnce(
  context: BackupContext,
  work: (signal: AbortSignal) => Promise<BackupRun>,
): Promise<Omit<Begun, 'listing'>> {
  const missing = missingRoots(context.set.paths)
  const { identity, result } = await identifyBeside(context, work)
  return { identity, hindrance: identity.error, missingRoots: missing, run: result }
}

/** Without the repository there is nothing to make a dump for. */
async function beginWithHooks(
  context: BackupContext,
  work: () => Promise<BackupRun>,
): Promise<Omit<Begun, 'listing'>> {
  const identity = await identifyRepository(context)
  const hindrance = identity.error ?? (await prepare(context))
  const missing = missingRoots(context.set.paths)
  return { identity, hindrance, missingRoots: missing, run: hindrance ? null : await work() }
}

/**
 * Roots that the snapshot does not name: they went away between our look and restic's, of which restic before 0.18 says
 * nothing that counts. What a shadow copy makes of a path is not ours to know.
 */
function notTaken({ paths, hooks }: SetConfig, run: BackupRun | null): string[] {
  if (!run?.snapshot || hooks.snapshotFs === 'vss') return []
  const taken = new Set(run.snapshot.paths.map((path) => resolve(path)))
  return paths.filter((path) => !taken.has(resolve(path)))
}

/** Asked for while the snapshot is looked up: restic derives its key meanwhile. */
interface EarlyListing {
  readonly id: string
  readonly nodes: AsyncIterable<readonly Node[]>
  /** Whether or not it was read. */
  stop(): Promise<void>
}

function listEarly({ restic, signal }: BackupContext, id: string): EarlyListing {
  const all = restic.list(id, limitsOf(signal))[Symbol.asyncIterator]()
  const first = all.next()
  // It is told to whoever reads; nobody may.
  first.catch(() => {})
  const stop = async (): Promise<void> => void (await all.return?.())
  async function* nodes(): AsyncGenerator<readonly Node[]> {
    try {
      for (let next = await first; next.done !== true; next = await all.next()) yield next.value
    } finally {
      await stop()
    }
  }
  return { id, nodes: nodes(), stop }
}

/** Why there can be no backup, as a value. */
async function prepare(context: BackupContext): Promise<BevisError | null> {
  try {
    await runHooksBefore(context)
    return null
  } catch (cause) {
    return cause instanceof BevisError ? cause : new BevisError('INTERNAL', String(cause), { cause })
  }
}

/** Storage that takes a request and never answers would keep restic for ever; a slow one shows some progress. */
const STALL_MS = 60 * 60_000

function limitsOf(signal: AbortSignal | undefined): Limits {
  return { stallMs: STALL_MS, ...(signal && { signal }) }
}

async function backUp(
  { set, restic, logger, onProgress }: BackupContext,
  signal: AbortSignal | undefined,
  onSnapshot: (id: string) => void,
): Promise<BackupRun> {
  await settleSources(set.paths, { logger, ...(signal && { signal }) })
  return restic.backup({
    paths: set.paths,
    excludes: set.exclude,
    ...limitsOf(signal),
    onSnapshot,
    ...(set.hooks.snapshotFs === 'vss' && { useFsSnapshot: true }),
    ...(onProgress && { onProgress: (progress) => onProgress({ step: 'backup', ...progress }) }),
  })
}

/** A backup without its manifest is still a backup: the error is told with it. */
async function witnessOf(
  context: BackupContext,
  run: BackupRun,
  listing: EarlyListing | null,
): Promise<Witness | BevisError> {
  const { set, restic, stateDir, signal, onProgress } = context
  const folder = join(stateDir, 'manifests', set.id)
  const pool = openDigestPool(context.threads ?? 2)
  const snapshot = run.snapshot
  if (!snapshot) return new BevisError('INTERNAL', 'there is no snapshot to witness')
  const request: Omit<WitnessRequest, 'previous' | 'nodes'> = {
    roots: set.paths.map(bytePathOf),
    excludes: set.exclude,
    notJudged: [bytePathOf(stateDir)],
    unreadable: unreadableOf(run),
    header: {
      set: set.id,
      snapshot: snapOf(snapshot),
      startedAt: run.startedAt.toISOString(), // restic's own: what a hook wrote before it lay still by then
      restic: restic.version,
    },
    folder,
    pool,
    watch: watchedPaths(set, context.mustBeThere ?? []),
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (progress) => onProgress({ step: 'witness', ...progress }) }),
  }
  const take = (
    previous: WitnessRequest['previous'],
    nodes = restic.list(snapshot.id, limitsOf(signal)),
  ): Promise<Witness> => takeWitness({ ...request, previous, nodes })
  try {
    const manifests = await listManifests(folder)
    // By its name one from a clock that was ahead would be the last for years, and one that was never judged hides a change.
    const judged = judgedLast(stateDir, set.id)
    const previous = manifests.find(({ sha256 }) => sha256 === judged) ?? manifests.at(-1) ?? null
    const early = listing?.id === snapshot.id ? listing.nodes : undefined
    return await take(previous, early).catch((error: unknown) => {
      // Nothing can be carried over from a manifest that was tampered with or has rotted: hash everything.
      if (errorCodeOf(error) !== 'MANIFEST_DAMAGED') throw error
      context.logger.warn(
        { set: set.id, err: error },
        'the last manifest is damaged, all files are hashed anew',
      )
      return take(null)
    })
  } catch (cause) {
    const message = `no manifest of snapshot ${snapshot.id}: ${cause instanceof Error ? cause.message : String(cause)}`
    return new BevisError(signal?.aborted ? 'INTERRUPTED' : errorCodeOf(cause), message, { cause })
  } finally {
    await pool.close()
  }
}

/** Where a complaint has no path, or there were too many, any file that is not in the snapshot may be meant. */
function unreadableOf({ errors, errorCount }: BackupRun): WitnessRequest['unreadable'] {
  const paths = errors.flatMap(({ path }) => path ?? [])
  return { paths, isComplete: paths.length === errorCount }
}

function missingError(roots: readonly string[], { paths }: SetConfig): BevisError | null {
  if (roots.length === 0) return null
  const told = roots.map((root) => describeRoot(root, paths)).join(', ')
  return new BevisError('SOURCE_MISSING', `not there when the backup began: ${told}`.slice(0, 4_000))
}
