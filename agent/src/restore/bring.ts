/**
 * Gets what was drawn out of the repository: streamed where restic names files as they come and there is a place
 * for it, else whole into the scratch. It ends with an answer, however restic ended.
 */
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { Restic, RestoreRun } from '../restic/restic.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import { bytePathOf, bytesOf, isWithin } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { AwaitedFiles } from './awaited.ts'
import type { Drawn } from './draw.ts'
import { dumpFiles } from './dump.ts'
import type { Dumps } from './dump.ts'
import type { Early, Hearer } from './early.ts'
import { folderRoom, memoryRoom, planStream } from './plan.ts'
import type { StreamPlan } from './plan.ts'
import type { Scratch } from './scratch.ts'
import { openStream } from './stream.ts'
import { STALL_MS, restoreInto, usedBytesAt } from './target.ts'

export interface BringRequest {
  readonly restic: Restic
  readonly snapshotId: string
  readonly pool: DigestPool
  readonly scratch: Scratch
  readonly drawn: Drawn
  /** Of all nodes below what was drawn; each takes an inode, however small it is. */
  readonly nodes: number
  /** Those of the drawn files that can be streamed; null: all are to be restored before any is read. */
  readonly files: AwaitedFiles | null
  /** It runs already; whoever began it ends it, unless it goes on here. */
  readonly early?: Early
  /** Begun when every file was read; it ends soon after restic has, which `isOver` says. */
  readonly look?: (target: BytePath, isOver: () => boolean) => Promise<void>
  /** What is left of the test's time; Infinity without a limit. */
  readonly remainingMs: () => number
  readonly signal?: AbortSignal
  readonly onFile?: () => void
}

export interface Brought {
  /** Restored paths stand below it as they stood below `/`. */
  readonly target: BytePath
  readonly seconds: number
  readonly error: BevisError | null
  /**
   * `all`: whatever is not there is missing. `read`: restic was ended too early, and only what was read on the
   * way says something. `nothing`: what came says nothing of the repository.
   */
  readonly says: 'all' | 'read' | 'nothing'
  /** What was read while restic ran; null when nothing was. */
  readonly streamed: AwaitedFiles | null
  /** All that was emptied has been looked at. */
  readonly isLooked: boolean
  /** restic's error for a path as the listing shows it, or null. */
  readonly complaintOf: (text: BytePath) => string | null
}

/** Ends that are nobody's fault: what was read before is as good as ever. */
const CUT_SHORT: readonly BevisError['code'][] = [
  'RESTIC_TIMEOUT',
  'RESTIC_INTERRUPTED',
  'RESTIC_REPOSITORY_UNREACHABLE',
  'SCRATCH_FULL',
]

/** @throws BevisError SCRATCH_FULL when nothing that fits could be begun */
export async function bring(request: BringRequest): Promise<Brought> {
  const place = await choosePlace(request)
  return place ? bringStreamed(request, place) : bringWhole(request)
}

interface Place extends StreamPlan {
  readonly target: BytePath
  readonly early?: Early
}

/** Memory before the folder, and streamed before whole. */
async function choosePlace({ scratch, files, drawn, nodes, early }: BringRequest): Promise<Place | null> {
  if (!files) return null
  const memory = scratch.memory === null ? null : await memoryRoom(scratch.memory, nodes)
  const inMemory = memory === null ? null : planStream(files, drawn, memory)
  if (early && inMemory?.dumped.length === 0) return { ...inMemory, target: early.target, early }
  // What was begun would leave no room for another.
  await early?.cancel()
  const target = inMemory && (await scratch.takeMemory())
  if (inMemory && target) return { ...inMemory, target }
  const inFolder = planStream(files, drawn, await folderRoom(scratch.folder))
  if (!inFolder) return null
  await scratch.assertRoom({ bytes: Math.min(drawn.bytes, inFolder.limitBytes), files: nodes })
  return { ...inFolder, target: scratch.target }
}

async function bringWhole(request: BringRequest): Promise<Brought> {
  const { scratch, drawn } = request
  const { target } = scratch
  await scratch.assertRoom(drawn)
  const run = await restoreInto(request, target, {
    ...(drawn.includes && { includes: drawn.includes.map(bytesOf) }),
  })
  const error = run.error ? await explain(run.error, request) : null
  return {
    target,
    error,
    seconds: secondsOf(run),
    // What restic did not get to says nothing about the backup.
    says: error && !isAboutData(error.code) ? 'nothing' : 'all',
    streamed: null,
    isLooked: false,
    complaintOf: complaintsOf(run, target, null),
  }
}

