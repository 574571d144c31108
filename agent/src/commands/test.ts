import { hostname } from 'node:os'
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { TestRequest } from '@bevis/shared/work'
import { setOf } from '../config.ts'
import { cureOfCode } from '../cure.ts'
import { requireIdentity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { keepOwnRuns, readOwnRuns } from '../evidence/own-runs.ts'
import { loadAsked } from '../outbox/ask.ts'
import { agreedIn, handledOf, keepHandled, termsFor } from '../run/asked.ts'
import type { Agreed } from '../run/asked.ts'
import { isFullDue } from '../run/full-due.ts'
import { owedTiers } from '../run/owed-tiers.ts'
import { knownRepository } from '../run/repository.ts'
import type { RestoreTestResult, SnapshotTest } from '../run/restore-test.ts'
import type { RestoreTestContext } from '../run/test-request.ts'
import type { TestResult } from '../restore/verdict.ts'
import { loadDecided } from './asked.ts'
import { textsToTest } from './contract-text.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { describeRestored } from './coverage.ts'
import { fetchSeed } from './seed.ts'
import { alignColumns, formatBytes, paint } from './terminal.ts'
import { MARK_OF, workOn } from './work.ts'
import type { Bench, WorkOptions } from './work.ts'

/** Tests that a set can be restored: 0 PASSED, 1 FAILED, 2 INCONCLUSIVE with the code of what hindered it. */
export async function testCommand(
  opened: Opened,
  id: string,
  options: WorkOptions & {
    readonly snapshot: string | null
    readonly full: boolean
    /** Full where the configuration asks for it by now; older snapshots have their turn all the same. */
    readonly fullIfDue: boolean
    readonly files: readonly string[]
  },
): Promise<Outcome> {
  if ((options.full || options.fullIfDue) && options.files.length > 0) {
    throw new BevisError('USAGE', '--full tests every file; leave --file out')
  }
  const { runRestoreTest } = await import('../run/restore-test.ts')
  const { scratch } = opened.config
  const result = await workOn(
    opened,
    { id, what: 'restore-test' },
    options,
    (bench, progress) =>
      runRestoreTest({
        ...bench,
        agreed: agreedFor(opened, bench),
        tiersOf: tiersFor(opened, bench),
        fetchSeed: (ids) => fetchSeed(opened, bench, ids),
        ...(scratch !== undefined && { scratchDir: scratch }),
        // By hand or by the clock, a random sample proves the same, and says `scheduled`. `requested` is for files that
        // somebody picked, which are no random sample: a contract does not count those, and would not count ours.
        wanted: {
          ...fullnessOf(opened, bench, options),
          files: options.files,
          ...(options.snapshot !== null && { snapshotId: options.snapshot }),
        },
        onProgress: ({ step, files, totalFiles }) =>
          progress.update(step, totalFiles > 0 ? files / totalFiles : null, `${files} files`),
      }),
    ({ outcome, error }) => ({ outcome: MARK_OF[outcome], error }),
  )
  return outcomeOf(id, result)
}

/**
 * Answers what the collector asked of this set, one statement for each request: 0 all PASSED, or nothing was asked;
 * 1 one FAILED; 2 one is INCONCLUSIVE.
 */
export async function requestedTestCommand(
  opened: Opened,
  id: string,
  options: WorkOptions,
): Promise<Outcome> {
  const { runRestoreTest } = await import('../run/restore-test.ts')
  const { config, state, now } = opened
  const asked = loadDecided(opened).accepted.filter(({ set }) => set === id)
  if (setOf(config, id) && asked.length === 0)
    return { exit: 0, json: { set: id, outcome: null, tests: [] }, lines: ['nothing is asked for'] }
  const results: RestoreTestResult[] = []
  const all = await workOn(
    opened,
    { id, what: 'requested-test' },
    options,
    async (bench): Promise<RestoreTestResult> => {
      for (const request of asked) {
        if (options.signal.aborted) break
        const { id: name, path, snapshot } = request
        const named = snapshot === undefined ? {} : { snapshotId: snapshot }
        const wanted = { reason: 'requested' as const, files: [path], request: name, ...named }
        const place = config.scratch === undefined ? {} : { scratchDir: config.scratch }
        try {
          results.push(await runRestoreTest({ ...bench, ...place, wanted }))
        } catch (error) {
          // There is no snapshot that a statement could be about; asked again, it would be the same.
          await refuse(bench, request, `${errorCodeOf(error)}: ${errorMessageOf(error)}`)
        }
        // Only now: what is stopped or dies before its statement is done again.
        if (!options.signal.aborted) keepHandled(state, handledOf(request, id, now()), now())
      }
      const outcome = OUTCOMES.find((one) => results.some((result) => result.outcome === one)) ?? 'PASSED'
      const tests = results.flatMap((result) => result.tests)
      return { outcome, tests, error: results.find(({ error }) => error !== null)?.error ?? null }
    },
    ({ outcome, error }) => ({ outcome: MARK_OF[outcome], error }),
  )
  return outcomeOf(id, all)

  async function refuse({ recorder }: Bench, request: TestRequest, message: string): Promise<void> {
    const detail = { request: request.id, set: id, path: request.path.slice(0, 500), message }
    await recorder.record(
      lifecycle(requireIdentity(state), 'alarm', now(), { reason: 'WORK_REFUSED', detail }),
    )
  }
}

const OUTCOMES = ['FAILED', 'INCONCLUSIVE'] as const

function fullnessOf(
  { state, now }: Opened,
  { set }: Bench,
  { full, fullIfDue }: { readonly full: boolean; readonly fullIfDue: boolean },
): { full: boolean; withOlder?: boolean } {
  if (full || !fullIfDue) return { full }
  keepOwnRuns(state)
  const isDue = isFullDue(set, readOwnRuns(state.folder), now())
  return { full: isDue, withOlder: isDue }
}

/** What the set's contracts owe, by what this agent itself ran. */
function tiersFor(opened: Opened, bench: Bench): NonNullable<RestoreTestContext['tiersOf']> {
  return ({ repository, listed }, isOwn) => {
    const contracts = textsToTest(opened, bench)
    if (contracts.length === 0) return null
    keepOwnRuns(opened.state)
    const own = readOwnRuns(opened.state.folder)
    return owedTiers({ set: bench.set.id, contracts, repository, listed, own, at: opened.now(), isOwn })
  }
}

export function agreedFor({ state }: Opened, { set, stateDir }: Bench): Agreed {
  const asked = loadAsked(state)
  const here = { repository: knownRepository(stateDir, set.id) ?? '', host: hostname() }
  return agreedIn(asked === null ? [] : termsFor(asked.work, set, here), set)
}

function outcomeOf(id: string, { outcome, tests, error }: RestoreTestResult): Outcome {
  const told = error === null ? null : { code: error.code, message: error.message }
  return {
    exit: outcome === 'PASSED' ? 0 : outcome === 'FAILED' || told === null ? 1 : 2,
    json: { set: id, outcome, tests, error: told },
    lines: [
      ...tests.flatMap((one) => describeTest(one, told?.message)),
      ...(told === null ? [] : [`${told.code}: ${told.message}`, `  ${cureOfCode(told.code)}`]),
    ],
  }
}

const MARKS = {
  PASSED: paint('green', '✓ PASSED'),
  FAILED: paint('red', '✗ FAILED'),
  INCONCLUSIVE: paint('yellow', '? INCONCLUSIVE'),
}

function drawnText({ selection: { strata, seedFrom } }: TestResult): string {
  const drawn = strata.flatMap((one) =>
    typeof one === 'string' || one.files === 0 ? [] : `${one.files} ${one.name}`,
  )
  return `${drawn.join(', ') || 'nothing'}; seed from the ${seedFrom}`
}

const CONTROLS = {
  caught: 'caught: a copy that was damaged on purpose was found out',
  missed: 'missed: a copy that was damaged on purpose passed, so the test is void',
  'not-run': 'not run: nothing was judged',
} as const

export function describeTest(
  { snapshotId, result, recorded }: SnapshotTest,
  /** The error that is told at the end. */
  told: string | undefined,
): string[] {
  const { population, restored, classes, exceptions, exceptionsTotal, negativeControl, limit, reference } =
    result
  const { probes = [] } = result
  const classesText = Object.entries(classes)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ')
  const facts = [
    ['in scope', `${population.files} files, ${formatBytes(population.bytes)}`],
    ['drawn', drawnText(result)],
    [
      'restored',
      `${restored.files} files, ${formatBytes(restored.bytes)} in ${restored.seconds.toFixed(1)} s`,
    ],
    [
      'compared',
      `${classesText || 'nothing'} (${reference.manifest} by witness, ${reference.source} by the source as it is now)`,
    ],
    ['control', CONTROLS[negativeControl]],
    ...(result.coverage === undefined
      ? []
      : [['so far', describeRestored(result.coverage, result.endedAt).filter(Boolean).join('; ')]]),
    ...probes.map(({ name, outcome, detail = '' }) => ['probe', `${outcome}: ${name}; ${detail}`]),
    ...(limit === undefined
      ? []
      : [
          [
            'bound',
            `with ${limit.confidence * 100} % confidence at most ${(limit.maxDefectRate * 100).toFixed(2)} % are bad`,
          ],
        ]),
    ['statement', `${recorded.epoch}/${recorded.seq}  ${recorded.paeDigest.slice(0, 16)}`],
  ]
  const named = exceptions
    .slice(0, 20)
    .map(
      ({ path, class: name, detail }) =>
        `  ${paint('red', name)}  ${path}${detail === undefined ? '' : `  ${detail}`}`,
    )
  const more = exceptionsTotal - named.length
  return [
    `${MARKS[result.result]}  snapshot ${snapshotId.slice(0, 16)}  ${result.mode}, ${result.reason}`,
    ...alignColumns(facts, '  '),
    ...named,
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(result.error === undefined || result.error.message === told
      ? []
      : [`  ${result.error.code}: ${result.error.message}`]),
  ]
}
