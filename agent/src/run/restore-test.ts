/** THE STORY of a restore test: choose snapshots, restore and judge each, tell; after a failure, once more. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { BevisError } from '@bevis/shared/error'
import { observeRestoreTest, snapOf } from '../evidence/observe.ts'
import type { Recorded } from '../evidence/record.ts'
import { manifestOf } from '../manifest/file.ts'
import type { Survey } from '../restic/restic.ts'
import { refuseTest, testSnapshot } from '../restore/examine.ts'
import { hasContent } from '../restore/expected.ts'
import type { TestRequest } from '../restore/request.ts'
import type { TestResult } from '../restore/verdict.ts'
import { openDigestPool } from '../tree/digest-pool.ts'
import { chooseSnapshots, unreadableOnes } from './choose.ts'
import type { Chosen } from './choose.ts'
import { openCoverage } from './coverage-ledger.ts'
import type { CoverageRun, FinishedTest } from './coverage-ledger.ts'
import { openTurns } from './ladder.ts'
import { isWorthProbing, probeRestored, withProbes } from './probe-restored.ts'
import { surveyRepository } from './repository.ts'
import type { Identity } from './repository.ts'
import {
  drawsSamples,
  expectedOf,
  isDrill,
  manifestsOf,
  requestOf,
  seedFrom,
  wantedOf,
} from './test-request.ts'
import type { OneTest, RestoreTestContext } from './test-request.ts'

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
    at: context.now(),
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
      // A second try that came to no answer takes nothing back.
      last.push(again === null || again.result.result === 'INCONCLUSIVE' ? first : again)
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

interface One extends OneTest {
  readonly identity: Identity
  readonly snapshot: Chosen['snapshots'][number]
  readonly chosen: Chosen
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
  const manifest = await manifestOf(manifestsOf(context), snapshot)
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
  const manifest = await manifestOf(manifestsOf(context), newest)
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

function worst(tests: readonly SnapshotTest[]): TestResult['result'] {
  const results = tests.map(({ result }) => result.result)
  return (['FAILED', 'INCONCLUSIVE'] as const).find((one) => results.includes(one)) ?? 'PASSED'
}

function errorOf(tests: readonly SnapshotTest[]): BevisError | null {
  const error = tests.find(({ result }) => result.error)?.result.error
  return error ? new BevisError(error.code, error.message) : null
}
