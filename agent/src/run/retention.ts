/**
 * THE STORY of retention: list, work out what nobody is owed any more, show it; and in a later run remove what was
 * shown, by its full IDs, look whether that and nothing else went, prune when it is time, tell.
 */
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { Contract } from '@bevis/shared/contract/schema'
import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import { toInstant } from '@bevis/shared/format'
import { setDigest } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { observeRetention } from '../evidence/observe-repository.ts'
import type { Recorded, Recorder } from '../evidence/record.ts'
import { snapOf } from '../evidence/observe.ts'
import type { OwnRun } from '../evidence/own-runs.ts'
import type { PruneRun, Restic } from '../restic/restic.ts'
import { describeHold, loadHold } from './hold.ts'
import type { Hold } from './hold.ts'
import { runInventory } from './inventory.ts'
import type { InventoryResult } from './inventory.ts'
import { dropManifests } from './manifest-upkeep.ts'
import { identifyRepository } from './repository.ts'
import type { RunLogger } from './repository.ts'
import { planSet, refused } from './retention-plan.ts'
import type { SetPlan } from './retention-plan.ts'
import { describeVanished, holdIfMany, holdVanished, idsOf } from './vanished.ts'
import { loadRetentionRecord, saveRetentionRecord } from './retention-record.ts'
import type { RetentionRecord } from './retention-record.ts'

export interface RetentionContext {
  readonly set: SetConfig
  readonly sharing: readonly SetConfig[]
  /** What any of them owes stays; the first decides. An error: why there is no text to decide by. */
  readonly contracts: readonly [Contract, ...Contract[]] | BevisError
  readonly own: readonly OwnRun[]
  readonly restic: Restic
  readonly recorder: Recorder
  readonly stateDir: string
  readonly now: () => Date
  readonly logger: RunLogger
  readonly signal?: AbortSignal
  /** Remove what an earlier run has shown; else only show. */
  readonly apply: boolean
  /** Nobody looks at it: then a large part of a repository does not go at once. */
  readonly isUnattended: boolean
  /** Why this host's clock cannot be relied upon; null when it can. */
  readonly clockDoubt: string | null
  readonly onProgress?: (step: string, done: number, total: number) => void
}

export interface RetentionResult {
  /** What would go and what stays; null where that could not be said. */
  readonly plan: SetPlan | null
  readonly hold: Hold | null
  /** Gone from the listing taken afterwards. */
  readonly removed: readonly string[]
  /** What would go, and was not shown before: the next run may remove it. */
  readonly isFirstShown: boolean
  readonly pruned: boolean
  readonly freedBytes: number | null
  /** Manifests of snapshots that are gone and that nobody owes. */
  readonly manifestsDropped: number
  readonly inventory: InventoryResult | null
  readonly error: BevisError | null
  /** Null where nothing was to be done but to show. */
  readonly recorded: Recorded | null
}

/** A command line takes no more, and each batch is a lock of its own that others can wait for. */
const BATCH = 50
/** Their IDs fit into one statement; the next run goes on. */
const MOST_REMOVED = 2_000
/** What was removed is known for longer than an inventory may fail. */
const REMEMBERED = 2 * MOST_REMOVED
/** What may go at once while nobody looks: so many, or this share of the set's, or twice what came since the last time. */
const UNATTENDED = { snapshots: 10, share: 0.25 }

const PRUNE_EVERY_MS = {
  never: Infinity,
  daily: 86_400_000,
  weekly: 7 * 86_400_000,
  monthly: 30 * 86_400_000,
} as const
/** A weekly pruning is not a day late because a run began a minute early. */
const PRUNE_SLACK_MS = 3_600_000

interface Done {
  readonly removed: readonly string[]
  /** Listed afterwards; null: not known. */
  readonly kept: number | null
  readonly prune: PruneRun | null
  readonly manifestsDropped: number
  readonly exitCode: number
  readonly error: BevisError | null
}

const NOTHING_DONE: Done = {
  removed: [],
  kept: null,
  prune: null,
  manifestsDropped: 0,
  exitCode: 0,
  error: null,
}

