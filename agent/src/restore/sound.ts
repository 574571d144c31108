/**
 * In a full test nearly every file is sound: while restic ran, a thread found its bytes to be its witness's and its
 * source unmoved, and afterwards its mode, owner and time are the expected ones. There is nothing to be said of such
 * a file but that it is one more, so its line of the manifest is not taken apart a second time. Whatever is not
 * sound, or not known to be, is judged file by file.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { BevisError } from '@bevis/shared/error'
import { joinPaths } from '../tree/pair.ts'
import type { LookBatch } from '../tree/pair.ts'
import { MARK, READING } from '../tree/pair-table.ts'
import { lossyText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { AwaitedFiles } from './awaited.ts'
import type { TestRequest } from './request.ts'

export interface SoundRequest extends Pick<TestRequest, 'coverage'> {
  readonly files: AwaitedFiles
  readonly complaintOf: (text: BytePath) => string | null
}

export interface SoundFiles {
  /** What was counted since this was last asked. */
  take(): { files: number; bytes: number }
  /** To be asked once for each path: whether its file has to be judged by itself. The others are counted here. */
  readonly isLeft: (path: BytePath) => boolean
}

/** Of the first, every other one is judged by itself all the same: their attributes are looked at. */
const FIRST = 200

/** What {@link lookAtAll} has looked at. */
export function openSound({ files, complaintOf, coverage }: SoundRequest): SoundFiles {
  const { table } = files
  let counted = { files: 0, bytes: 0 }
  let sound = 0
  return {
    take() {
      const taken = counted
      counted = { files: 0, bytes: 0 }
      return taken
    },
    isLeft(path) {
      const index = files.find(path)
      if (!isSound(files, index) || complaintOf(lossyText(path)) !== null) return true
      sound += 1
      if (sound <= FIRST && sound % 2 === 1) return true
      // A record is one file's: whatever else claims it would go unjudged.
      if (table.has(index, MARK.counted)) throw new BevisError('INTERNAL', 'two paths have one record')
      table.mark(index, MARK.counted)
      counted.files += 1
      counted.bytes += table.sizeOf(index)
      coverage?.restored({ path, isResolved: true, ...table.versionOf(index) })
      return false
    },
  }
}

/** Whether this record needs no comparison: the one that it would get is known. */
export function isSound({ table }: AwaitedFiles, index: number): boolean {
  return isEmptied(table, index) && table.has(index, MARK.asExpected)
}

function isEmptied(table: AwaitedFiles['table'], index: number): boolean {
  const isWitnessed = index >= 0 && table.readingOf(index) === READING.clean && table.has(index, MARK.witness)
  return isWitnessed && table.has(index, MARK.emptied)
}

export interface LookRequest extends Pick<TestRequest, 'expected' | 'pool' | 'signal'> {
  readonly files: AwaitedFiles
  readonly target: BytePath
  /** restic has ended: what is not as expected now will never be. */
  readonly isOver: () => boolean
}

/** restic sets times in the manifest's order: once it is past so many of a batch, it has been at the others too. */
const LAST = 5
const LOOK_AGAIN_MS = 20

/**
 * Looks at all files that were emptied, in few messages: right behind restic while that sets their times, since one
 * processor has nothing else to do then, and once more at what it had not come to when it ended.
 * @throws BevisError as a reading of the manifest does
 */
export async function lookAtAll({
  expected,
  files,
  target,
  pool,
  signal,
  isOver,
}: LookRequest): Promise<void> {
  const { table } = files
  const underWay = new Set<Promise<void>>()
  let indices: number[] = []
  let paths: BytePath[] = []
  const note = (path: BytePath): boolean => {
    const index = files.find(path)
    if (isEmptied(table, index)) {
      indices.push(index)
      paths.push(path)
    }
    return false
  }
  const look = async (batch: Pick<LookBatch, 'indices' | 'paths'>): Promise<void> => {
    const places = { table: { id: table.id, chunks: table.chunks }, target, ...batch }
    for (;;) {
      const isLast = isOver()
      await pool.look({ kind: 'look', ...places })
      if (isLast || batch.indices.slice(-LAST).some((index) => table.has(index, MARK.asExpected))) return
      await sleep(LOOK_AGAIN_MS)
    }
  }
  try {
    for await (const _ of expected(note)) {
      signal?.throwIfAborted()
      if (indices.length === 0) continue
      const looking = look({ indices, paths: joinPaths(paths) }).finally(() => underWay.delete(looking))
      looking.catch(() => {}) // thrown below
      underWay.add(looking)
      indices = []
      paths = []
      if (!isOver() || underWay.size > pool.threads * 2) await Promise.race(underWay)
    }
    await Promise.all(underWay)
  } finally {
    await Promise.allSettled(underWay)
  }
}
