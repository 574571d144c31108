import { once } from 'node:events'
import {
  closeSync,
  createWriteStream,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeFileSync,
} from 'node:fs'
import type { WriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BevisError, errorCodeOf } from '@bevis/shared/error'
import { failureOf, saidBy } from './failure.ts'
import { assertFullId } from './full-id.ts'
import { patternsOf } from './includes.ts'
import type { RestoreRequest, RestoreRun, RunError } from './interface.ts'
import { parseOutput } from './json.ts'
import { LineCutter } from './lines.ts'
import { restoreMessage } from './messages.ts'
import type { Program } from './program.ts'
import { lockArgs } from './short.ts'
import { spawnRestic } from './spawn.ts'
import type { Ending, Running } from './spawn.ts'
import { isDiskFull } from './stderr.ts'

/** A pipe wakes Node for every line, a file does not: 1.18 instead of 1.34 of the CPU time of a restore. */
const POLL_MS = 15
const CHUNK_BYTES = 256 * 1024
/** Linux takes 2 MiB of arguments and environment in all. */
const LARGEST_ARGUMENTS_BYTES = 1024 * 1024

export async function restore(program: Program, request: RestoreRequest): Promise<RestoreRun> {
  const startedAt = program.now()
  let output: WriteStream | undefined
  try {
    const args = argumentsOf(program, request)
    const outputFile = join(request.cacheDir, 'restore-output')
    output = createWriteStream(outputFile, { flags: 'wx', mode: 0o600 })
    await once(output, 'open')
    const running = spawnRestic(program, {
      ...request,
      args,
      stdoutFile: output,
      ...(request.onWritten && { statusPerSecond: 10 }),
      watchBytes: !program.capabilities.restoreEvents,
    })
    request.onStart?.({ hold: running.hold, resume: running.resume })
    const read = await readEvents(program, request, running, outputFile).catch((error: unknown) => {
      running.stop('unwanted')
      return { problem: toRunError(error), skipped: 0, summarised: false }
    })
    const ending = await running.ending
    const error = read.problem ?? errorOf(program, ending, read)
    return {
      exitCode: ending.exitCode,
      startedAt,
      endedAt: program.now(),
      errors: ending.items,
      errorCount: ending.itemCount,
      filesSkipped: read.skipped,
      ...(error && { error }),
    }
  } catch (error) {
    const nothing = { exitCode: -1, errors: [], errorCount: 0, filesSkipped: 0 }
    return { ...nothing, startedAt, endedAt: program.now(), error: toRunError(error) }
  } finally {
    output?.destroy()
  }
}

function argumentsOf(program: Program, request: RestoreRequest): string[] {
  const { snapshotId, target, cacheDir, includes = [], excludes = [] } = request
  const { restoreSparse, restoreEvents, includeFile } = program.capabilities
  assertFullId(snapshotId)
  prepareEmpty(target)
  prepareEmpty(cacheDir)
  if (excludes.length > 0 && (includes.length > 0 || !includeFile))
    throw new BevisError('USAGE', 'a restore takes either includes or, from restic 0.17, excludes')
  const option = excludes.length > 0 ? 'exclude' : 'include'
  const patterns = patternsOf(option, excludes.length > 0 ? excludes : includes, includeFile)
  if (patterns.args.reduce((bytes, arg) => bytes + Buffer.byteLength(arg) + 9, 0) > LARGEST_ARGUMENTS_BYTES) {
    throw new BevisError('USAGE', `too many paths for one restore by restic ${program.version}; split them`)
  }
  const listFile = join(cacheDir, 'restore-patterns')
  if (patterns.file) writeFileSync(listFile, patterns.file, { mode: 0o600 })
  return [
    'restore',
    ...lockArgs(program, request),
    `--target=${target}`,
    ...(restoreSparse ? ['--sparse'] : []),
    ...(restoreEvents ? ['--json', '-vv'] : []),
    ...patterns.args,
    ...(patterns.file ? [`--${option}-file=${listFile}`] : []),
    '--',
    snapshotId,
  ]
}

/** From 0.17 what lies in the target already is skipped, and counts as restored; a used cache hides damage. */
function prepareEmpty(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (readdirSync(folder).length > 0) throw new BevisError('SCRATCH_REFUSED', `${folder} is not empty`)
}

/** Most lines are this, with a name that needs no escapes: a regular expression takes a fifth of the schema's time. */
const USUAL_EVENT =
  /^\{"message_type":"verbose_status","action":"([a-z ]{1,40})","item":"([^"\\]{1,65536})","size":(\d{1,15})\}$/

interface Read {
  skipped: number
  /** restic printed its summary: it came to its end */
  summarised: boolean
  problem?: RunError
}

async function readEvents(
  program: Program,
  { onEvent, onWritten, cacheDir }: RestoreRequest,
  running: Running,
  outputFile: string,
): Promise<Read> {
  const read: Read = { skipped: 0, summarised: false }
  const cutter = new LineCutter()
  let last = ''
  const take = (line: string): void => {
    const [, action, path, size] = USUAL_EVENT.exec(line) ?? []
    if (action !== undefined && path !== undefined) {
      running.progress()
      return onEvent?.({ action, path, sizeBytes: Number(size) })
    }
    if (!line.startsWith('{')) return
    const message = parseOutput(restoreMessage, line, 'restic restore')
    if (message.message_type === 'verbose_status') {
      running.progress()
      onEvent?.({ action: message.action, path: message.item, sizeBytes: message.size ?? 0 })
    } else if (message.message_type === 'status') {
      const now = `${message.bytes_restored} ${message.files_restored} ${message.bytes_skipped}`
      if (now !== last) running.progress()
      last = now
      onWritten?.(message.bytes_restored)
    } else if (message.message_type === 'summary') {
      read.summarised = true
      read.skipped = message.files_skipped
    }
  }
  let ended = false
  void running.ending.then(() => (ended = true))
  const fd = openSync(outputFile, 'r')
  const buffer = Buffer.alloc(CHUNK_BYTES)
  try {
    for (;;) {
      const last = ended // what was written before the end is read after it was seen
      for (let bytes = readSync(fd, buffer); bytes > 0; bytes = readSync(fd, buffer)) {
        for (const line of cutter.push(buffer.subarray(0, bytes))) take(line)
      }
      if (last) break
      await sleep(POLL_MS)
    }
    const rest = cutter.end()
    if (rest.startsWith('{'))
      throw new BevisError('RESTIC_OUTPUT_INVALID', `restic restore was cut short in ${cacheDir}`)
  } finally {
    closeSync(fd)
  }
  if (!program.capabilities.restoreEvents) read.summarised = true
  return read
}

function errorOf(program: Program, ending: Ending, { skipped, summarised }: Read): RunError | undefined {
  const failure = failureOf(ending)
  if (failure && ending.stopped === undefined && isDiskFull(saidBy(ending)))
    return { ...failure, code: 'SCRATCH_FULL' }
  if (failure) return failure
  if (ending.itemCount > 0) {
    return { code: 'RESTIC_FAILED', message: `restic restore ended with 0 after ${ending.itemCount} errors` }
  }
  if (!summarised) {
    return { code: 'RESTIC_OUTPUT_INVALID', message: `restic ${program.version} restored without a summary` }
  }
  if (skipped > 0)
    return { code: 'SCRATCH_REFUSED', message: `restic skipped ${skipped} files that were there before` }
  return undefined
}

function toRunError(error: unknown): RunError {
  return { code: errorCodeOf(error), message: error instanceof Error ? error.message : String(error) }
}