/** Whatever goes wrong with `apply` is recorded; only recording itself can throw. */
export async function runRetention(context: RetentionContext): Promise<RetentionResult> {
  const { set, restic, stateDir, now, apply, recorder } = context
  const startedAt = now()
  const { repository, error: shut } = await identifyRepository(context)
  const seen = shut ?? (await look(context, repository))
  // After the look, which may raise one.
  const hold = holdOn(context)
  const isRefused = seen instanceof BevisError
  const record = loadRetentionRecord(stateDir, set.id)
  const going = isRefused ? [] : chosen(seen.plan, record.shown)
  const done =
    !apply || hold !== null || isRefused
      ? NOTHING_DONE
      : await act(context, seen, going, { startedAt, record })
  if (!isRefused) remember(context, seen, done, startedAt, record)
  const error = isRefused ? seen : (done.error ?? (apply && hold ? heldError(hold) : null))
  const pruned = done.prune !== null && !done.prune.error
  const freedBytes = done.prune?.freedBytes ?? null
  const told = {
    plan: isRefused ? null : seen.plan,
    hold,
    removed: done.removed,
    isFirstShown: !isRefused && seen.plan.go.length > 0 && going.length === 0,
    pruned,
    freedBytes,
    manifestsDropped: done.manifestsDropped,
    error,
  }
  if (!apply) return { ...told, inventory: null, recorded: null }
  const recorded = await recorder.record(
    observeRetention({
      set: set.id,
      setDigest: setDigest(set),
      repository,
      resticVersion: restic.version,
      startedAt,
      endedAt: now(),
      exitCode: isRefused ? -1 : done.exitCode,
      policy: policyOf(context, told.plan),
      removed: done.removed,
      kept: done.kept ?? (isRefused ? 0 : seen.listed.length),
      pruned,
      freedBytes,
      heldBy: hold ? describeHold(hold) : error ? `${error.code}: ${error.message}` : null,
    }),
  )
  // After the statement: what it says is gone, this proves.
  const hasNews = done.removed.length > 0 || pruned || (!isRefused && seen.hasVanished)
  const inventory = hasNews ? await runInventory(context) : null
  return { ...told, inventory, recorded }
}

/** What was seen of another set in the repository holds it, too: pruning is of all of it. */
function holdOn({ sharing, stateDir }: RetentionContext): Hold | null {
  for (const { id } of sharing) {
    const hold = loadHold(stateDir, id)
    if (hold !== null) return hold
  }
  return null
}

/** What cannot be kept was not shown: the next run shows it again. */
function remember(
  { stateDir, set, logger }: RetentionContext,
  { plan }: Seen,
  { removed, prune }: Done,
  startedAt: Date,
  before: RetentionRecord,
): void {
  const gone = new Set(removed)
  const shown = plan.go.flatMap(({ id }) => (gone.has(id) ? [] : [id]))
  const prunedAt = prune && !prune.error ? toInstant(startedAt) : before.prunedAt
  try {
    const all = [...removed, ...before.removed].slice(0, REMEMBERED)
    saveRetentionRecord(stateDir, set.id, { shownAt: toInstant(startedAt), shown, prunedAt, removed: all })
  } catch (err) {
    logger.warn({ set: set.id, err }, 'what was shown could not be kept; it is shown again')
  }
}

interface Seen {
  readonly repository: Repo
  readonly listed: readonly Snap[]
  readonly plan: SetPlan
  /** Many that the last inventory had are gone: that holds. */
  readonly hasVanished: boolean
}

/** Why nothing can be said, as a value. */
async function look(context: RetentionContext, repository: Repo): Promise<Seen | BevisError> {
  const { contracts, clockDoubt, restic, signal, now, set, stateDir, apply } = context
  try {
    if (contracts instanceof BevisError) throw contracts
    if (clockDoubt !== null) throw refused(`${clockDoubt}: what is owed today cannot be told`)
    const at = now()
    const listed = (await restic.snapshots(signal ? { signal } : {})).map(snapOf)
    const known = { stateDir, set: set.id, repository, listed, now: at }
    const hasVanished = apply && (await holdIfMany(known))
    const plan = planSet({ ...context, contracts, repository, listed, at })
    return { repository, listed, plan, hasVanished }
  } catch (cause) {
    if (cause instanceof BevisError) return cause
    return new BevisError(errorCodeOf(cause), errorMessageOf(cause), { cause })
  }
}

/** What this run may remove: it would go, and an earlier run has shown it. */
function chosen({ go }: SetPlan, shown: readonly string[]): string[] {
  const before = new Set(shown)
  return go.flatMap(({ id }) => (before.has(id) ? [id] : [])).slice(0, MOST_REMOVED)
}

