import { BevisError } from '@bevis/shared/error'
import type { RestoreTestResult, SnapshotTest } from '../run/restore-test.ts'
import { cureOfCode } from '../cure.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { alignColumns, formatBytes, paint } from './terminal.ts'
import { MARK_OF, workOn } from './work.ts'
import type { WorkOptions } from './work.ts'

/** Tests that a set can be restored: 0 PASSED, 1 FAILED, 2 INCONCLUSIVE with the code of what hindered it. */
export async function testCommand(
  opened: Opened,
  id: string,
  options: WorkOptions & {
    readonly snapshot: string | null
    readonly full: boolean
    readonly files: readonly string[]
  },
): Promise<Outcome> {
  if (options.full && options.files.length > 0) {
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
        ...(scratch !== undefined && { scratchDir: scratch }),
        // By hand or by the clock, a random sample proves the same, and says `scheduled`. `requested` is for files that
        // somebody picked, which are no random sample: a contract does not count those, and would not count ours.
        wanted: {
          full: options.full,
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

function outcomeOf(id: string, { outcome, tests, error }: RestoreTestResult): Outcome {
  const told = error === null ? null : { code: error.code, message: error.message }
  return {
    exit: outcome === 'PASSED' ? 0 : outcome === 'FAILED' || told === null ? 1 : 2,
    json: { set: id, outcome, tests, error: told },
    lines: [
      ...tests.flatMap((one) => describe(one, told?.message)),
      ...(told === null ? [] : [`${told.code}: ${told.message}`, `  ${cureOfCode(told.code)}`]),
    ],
  }
}

const MARKS = {
  PASSED: paint('green', '✓ PASSED'),
  FAILED: paint('red', '✗ FAILED'),
  INCONCLUSIVE: paint('yellow', '? INCONCLUSIVE'),
}

const CONTROLS = {
  caught: 'caught: a copy that was damaged on purpose was found out',
  missed: 'missed: a copy that was damaged on purpose passed, so the test is void',
  'not-run': 'not run: nothing was judged',
} as const

function describe(
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
    [
      'restored',
      `${restored.files} files, ${formatBytes(restored.bytes)} in ${restored.seconds.toFixed(1)} s`,
    ],
    [
      'compared',
      `${classesText || 'nothing'} (${reference.manifest} by witness, ${reference.source} by the source as it is now)`,
    ],
    ['control', CONTROLS[negativeControl]],
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
