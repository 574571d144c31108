import { setOf } from '../config.ts'
import type { Slice } from '../run/check-ledger.ts'
import type { DataCheckResult } from '../run/data-check.ts'
import { describeCoverage } from './coverage.ts'
import { cureOfCode } from '../cure.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { alignColumns, formatBytes, paint } from './terminal.ts'
import { MARK_OF, workOn } from './work.ts'
import type { WorkOptions } from './work.ts'

/** restic's check tells nothing while it reads. */
const TOLD_EVERY_MS = 1_000

/** Reads a slice of a set's repository: 0 PASSED, 1 FAILED, 2 INCONCLUSIVE with the code of what hindered it. */
export async function checkCommand(
  opened: Opened,
  id: string,
  options: WorkOptions & { readonly slice: Slice | null },
): Promise<Outcome> {
  const { runDataCheck } = await import('../run/data-check.ts')
  const { cycle } = setOf(opened.config, id).dataCheck
  let timer: NodeJS.Timeout | undefined
  const result = await workOn(
    opened,
    { id, what: 'data-check' },
    options,
    (bench, progress) =>
      runDataCheck({
        ...bench,
        cycle,
        ...(options.slice !== null && { slice: options.slice }),
        onSlice: ({ part, of }) => {
          timer = setInterval(() => progress.update('reading', null, `slice ${part}/${of}`), TOLD_EVERY_MS)
        },
      }).finally(() => clearInterval(timer)),
    (run) => ({ outcome: MARK_OF[run.result], error: run.error }),
  )
  return outcomeOf(id, result, opened.now())
}

function outcomeOf(id: string, run: DataCheckResult, now: Date): Outcome {
  const { result, slice, errors, messages, bytes, coverage, error, recorded } = run
  const told = error === null ? null : { code: error.code, message: error.message }
  return {
    exit: result === 'PASSED' ? 0 : result === 'FAILED' ? 1 : 2,
    json: {
      set: id,
      outcome: result,
      subset: `${slice.part}/${slice.of}`,
      errors,
      messages,
      bytes,
      coverage,
      recorded,
      error: told,
    },
    lines: [
      `${MARKS[result]}  slice ${slice.part}/${slice.of}`,
      ...alignColumns(
        [
          ...(bytes === null
            ? []
            : [['read', bytes === 0 ? 'nothing: no data lies in this slice' : formatBytes(bytes)]]),
          ...(errors === 0 ? [] : [['errors', String(errors)]]),
          ['data read', describeCoverage(coverage, now).join('; ')],
          ['statement', `${recorded.epoch}/${recorded.seq}  ${recorded.paeDigest.slice(0, 16)}`],
        ],
        '  ',
      ),
      ...(result === 'FAILED' ? messages.slice(0, 20).map((message) => `  ${paint('red', message)}`) : []),
      ...(told === null ? [] : [`${told.code}: ${told.message}`, `  ${cureOfCode(told.code)}`]),
    ],
  }
}

const MARKS = {
  PASSED: paint('green', '✓ PASSED'),
  FAILED: paint('red', '✗ FAILED'),
  INCONCLUSIVE: paint('yellow', '? INCONCLUSIVE'),
}
