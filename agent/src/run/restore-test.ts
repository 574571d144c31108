/** THE STORY of a restore test: choose snapshots, restore and judge each, tell; after a failure, once more. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import type { SetConfig } from '../config.ts'
import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import { observeRestoreTest, snapOf } from '../evidence/observe.ts'
import type { Recorded, Recorder } from '../evidence/record.ts'
import { findManifest, openManifest } from '../manifest/file.ts'
import type { ManifestFile } from '../manifest/file.ts'
import type { Restic, Survey } from '../restic/restic.ts'
import { refuseTest, testSnapshot } from '../restore/examine.ts'
import type { TestProgress, TestRequest, Wanted } from '../restore/request.ts'
import { expectedOfListing, expectedOfManifest } from '../restore/expected.ts'
import type { TestResult } from '../restore/verdict.ts'
import { openDigestPool } from '../tree/digest-pool.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import { bytePathOf, fromPathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { excludedBy } from '../tree/pattern.ts'
import { hasContent } from '../restore/expected.ts'
import type { StrataRequest } from '../restore/strata.ts'
import { openCoverage } from './coverage-ledger.ts'
import type { CoverageRun, FinishedTest } from './coverage-ledger.ts'
import type { Agreed } from './asked.ts'
import { chooseSnapshots, unreadableOnes } from './choose.ts'
import type { Chosen } from './choose.ts'
import { openTurns } from './ladder.ts'
import type { OwedTier } from './owed-tiers.ts'
import { isWorthProbing, probeRestored, withProbes } from './probe-restored.ts'
import { surveyRepository } from './repository.ts'
import type { Identity, RunLogger } from './repository.ts'

/** A file system in memory on every Linux: a streamed restore into it is some three times as fast as onto a disk. */
const SHARED_MEMORY = '/dev/shm'

/** A listing that does not come any further for so long is an end, not a wait. */
const STALL_MS = 10 * 60_000

export interface RestoreTestContext {
  readonly set: SetConfig
  readonly restic: Restic
  readonly recorder: Recorder
  readonly stateDir: string
  /** Where to restore to; left out: memory where there is room, else inside the state folder. */
  readonly scratchDir?: string
  /** A drill: an empty folder, in which what is restored stays. No budget, and no second try. */
  readonly keepIn?: string
  readonly now: () => Date
  readonly logger: RunLogger
  readonly signal?: AbortSignal
  /** Threads that hash; two when left out. */
  readonly threads?: number
  readonly onProgress?: (progress: TestProgress & { snapshotId: string }) => void
  readonly wanted?: WantedTest
  /** Of the contract's terms, where they are known. */
  readonly agreed?: Agreed
  /** What contracts owe of these snapshots, which are all that the repository holds; null where none is known. */
  readonly tiersOf?: (listing: Listing, isOwn: (id: string) => boolean) => readonly OwedTier[] | null
  /** The collector's seed for a sample of what the repository holds now; null when there is none to be had. */
  readonly fetchSeed?: (snapshotIds: readonly string[]) => Promise<CollectorSeed | null>
}

/** All that a repository holds. */
export interface Listing {
  readonly repository: Repo
  readonly listed: readonly Snap[]
}

/** Revealed after the inventory that it names by digest. */
export interface CollectorSeed {
  readonly value: string
  readonly inventory: string
}

export interface WantedTest {
  /** Left out: `requested` with files, else `scheduled`. */
  readonly reason?: 'scheduled' | 'ladder' | 'requested' | 'drill'
  /** A full ID, or its first digits; left out: the newest snapshot, and with a sample an older one too. */
  readonly snapshotId?: string
  /** Every file, not a sample. */
  readonly full?: boolean
  /** Beside a full test of the newest: samples of the older ones whose turn it is. */
  readonly withOlder?: boolean
  /** Path texts: these files, or all in these folders. */
  readonly files?: readonly string[]
  /** From the collector; left out: our own, or what {@link RestoreTestContext} `fetchSeed` brings. */
  readonly seed?: CollectorSeed
  /** The collector's name for a request of files; its snapshot must then be the set's own. */
  readonly request?: string
}

export interface SnapshotTest {
  readonly snapshotId: string
  readonly result: TestResult
  readonly recorded: Recorded
}

