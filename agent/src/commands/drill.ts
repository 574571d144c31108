import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { setOf } from '../config.ts'
import { cureOfCode } from '../cure.ts'
import { parseDuration } from '../quantity.ts'
import type { RestoreTestResult } from '../run/restore-test.ts'
import { termsIn } from './contract-text.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { alignColumns, paint } from './terminal.ts'
import { agreedFor, describeTest } from './test.ts'
import { MARK_OF, workOn } from './work.ts'
import type { Bench, WorkOptions } from './work.ts'

/**
 * Restores a whole snapshot as in an emergency and leaves it where it is wanted: 0 PASSED within the time that was
 * agreed, 1 FAILED or too slow, 2 INCONCLUSIVE.
 */
export async function drillCommand(
  opened: Opened,
  id: string,
  options: WorkOptions & { readonly target: string; readonly snapshot: string | null },
): Promise<Outcome> {
  setOf(opened.config, id)
  assertEmpty(options.target)
  assertWritable(options.target)
  const { runRestoreTest } = await import('../run/restore-test.ts')
  const { scratch } = opened.config
  let agreedSeconds: number | null = null
  const result = await workOn(
    opened,
    { id, what: 'restore-test' },
    options,
    (bench, progress) => {
      const agreed = agreedFor(opened, bench)
      agreedSeconds = agreed.rtoSeconds ?? rtoIn(bench)
      return runRestoreTest({
        ...bench,
        agreed: { ...agreed, rtoSeconds: agreedSeconds },
        ...(scratch !== undefined && { scratchDir: scratch }),
        keepIn: options.target,
        wanted: {
          reason: 'drill',
          full: true,
          ...(options.snapshot !== null && { snapshotId: options.snapshot }),
        },
        onProgress: ({ step, files, totalFiles }) =>
          progress.update(
            step,
            totalFiles > 0 ? files / totalFiles : null,
            `${files} of ${totalFiles} files`,
          ),
      })
    },
    ({ outcome, error }) => ({ outcome: MARK_OF[outcome], error }),
  )
  return outcomeOf(id, options.target, result, agreedSeconds)
}

/** Before anything begins: a slip of the keyboard is no failed drill. */
function assertEmpty(target: string): void {
  let names: string[]
  try {
    names = existsSync(target) ? readdirSync(target) : []
  } catch (cause) {
    throw new BevisError('USAGE', `${target} cannot be used: ${errorMessageOf(cause)}`, { cause })
  }
  if (names.length > 0)
    throw new BevisError(
      'USAGE',
      `${target} is not empty: a drill needs a folder that is, or is not there yet`,
    )
}

/** The installed program is not root, whoever starts it: a folder below /srv is not its to make. */
function assertWritable(target: string): void {
  let there = target
  while (!existsSync(there)) there = dirname(there)
  try {
    accessSync(there, constants.W_OK)
  } catch (cause) {
    const cure = `make ${target} and give it to the agent’s user first (install -d -m 700 -o bevis-agent ${target})`
    throw new BevisError('USAGE', `${there} cannot be written by this user: ${cure}`, { cause })
  }
}

/** Read before anything is restored: a text that cannot be used is not the same as none. */
function rtoIn({ set }: Bench): number | null {
  const seconds = parseDuration(termsIn(set)?.restoreTest?.rto ?? '') / 1000
  return Number.isFinite(seconds) ? seconds : null
}

function outcomeOf(
  id: string,
  target: string,
  { outcome, tests, error }: RestoreTestResult,
  agreedSeconds: number | null,
): Outcome {
  const told = error === null ? null : { code: error.code, message: error.message }
  const measuredSeconds = tests[0]?.result.rto?.measuredSeconds ?? null
  const isTooSlow = measuredSeconds !== null && agreedSeconds !== null && measuredSeconds > agreedSeconds
  return {
    exit: outcome === 'PASSED' ? (isTooSlow ? 1 : 0) : outcome === 'FAILED' || told === null ? 1 : 2,
    json: { set: id, outcome, target, measuredSeconds, agreedSeconds, isTooSlow, tests, error: told },
    lines: [
      ...tests.flatMap((one) => describeTest(one, told?.message)),
      ...alignColumns(
        [
          ['time', timeOf(measuredSeconds, agreedSeconds)],
          ['restored to', target],
        ],
        '  ',
      ),
      ...(told === null ? [] : [`${told.code}: ${told.message}`, `  ${cureOfCode(told.code)}`]),
    ],
  }
}

function timeOf(measured: number | null, agreed: number | null): string {
  if (measured === null) return 'not measured: not everything was restored'
  const told = spell(measured)
  if (agreed === null) return `${told}; no time is agreed (restoreTest.rto of the contract)`
  return measured > agreed
    ? paint('red', `✗ ${told}, and ${spell(agreed)} are agreed`)
    : paint('green', `✓ ${told}, within the ${spell(agreed)} that are agreed`)
}

function spell(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const duration = Temporal.Duration.from({ seconds: Math.round(seconds) }).round({ largestUnit: 'hours' })
  return new Intl.DurationFormat('en', { style: 'long' }).format(duration)
}