async function bringStreamed(
  request: BringRequest,
  { target, limitBytes, dumped, early }: Place,
): Promise<Brought> {
  const { pool, drawn, files, onFile } = request
  if (!files) throw new BevisError('INTERNAL', 'there are no files to stream')
  const failure = early?.failure ?? new AbortController()
  let isOver = false
  let looking: Promise<boolean> | undefined
  const stream = openStream({
    pool,
    files,
    target,
    isSample: drawn.includes !== null,
    limitBytes,
    usedBytes: usedBytesAt(target),
    onAllRead: () => {
      // What hinders it is met again, and told, by whoever looks after the restore.
      looking = request
        .look?.(target, () => isOver)
        .then(
          () => true,
          () => false,
        )
    },
    onFailure: (cause) => failure.abort(cause),
  })
  const left = new Set(dumped.map(({ path }) => path))
  const hearer: Hearer = {
    onStart: (control) => stream.onStart(control),
    onWritten: (bytes) => stream.onWritten(bytes),
    onEvent: (event) => {
      stream.onEvent(event)
      onFile?.()
    },
  }
  early?.goOn(hearer)
  const anew = {
    ...(drawn.includes && { includes: drawn.includes.filter((path) => !left.has(path)).map(bytesOf) }),
    ...(!drawn.includes && left.size > 0 && { excludes: [...left].map(bytesOf) }),
    signal: request.signal ? AbortSignal.any([request.signal, failure.signal]) : failure.signal,
    ...hearer,
  }
  const restoring = early?.run ?? restoreInto(request, target, anew)
  await restoring.catch(() => {}) // thrown below, once nothing reads any more
  isOver = true
  await stream.settle()
  const isLooked = (await looking) ?? false
  const run = await restoring
  if (failure.signal.aborted) throw failure.signal.reason
  const restored = run.error ? await explain(run.error, request) : null
  const isThrough = !restored || isAboutData(restored.code)
  const startedAt = performance.now()
  const dumps = isThrough
    ? await dumpFiles({
        ...request,
        files,
        dumped,
        cacheDir: request.scratch.cacheDir,
        stallMs: STALL_MS,
        isAboutData,
      })
    : null
  const dumpError = dumps?.error ? await explain(dumps.error, request) : null
  const error = restored ?? dumpError
  const ends = [restored, dumpError].filter((one) => one !== null && !isAboutData(one.code))
  return {
    target,
    error: ends[0] ?? error,
    seconds: secondsOf(run) + (dumped.length > 0 ? (performance.now() - startedAt) / 1000 : 0),
    says:
      ends.length === 0
        ? 'all'
        : ends.every((one) => one && CUT_SHORT.includes(one.code))
          ? 'read'
          : 'nothing',
    streamed: files,
    isLooked,
    complaintOf: complaintsOf(run, target, dumps),
  }
}

function secondsOf({ startedAt, endedAt }: RestoreRun): number {
  return (endedAt.getTime() - startedAt.getTime()) / 1000
}

/** Errors that the files themselves can have caused; all others end a run before it has said anything of them. */
function isAboutData(code: BevisError['code']): boolean {
  return ['RESTIC_FAILED', 'RESTIC_REPOSITORY_DAMAGED', 'RESTIC_SOURCE_INCOMPLETE'].includes(code)
}

/** A full scratch and a repository that went away must never look like damage: both are asked, not guessed from words. */
async function explain(
  { code, message }: Pick<BevisError, 'code' | 'message'>,
  { restic, scratch }: BringRequest,
): Promise<BevisError> {
  // What restic says goes to the scratch's disk too, and comes back in pieces when that is full.
  if (!isAboutData(code) && code !== 'RESTIC_OUTPUT_INVALID') return new BevisError(code, message)
  try {
    await scratch.assertWritable()
    await restic.repositoryId()
  } catch (cause) {
    const why = `${errorMessageOf(cause)}; meanwhile ${message}`
    const found = errorCodeOf(cause)
    // Not even its config can be had, for a reason that restic has no word for: rights that were taken away, say.
    return new BevisError(found === 'RESTIC_FAILED' ? 'RESTIC_REPOSITORY_UNREACHABLE' : found, why, { cause })
  }
  return new BevisError(code, message)
}

/** restic names what it complains about by the listing's text, some versions below the target. */
function complaintsOf(run: RestoreRun, target: BytePath, dumps: Dumps | null): Brought['complaintOf'] {
  const said = new Map<string, string>(dumps?.complaints.map(({ path, message }) => [path, message]))
  for (const { path, message } of run.errors) {
    if (path === undefined) continue
    const text = bytePathOf(path)
    said.set(isWithin(text, target) ? text.slice(target.length) : text, message)
  }
  return (text) => said.get(text) ?? null
}