export interface RestoreTestResult {
  /** The worst of the snapshots' last results; never PASSED while snapshots that may be the set's cannot be read. */
  readonly outcome: TestResult['result']
  /** In the order in which they ran; a retest follows its failure. */
  readonly tests: readonly SnapshotTest[]
  readonly error: BevisError | null
}

/**
 * Tests a set's snapshots. Every test is recorded, whatever it came to.
 * @throws BevisError when there is no snapshot that a statement could be about, or recording fails
 */
export async function runRestoreTest(called: RestoreTestContext): Promise<RestoreTestResult> {
  const { identity, listed } = await surveyRepository(called)
  const context = await withSeed(called, listed)
  const seed = {
    value: context.wanted?.seed?.value ?? randomBytes(32).toString('hex'),
    from: seedFrom(context),
  }
  const turns = await openTurns({
    ...context,
    tiersOf: (isOwn) =>
      listed instanceof BevisError
        ? null
        : (context.tiersOf?.(
            { repository: identity.repository, listed: listed.snapshots.map(snapOf) },
            isOwn,
          ) ?? null),
  })
  const { mode } = wantedOf(context)
  const wantsOlder = drawsSamples(context) && context.wanted?.snapshotId === undefined
  const chosen = await chooseSnapshots({
    ...context,
    folder: manifestsOf(context),
    host: hostname(),
    listed,
    paths: context.set.paths,
    olderOf: wantsOlder ? (ids, newest) => turns.olderOf(ids, newest) : null,
    ...(context.wanted?.snapshotId !== undefined && { snapshotId: context.wanted.snapshotId }),
    isOwnOnly: context.wanted?.request !== undefined,
    isOne: isDrill(context),
  })
  const coverage = await coverageFor(context, identity, chosen)
  const pool = openDigestPool(context.threads ?? 2)
  const tests: SnapshotTest[] = []
  const last: SnapshotTest[] = []
  const endsAtMs = endOfBudget(context)
  try {
    for (const [index, snapshot] of chosen.snapshots.entries()) {
      // Those whose turn it was keep it: they have waited longest next time too.
      if (index > 0 && context.now().getTime() >= endsAtMs) break
      const part = index === 0 ? coverage : null
      const one = {
        context,
        identity,
        seed,
        pool,
        snapshot,
        chosen,
        endsAtMs,
        isLadder: chosen.older.has(snapshot.id),
        coverage: part,
      }
      const first = await testOne(one)
      tests.push(first)
      const isBad = first.result.result === 'FAILED' && !context.signal?.aborted && !isDrill(context)
      // A failure stays with its snapshot, and only a passing test of that snapshot clears it: one is tried at once.
      const again = isBad ? await testOne({ ...one, isRetest: true }) : null
      if (again) tests.push(again)
      last.push(again ?? first)
      if (mode !== 'requested') turns.took(snapshot.id, gotToFiles(again ?? first), passedAt(again ?? first))
      if (context.signal?.aborted) break
    }
  } finally {
    await pool.close()
  }
  const hidden = chosen.unknown.length > 0 ? unreadableOnes(chosen.unknown) : null
  // One of these may be the set's newest: what was tested is as it was found, and the set is not proven by it.
  const outcome = hidden && worst(last) === 'PASSED' ? 'INCONCLUSIVE' : worst(last)
  return { outcome, tests, error: errorOf(last) ?? hidden }
}

/** Asked for only now: it is for what the repository turned out to hold. */
async function withSeed(
  context: RestoreTestContext,
  listed: Survey | BevisError,
): Promise<RestoreTestContext> {
  const { wanted, fetchSeed } = context
  const isOwn = listed instanceof BevisError || !drawsSamples(context)
  if (isOwn || !fetchSeed || wanted?.seed !== undefined) return context
  const seed = await fetchSeed(listed.snapshots.map(({ id }) => id))
  return seed ? { ...context, wanted: { ...wanted, seed } } : context
}

interface One {
  readonly context: RestoreTestContext
  readonly identity: Identity
  readonly seed: TestRequest['seed']
  readonly pool: DigestPool
  readonly snapshot: Chosen['snapshots'][number]
  readonly chosen: Chosen
  /** Infinity without a budget of time. */
  readonly endsAtMs: number
  /** It is an older snapshot's turn. */
  readonly isLadder: boolean
  /** Null: what it restores says nothing of how the set is now. */
  readonly coverage: CoverageRun | null
  readonly isRetest?: boolean
}

