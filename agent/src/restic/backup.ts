import { isAbsolute } from 'node:path'
import { BevisError, errorCodeOf } from '@bevis/shared/error'
import { failureOf } from './failure.ts'
import type {
  BackupRequest,
  BackupRun,
  BackupSummaryCounts,
  Progress,
  RunError,
  Snapshot,
} from './interface.ts'
import { parseOutput } from './json.ts'
import { LineCutter } from './lines.ts'
import { backupMessage, fullId } from './messages.ts'
import type { BackupSummary } from './messages.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { findSnapshot, listSnapshots } from './snapshots.ts'
import { spawnRestic } from './spawn.ts'
import type { Running } from './spawn.ts'

const SOURCE_INCOMPLETE_EXIT = 3

export async function backUp(program: Program, request: BackupRequest): Promise<BackupRun> {
  const startedAt = program.now()
  const running = spawnRestic(program, { ...request, args: argumentsOf(program, request) })
  const read = await readOutput(running, request.onProgress).catch((error: unknown) => {
    running.stop('unwanted')
    return { problem: toRunError(error) }
  })
  const ending = await running.ending
  const endedAt = program.now()
  const { summary, problem } = { summary: undefined, problem: undefined, ...read }
  const run = {
    exitCode: ending.exitCode,
    startedAt,
    endedAt,
    errors: ending.items,
    errorCount: ending.itemCount,
    ...(summary && { summary: countsOf(summary) }),
  }
  const isIncomplete = ending.exitCode === SOURCE_INCOMPLETE_EXIT && ending.stopped === undefined
  const failure = isIncomplete ? undefined : failureOf(ending)
  if (problem ?? failure) return { ...run, outcome: 'failed', error: problem ?? failure ?? toRunError(null) }
  if (summary?.snapshot_id === undefined) {
    const message = `restic backup ended with ${ending.exitCode} and named no snapshot`
    return { ...run, outcome: 'failed', error: { code: 'RESTIC_OUTPUT_INVALID', message } }
  }
  if (fullId.safeParse(summary.snapshot_id).success) request.onSnapshot?.(summary.snapshot_id)
  const found = await lookUp(program, summary.snapshot_id, request)
  if ('error' in found) return { ...run, outcome: 'failed', ...found }
  if (ending.exitCode === 0 && ending.itemCount === 0) return { ...run, outcome: 'complete', ...found }
  return { ...run, outcome: 'partial', ...found, error: incomplete(run) }
}

function argumentsOf(program: Program, request: BackupRequest): string[] {
  const { paths, excludes = [], tags = [], host, oneFileSystem = false, useFsSnapshot = false } = request
  const relative = paths.find((path) => !isAbsolute(path))
  if (paths.length === 0 || relative !== undefined) {
    throw new BevisError(
      'CONFIG_INVALID',
      `a backup needs absolute paths, not ${JSON.stringify(relative ?? '')}`,
    )
  }
  return [
    'backup',
    '--json',
    ...lockArgs(program, request),
    ...excludes.map((pattern) => `--exclude=${pattern}`),
    ...tags.map((tag) => `--tag=${tag}`),
    ...(host === undefined ? [] : [`--host=${host}`]),
    ...(oneFileSystem ? ['--one-file-system'] : []),
    ...(useFsSnapshot ? ['--use-fs-snapshot'] : []),
    '--',
    ...paths,
  ]
}

/** restic repeats its status while the network is gone, so only numbers that move are progress. */
async function readOutput(
  running: Running,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<{ summary?: BackupSummary }> {
  const cutter = new LineCutter()
  let summary: BackupSummary | undefined
  let last = ''
  for await (const chunk of running.stdout ?? []) {
    for (const line of cutter.push(chunk as Buffer)) {
      if (!line.startsWith('{')) continue // a warning in plain text
      const message = parseOutput(backupMessage, line, 'restic backup')
      if (message.message_type === 'summary') summary = message
      if (message.message_type !== 'status') continue
      const progress = {
        files: message.files_done,
        bytes: message.bytes_done,
        totalFiles: message.total_files,
        totalBytes: message.total_bytes,
      }
      const now = Object.values(progress).join()
      if (now !== last) running.progress()
      last = now
      onProgress?.(progress)
    }
  }
  const rest = cutter.end()
  if (rest !== '')
    throw new BevisError('RESTIC_OUTPUT_INVALID', `restic backup was cut short: ${rest.slice(0, 200)}`)
  return summary ? { summary } : {}
}

async function lookUp(
  program: Program,
  id: string,
  { signal }: BackupRequest,
): Promise<
  | (Pick<BackupRun, 'listed'> & { snapshot: Snapshot; snapshotId: string })
  | { error: RunError; snapshotId?: string }
> {
  const limits = signal ? { signal } : {}
  const at = program.now()
  try {
    // To list all of them takes as long as to look for one; where that fails, the one may be there still.
    const snapshots = await listSnapshots(program, limits).catch(() => [])
    const [found, ...others] = snapshots.filter((one) => one.id.startsWith(id))
    if (found && others.length === 0)
      return { snapshot: found, snapshotId: found.id, listed: { at, snapshots } }
    const snapshot = await findSnapshot(program, id, limits)
    return { snapshot, snapshotId: snapshot.id }
  } catch (error) {
    return { error: toRunError(error), ...(id.length === 64 && { snapshotId: id }) }
  }
}

function countsOf(summary: BackupSummary): BackupSummaryCounts {
  return {
    filesNew: summary.files_new,
    filesChanged: summary.files_changed,
    filesUnmodified: summary.files_unmodified,
    files: summary.total_files_processed,
    bytes: summary.total_bytes_processed,
    addedBytes: summary.data_added,
  }
}

function incomplete({ errorCount, errors }: Pick<BackupRun, 'errorCount' | 'errors'>): RunError {
  const first = errors[0] ? `, first ${errors[0].path ?? ''}: ${errors[0].message}` : ''
  return { code: 'RESTIC_SOURCE_INCOMPLETE', message: `restic could not read ${errorCount} items${first}` }
}

function toRunError(error: unknown): RunError {
  return { code: errorCodeOf(error), message: error instanceof Error ? error.message : String(error) }
}
