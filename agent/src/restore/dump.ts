/**
 * Files too large for the scratch: restic writes each into our hasher. It stops at the first damaged blob, so
 * nothing that came counts without exit 0 and the whole size.
 */
import { createHash } from 'node:crypto'
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { Restic } from '../restic/restic.ts'
import { MARK, READING } from '../tree/pair-table.ts'
import { bytesOf } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { AwaitedFiles } from './awaited.ts'
import type { Expected } from './expected.ts'

export interface DumpOptions {
  readonly restic: Restic
  readonly snapshotId: string
  readonly files: AwaitedFiles
  readonly dumped: readonly Expected[]
  /** Filled by this very run: a used one hides damage. */
  readonly cacheDir: string
  readonly stallMs: number
  /** What is left of the test's time; Infinity without a limit. */
  readonly remainingMs: () => number
  readonly signal?: AbortSignal
  /** Whether the error can be the file's own doing; all others end the test. */
  readonly isAboutData: (code: BevisError['code']) => boolean
}

export interface Dumps {
  /** Why files did not come. */
  readonly complaints: { path: BytePath; message: string }[]
  /** The first of them, or what ended the dumps before all had been tried. */
  readonly error: BevisError | null
}

export async function dumpFiles(options: DumpOptions): Promise<Dumps> {
  const { dumped, files, isAboutData } = options
  const complaints: Dumps['complaints'] = []
  let error: BevisError | null = null
  for (const item of dumped) {
    try {
      const digest = await dumpOne(options, item)
      const index = files.find(item.path)
      files.table.setDigest(index, digest)
      files.table.setReading(index, READING.known)
      files.table.mark(index, MARK.dumped)
    } catch (cause) {
      error ??=
        cause instanceof BevisError
          ? cause
          : new BevisError(errorCodeOf(cause), errorMessageOf(cause), { cause })
      const code = errorCodeOf(cause)
      if (!isAboutData(code)) return { complaints, error: cause instanceof BevisError ? cause : error }
      complaints.push({ path: item.path, message: errorMessageOf(cause) })
    }
  }
  return { complaints, error }
}

async function dumpOne(
  { restic, snapshotId, cacheDir, stallMs, remainingMs, signal }: DumpOptions,
  { path, size }: Expected,
): Promise<Buffer> {
  const deadlineMs = remainingMs()
  const { content, done } = restic.dump({
    snapshotId,
    path: bytesOf(path),
    cacheDir,
    stallMs,
    ...(deadlineMs < Infinity && { deadlineMs: Math.max(1, deadlineMs) }),
    ...(signal && { signal }),
  })
  const whole = createHash('sha256')
  let bytes = 0
  for await (const chunk of content as AsyncIterable<Buffer>) {
    whole.update(chunk)
    bytes += chunk.length
  }
  await done
  if (bytes === size) return whole.digest()
  throw new BevisError('RESTIC_FAILED', `restic dump ended well after ${bytes} of ${size} bytes`)
}