function isDrill({ keepIn }: RestoreTestContext): boolean {
  return keepIn !== undefined
}

function endOfBudget({ set, now, keepIn }: RestoreTestContext): number {
  const { minutes } = set.restoreTest.budget
  return minutes === undefined || keepIn !== undefined ? Infinity : now().getTime() + minutes * 60_000
}

function gotToFiles({ result: { result, classes } }: SnapshotTest): boolean {
  return result !== 'INCONCLUSIVE' || Object.keys(classes).length > 0
}

function passedAt({ result: { result, startedAt } }: SnapshotTest): Date | null {
  return result === 'PASSED' ? startedAt : null
}

async function testOne(one: One): Promise<SnapshotTest> {
  const { context, identity, chosen, snapshot } = one
  const { set, restic, recorder } = context
  const manifest = await findManifest(manifestsOf(context), snapshot.id)
  const request = requestOf(one, manifest)
  const compared = chosen.error ? refuseTest(request, chosen.error) : await testSnapshot(request)
  const probed = isWorthProbing(compared) ? await probe(context, request, compared) : compared
  const finished = one.coverage?.finish(coverageTest(probed)) ?? null
  const result = { ...withAsked(context, probed), ...(finished && { coverage: finished.coverage }) }
  const { repository } = identity
  const resticVersion = restic.version
  const recorded = await recorder.record(
    observeRestoreTest({ set: set.id, repository, resticVersion, snapshot, result }),
  )
  // After the statement: what is lost between them is told as less than it is.
  await finished?.save().catch((err: unknown) => {
    context.logger.warn(
      { set: set.id, err },
      'what was restored could not be kept; the next test counts less',
    )
  })
  return { snapshotId: snapshot.id, result, recorded }
}

/** Only the newest snapshot says how much of the set as it is was restored. */
async function coverageFor(
  context: RestoreTestContext,
  { error }: Identity,
  { snapshots, error: later }: Chosen,
): Promise<CoverageRun | null> {
  const { set, stateDir, restic, signal, wanted } = context
  const [newest] = snapshots
  if (error || later || wanted?.snapshotId !== undefined || !newest) return null
  const manifest = await findManifest(manifestsOf(context), newest.id)
  try {
    return await openCoverage(stateDir, set.id, set.restoreTest.cycle, () =>
      countFiles(expectedOf(restic, newest, manifest, signal)),
    )
  } catch {
    // The test meets the same trouble, and says so; without a count there is none to tell.
    return null
  }
}

async function countFiles(items: ReturnType<TestRequest['expected']>): Promise<number> {
  let files = 0
  for await (const batch of items) files += batch.filter((item) => item.isListed && hasContent(item)).length
  return files
}

function coverageTest({
  mode,
  selection,
  population,
  negativeControl,
  error,
  endedAt,
}: TestResult): FinishedTest {
  const rotation = selection.strata.find((one) => typeof one === 'object' && one.name === 'rotation')
  const isAll = mode === 'full' || selection.files >= population.files
  const isWhole = !error && typeof rotation === 'object' && !('leftOut' in rotation)
  const part = selection.algorithm === 'requested' ? 'none' : isAll ? 'all' : isWhole ? 'whole' : 'hindered'
  return { at: endedAt, files: population.files, counts: negativeControl === 'caught', part }
}

/** The result with what it was asked by, and what was agreed. */
function withAsked({ wanted, agreed }: RestoreTestContext, result: TestResult): TestResult {
  const { population, rto } = result
  const inventory = wanted?.seed?.inventory
  const rtoSeconds = agreed?.rtoSeconds ?? null
  return {
    ...result,
    population: { ...population, ...(inventory !== undefined && { inventory }) },
    ...(wanted?.request !== undefined && { request: wanted.request }),
    ...(rto && { rto: { ...rto, ...(rtoSeconds !== null && { agreedSeconds: rtoSeconds }) } }),
  }
}

async function probe(
  { set, logger, now }: RestoreTestContext,
  { wanted, seed, ...request }: TestRequest,
  compared: TestResult,
): Promise<TestResult> {
  const paths = wanted.mode === 'requested' ? wanted.paths : []
  const { keepIn: _keepIn, ...scratch } = request.scratch
  const probed = await probeRestored({
    ...request,
    scratch,
    set,
    logger,
    seed: seed.value,
    mode: wanted.mode,
    paths,
  })
  return withProbes(compared, probed, now())
}