async function act(
  context: RetentionContext,
  { plan, listed, repository }: Seen,
  going: readonly string[],
  { startedAt, record }: { readonly startedAt: Date; readonly record: RetentionRecord },
): Promise<Done> {
  const { set, restic, logger, isUnattended, signal, stateDir } = context
  if (isUnattended && isMuch(going.length, plan, record)) {
    const message = `${going.length} of ${plan.plan.snapshots.length} snapshots would go at once: somebody must look, with bevis-agent retention ${set.id}, and then --apply`
    return { ...NOTHING_DONE, exitCode: -1, error: refused(message) }
  }
  const forgotten: string[] = []
  try {
    await restic.unlockOwn(signal ? { signal } : {})
    const { exitCode, error } = await forget(context, going, forgotten)
    const after = going.length === 0 ? listed : (await restic.snapshots()).map(snapOf)
    const there = new Set(after.map(({ id }) => id))
    const known = idsOf(after)
    const removed = listed.flatMap(({ id }) => (there.has(id) ? [] : [id]))
    const strange = removed.filter((id) => !going.includes(id) && !known.has(id))
    const left = going.filter((id) => there.has(id))
    const kept = after.length
    const own = removed.filter((id) => going.includes(id))
    if (strange.length > 0) {
      const text = describeVanished(strange)
      // Another set's may have gone by its own retention: that only lets this run end.
      const mine = new Set([...plan.go, ...plan.stay].map(({ id }) => id))
      if (strange.some((id) => mine.has(id)))
        holdVanished({ stateDir, set: set.id, text, now: context.now() })
      return {
        ...NOTHING_DONE,
        removed: own,
        kept,
        exitCode: -1,
        error: refused(`${text}: nothing is pruned`),
      }
    }
    const isOwed = plan.isOwedAt
    const manifestsDropped = await dropManifests({ stateDir, set: set.id, listed: after, isOwed, logger })
    const so = { ...NOTHING_DONE, removed: own, kept, manifestsDropped }
    if (left.length > 0 || error) {
      const message = error?.message ?? `${left.length} snapshots are still listed after they were removed`
      return {
        ...so,
        exitCode: exitCode || -1,
        error: new BevisError(error?.code ?? 'RESTIC_FAILED', message),
      }
    }
    if (signal?.aborted || !isTimeToPrune(context, startedAt)) return so
    context.onProgress?.('prune', 0, 0)
    const prune = await restic.prune(signal ? { signal } : {})
    logger.info({ repository: repository.id, exitCode: prune.exitCode }, 'pruned')
    return {
      ...so,
      prune,
      exitCode: prune.exitCode,
      error: prune.error ? new BevisError(prune.error.code, prune.error.message) : null,
    }
  } catch (cause) {
    const error =
      cause instanceof BevisError
        ? cause
        : new BevisError(errorCodeOf(cause), errorMessageOf(cause), { cause })
    // Nobody could look afterwards; what restic answered is the best that is known.
    return {
      ...NOTHING_DONE,
      removed: forgotten,
      kept: listed.length - forgotten.length,
      exitCode: -1,
      error,
    }
  }
}

/** More than comes and goes: a keep that was mistyped, a text of another set. */
function isMuch(going: number, { plan: { snapshots } }: SetPlan, { shownAt }: RetentionRecord): boolean {
  const taken = snapshots.filter(({ start }) => shownAt !== null && start > shownAt).length
  return going > Math.max(UNATTENDED.snapshots, snapshots.length * UNATTENDED.share, 2 * taken)
}

/** The first batch that does not go ends it: append-only storage refuses every one. */
async function forget(
  { restic, signal, onProgress }: RetentionContext,
  going: readonly string[],
  forgotten: string[],
): Promise<{ exitCode: number; error: Pick<BevisError, 'code' | 'message'> | null }> {
  for (let from = 0; from < going.length; from += BATCH) {
    if (signal?.aborted) return { exitCode: -1, error: stopped() }
    onProgress?.('forget', from, going.length)
    const [first, ...rest] = going.slice(from, from + BATCH)
    if (first === undefined) break
    const run = await restic.forget({ snapshotIds: [first, ...rest], ...(signal && { signal }) })
    if (run.answer === 'refused') {
      const message = `the storage refuses to delete: ${run.refusal ?? ''}; whoever may delete there has to apply retention`
      return { exitCode: run.exitCode || 1, error: { code: 'RESTIC_FAILED', message } }
    }
    if (run.error) return { exitCode: run.exitCode || 1, error: run.error }
    forgotten.push(first, ...rest)
  }
  return { exitCode: 0, error: null }
}

function stopped(): BevisError {
  return new BevisError('INTERRUPTED', 'retention was stopped before it had ended')
}

function isTimeToPrune({ set, stateDir }: RetentionContext, now: Date): boolean {
  const { prunedAt } = loadRetentionRecord(stateDir, set.id)
  const everyMs = PRUNE_EVERY_MS[set.retention?.prune ?? 'never']
  if (everyMs === Infinity) return false
  return prunedAt === null || now.getTime() - Date.parse(prunedAt) >= everyMs - PRUNE_SLACK_MS
}

function heldError(hold: Hold): BevisError {
  return new BevisError('RETENTION_HELD', describeHold(hold))
}

/** By what it was decided. */
function policyOf({ contracts }: RetentionContext, plan: SetPlan | null): Record<string, unknown> {
  if (plan === null || contracts instanceof BevisError) return {}
  const { contract, version, terms } = plan.plan
  return {
    contract,
    version,
    tiers: terms.retention.min.map(({ per, keep }) => `${per}x${keep}`).join(' '),
    decidedBy: 'each snapshot by its own buckets, removed by its ID',
    asRestic: plan.policy.join(' '),
    wouldGo: plan.go.length,
    foreign: plan.foreign.length,
  }
}
