/**
 * A restore of everything, begun while the manifest is still being read: restic needs a second to open a repository
 * and to read its trees. It is held at its first file, until it is known what room all of them take.
 */
import type { RestoreControl, RestoreEvent, RestoreRun } from '../restic/restic.ts'
import type { BytePath } from '../tree/path.ts'
import type { BringRequest } from './bring.ts'
import { memoryRoom } from './plan.ts'
import { restoreInto, usedBytesAt } from './target.ts'

/** What may have been written before it is known whether there is room for all. */
const MOST_BYTES = 16 * 1024 * 1024
const LOOK_MS = 5

export interface Hearer {
  onStart(control: RestoreControl): void
  onEvent(event: RestoreEvent): void
  onWritten(bytes: number): void
}

export interface Early {
  readonly target: BytePath
  /** Ends restic when it is aborted. */
  readonly failure: AbortController
  readonly run: Promise<RestoreRun>
  /** All that was said so far is said again, and restic goes on. */
  goOn(hearer: Hearer): void
  /** Resolves when restic has ended. */
  cancel(): Promise<void>
}

/** Null where there is no place in memory for it. */
export async function beginEarly(
  request: Pick<BringRequest, 'restic' | 'snapshotId' | 'scratch' | 'remainingMs' | 'signal'>,
): Promise<Early | null> {
  const { scratch, signal } = request
  if (scratch.memory === null || (await memoryRoom(scratch.memory, 0)) === null) return null
  const target = await scratch.takeMemory()
  if (!target) return null
  const failure = new AbortController()
  const said: RestoreEvent[] = []
  let control: RestoreControl | null = null
  let hearer: Hearer | null = null
  const usedBytes = usedBytesAt(target)
  const usedBefore = usedBytes()
  const look = setInterval(() => {
    if (said.length > 0 || usedBytes() - usedBefore > MOST_BYTES) control?.hold()
  }, LOOK_MS)
  // Should another restore take its place, that one needs a cache of its own that is empty.
  const own = { ...scratch, cacheDir: `${scratch.cacheDir}-early` }
  const run = restoreInto({ ...request, scratch: own }, target, {
    signal: signal ? AbortSignal.any([signal, failure.signal]) : failure.signal,
    onStart: (started) => {
      control = started
      hearer?.onStart(started)
    },
    onWritten: (bytes) => hearer?.onWritten(bytes),
    onEvent: (event) => {
      if (hearer) return hearer.onEvent(event)
      said.push(event)
      control?.hold()
    },
  })
  run.catch(() => {})
  return {
    target,
    failure,
    run,
    goOn(next) {
      clearInterval(look)
      hearer = next
      for (const event of said.splice(0)) next.onEvent(event)
      if (control) next.onStart(control)
      control?.resume()
    },
    async cancel() {
      clearInterval(look)
      failure.abort()
      await run.catch(() => {})
    },
  }
}