function requestOf(
  { context, seed, pool, snapshot, endsAtMs, isLadder, isRetest, coverage }: One,
  manifest: ManifestFile | null,
): TestRequest {
  const { set, restic, stateDir, now, signal, onProgress } = context
  const { files, minConclusive } = set.restoreTest
  const plain: Wanted = isLadder ? { mode: 'sample', files } : wantedOf(context)
  const strata = coverage && plain.mode === 'sample' ? strataOf(context, coverage) : null
  const wanted = plain.mode === 'sample' && strata ? { ...plain, strata } : plain
  return {
    restic,
    wanted,
    ...(coverage && { coverage }),
    seed,
    pool,
    now,
    snapshotId: snapshot.id,
    expected: (isWanted) => expectedOf(restic, snapshot, manifest, signal, isWanted),
    manifest: manifest?.sha256 ?? null,
    reason: isRetest
      ? 'retest'
      : (context.wanted?.reason ??
        (wanted.mode === 'requested' ? 'requested' : isLadder ? 'ladder' : 'scheduled')),
    // Of files that somebody asked for, every one must have an answer.
    minimum: wanted.mode === 'requested' ? null : (minConclusive ?? files),
    metadataFails: set.restoreTest.metadata === 'fail',
    method: isDrill(context) ? 'disk' : set.restoreTest.method,
    scratch: {
      base: context.scratchDir ?? join(stateDir, 'scratch'),
      roots: set.paths,
      isExcluded: excludedBy(set.exclude),
      repositoryUrl: set.repository.url,
      ...(context.scratchDir === undefined && { memory: SHARED_MEMORY }),
      ...(context.keepIn !== undefined && { keepIn: context.keepIn }),
    },
    ...(set.restoreTest.budget.bytes !== undefined &&
      !isDrill(context) && { budgetBytes: set.restoreTest.budget.bytes }),
    ...(endsAtMs < Infinity && { deadlineMs: Math.max(1_000, endsAtMs - now().getTime()) }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (at) => onProgress({ ...at, snapshotId: snapshot.id }) }),
  }
}

function strataOf({ set, agreed }: RestoreTestContext, coverage: CoverageRun): StrataRequest {
  const canaries = (agreed?.canaries ?? set.restoreTest.canaries).map(bytePathOf)
  const most = Math.ceil(set.restoreTest.files / PART_OF_SAMPLE)
  return { canaries, most, standingOf: (item) => coverage.standingOf(item), rotation: coverage.rotation }
}

/** So many times the random files are those that are picked for being new, or never restored. */
const PART_OF_SAMPLE = 5

/** The manifest was made from this very listing, and holds more; a snapshot's ID is the digest of its tree. */
async function* expectedOf(
  restic: Restic,
  { id }: Pick<Snap, 'id'>,
  manifest: ManifestFile | null,
  signal: AbortSignal | undefined,
  isWanted?: (path: BytePath) => boolean,
): ReturnType<TestRequest['expected']> {
  if (manifest) yield* expectedOfManifest((await openManifest(manifest, isWanted)).entries)
  else yield* expectedOfListing(restic.list(id, { stallMs: STALL_MS, ...(signal && { signal }) }))
}

function wantedOf({ wanted, set }: RestoreTestContext): Wanted {
  if (wanted?.files && wanted.files.length > 0)
    return { mode: 'requested', paths: wanted.files.map(fromPathText) }
  return wanted?.full ? { mode: 'full' } : { mode: 'sample', files: set.restoreTest.files }
}

function drawsSamples(context: RestoreTestContext): boolean {
  return wantedOf(context).mode === 'sample' || context.wanted?.withOlder === true
}

function seedFrom({ wanted }: RestoreTestContext): 'agent' | 'collector' {
  return wanted?.seed === undefined ? 'agent' : 'collector'
}

function manifestsOf({ stateDir, set }: RestoreTestContext): string {
  return join(stateDir, 'manifests', set.id)
}

function worst(tests: readonly SnapshotTest[]): TestResult['result'] {
  const results = tests.map(({ result }) => result.result)
  return (['FAILED', 'INCONCLUSIVE'] as const).find((one) => results.includes(one)) ?? 'PASSED'
}

function errorOf(tests: readonly SnapshotTest[]): BevisError | null {
  const error = tests.find(({ result }) => result.error)?.result.error
  return error ? new BevisError(error.code, error.message) : null
}
