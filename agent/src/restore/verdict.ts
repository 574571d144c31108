/**
 * From comparisons to one answer. FAILED if any file failed; PASSED only if the control was caught, restic
 * ended well and enough of what was drawn is conclusive; everything else is INCONCLUSIVE, with its reason.
 */
import type { RestoreTest } from '@bevis/shared/evidence/predicates'
import { BevisError } from '@bevis/shared/error'
import type { ErrorCode } from '@bevis/shared/error'
import { pathText } from '../tree/path.ts'
import { COUNTS_AS } from './compare.ts'
import type { Comparison, FileClass } from './compare.ts'
import type { ControlOutcome } from './control.ts'
import type { Judged } from './judge.ts'

/** What one test of one snapshot found; the statement adds who, where and which snapshot. */
export type TestResult = Omit<
  RestoreTest,
  | 'chain'
  | 'host'
  | 'tools'
  | 'set'
  | 'repository'
  | 'snapshot'
  | 'startedAt'
  | 'endedAt'
  | 'exceptions'
  | 'error'
> & {
  startedAt: Date
  endedAt: Date
  exceptions: Exception[]
  error?: { code: ErrorCode; message: string }
}

export interface Exception {
  /** Path text. */
  path: string
  /** A class, or what was seen at the source beside a good backup: `rot`, `moved-back`. */
  class: string
  expected?: string
  actual?: string
  detail?: string
}

const MAX_EXCEPTIONS = 100

export interface Tally {
  readonly classes: Partial<Record<FileClass, number>>
  readonly reference: { manifest: number; source: number; none: number }
  /** Of what was drawn: judged, and judged with a certain answer. */
  readonly judged: number
  readonly conclusive: number
  readonly failed: number
  readonly restored: { files: number; bytes: number }
  /** At most 100, failures first. */
  readonly exceptions: Exception[]
  readonly exceptionsTotal: number
}

export function openTally(): {
  add(judged: Judged): void
  /** So many that came out identical to their witness, beside a source that is the same. */
  addSound(some: { files: number; bytes: number }): void
  readonly tally: Tally
} {
  const classes: Partial<Record<FileClass, number>> = {}
  const reference = { manifest: 0, source: 0, none: 0 }
  const restored = { files: 0, bytes: 0 }
  const counts = { judged: 0, conclusive: 0, failed: 0, exceptionsTotal: 0 }
  const failures: Exception[] = []
  const others: Exception[] = []
  const note = (list: Exception[], exception: Exception): void => {
    counts.exceptionsTotal += 1
    if (list.length < MAX_EXCEPTIONS) list.push(exception)
  }
  return {
    get tally() {
      const exceptions = [...failures, ...others].slice(0, MAX_EXCEPTIONS)
      return { classes, reference, restored, ...counts, exceptions }
    },
    addSound({ files, bytes }) {
      if (files === 0) return
      classes.identical = (classes.identical ?? 0) + files
      reference.manifest += files
      restored.files += files
      restored.bytes += bytes
      counts.judged += files
      counts.conclusive += files
    },
    add({ item, path, comparison, restored: stat }) {
      if (!comparison) return
      const countsAs = COUNTS_AS[comparison.class]
      classes[comparison.class] = (classes[comparison.class] ?? 0) + 1
      reference[comparison.reference] += 1
      if (stat) {
        restored.files += 1
        restored.bytes += stat.size
      }
      const text = pathText(path)
      if (countsAs !== 'pass') note(countsAs === 'fail' ? failures : others, exceptionOf(text, comparison))
      if (countsAs === 'fail') counts.failed += 1
      for (const seen of sourceExceptions(text, comparison)) note(others, seen)
      // A gap is a fact about the snapshot; it was not drawn, and does not count towards what was.
      if (!item.isListed) return
      counts.judged += 1
      if (countsAs !== 'inconclusive') counts.conclusive += 1
    },
  }
}

function exceptionOf(path: string, { class: name, expected, actual, detail }: Comparison): Exception {
  return {
    path,
    class: name,
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
    ...(detail !== undefined && { detail: detail.slice(0, 500) }),
  }
}

/** The backup may be good while its source is not: that is told of every file, whatever its class. */
function sourceExceptions(path: string, { source, movedBack }: Comparison): Exception[] {
  if (source === 'rot') {
    return [
      {
        path,
        class: 'rot',
        detail: 'the source has other bytes under an unmoved stat: bad storage, or hidden writing',
      },
    ]
  }
  if (movedBack === 'put-back') {
    return [
      {
        path,
        class: 'moved-back',
        detail: 'the source has other bytes under its old size and modification time',
      },
    ]
  }
  if (movedBack === 'older') {
    return [{ path, class: 'moved-back', detail: 'the source is older than in the snapshot' }]
  }
  return []
}

export interface Conditions {
  readonly tally: Tally
  readonly control: ControlOutcome
  /** What went wrong with the run itself. */
  readonly error: BevisError | null
  /** The least number of drawn files that must be conclusive. */
  readonly minimum: number
  /** Null where differences are only told. */
  readonly metadata: { readonly different: number; readonly notCompared: string | null } | null
}

export function decide({ tally, control, error, minimum, metadata }: Conditions): {
  result: TestResult['result']
  error?: { code: ErrorCode; message: string }
} {
  const inconclusive = (code: ErrorCode, message: string) => ({
    result: 'INCONCLUSIVE' as const,
    error: { code, message },
  })
  if (control === 'missed') {
    return inconclusive(
      'CONTROL_MISSED',
      'a file that was spoilt on purpose came out well: this run proves nothing',
    )
  }
  const told = error ? { error: { code: error.code, message: error.message } } : {}
  if (tally.failed > 0) return { result: 'FAILED', ...told }
  if (error) return { result: 'INCONCLUSIVE', ...told }
  if (tally.judged === 0)
    return inconclusive('NOTHING_TO_TEST', 'no file was restored, so nothing was proven')
  if (tally.conclusive < Math.max(1, minimum)) {
    const message = `${tally.conclusive} of ${tally.judged} files are conclusive, ${minimum} are needed`
    return inconclusive('NOT_ENOUGH_CONCLUSIVE', message)
  }
  if (control === 'not-run')
    return inconclusive('CONTROL_MISSED', 'no restored file could serve as negative control')
  if (metadata && metadata.different > 0) {
    const message = `${metadata.different} came back with another mode, owner, time, link or attribute`
    return { result: 'FAILED', error: { code: 'METADATA_DIFFERS', message } }
  }
  if (metadata && metadata.notCompared !== null)
    return inconclusive(
      'NOT_ENOUGH_CONCLUSIVE',
      `the set wants all metadata compared: ${metadata.notCompared}`,
    )
  return { result: 'PASSED' }
}
