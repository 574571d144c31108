/**
 * In a full test nearly every file is sound: while restic ran, a thread found its bytes to be its witness's and its
 * source unmoved, and afterwards its mode, owner and time are the expected ones. There is nothing to be said of such
 * a file but that it is one more, so its line of the manifest is not taken apart a second time. Whatever is not
 * sound, or not known to be, is judged file by file.
 */
import { BevisError } from '@bevis/shared/error'
import type { DigestPool } from '../tree/digest-pool.ts'
import { joinPaths } from '../tree/pair.ts'
import { MARK, READING } from '../tree/pair-table.ts'
import { lossyText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import type { AwaitedFiles } from './awaited.ts'
import type { TestRequest } from './request.ts'

export interface SoundRequest extends Pick<TestRequest, 'expected' | 'coverage' | 'signal'> {
  readonly pool: DigestPool
  readonly files: AwaitedFiles
  readonly target: BytePath
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

/** Looks at all files that were emptied. @throws BevisError as a reading of the manifest does */
export async function openSound(request: SoundRequest): Promise<SoundFiles> {
  const { files, complaintOf, coverage } = request
  const { table } = files
  await lookAtAll(request)
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

/** In few messages for many files. */
async function lookAtAll({ expected, files, target, pool, signal }: SoundRequest): Promise<void> {
  const { table } = files
  const underWay = new Set<Promise<void>>()
  let batch: { indices: number[]; paths: BytePath[] } = { indices: [], paths: [] }
  const note = (path: BytePath): boolean => {
    const index = files.find(path)
    if (isEmptied(table, index)) {
      batch.indices.push(index)
      batch.paths.push(path)
    }
    return false
  }
  try {
    for await (const _ of expected(note)) {
      signal?.throwIfAborted()
      const { indices, paths } = batch
      if (indices.length === 0) continue
      batch = { indices: [], paths: [] }
      const places = {
        table: { id: table.id, chunks: table.chunks },
        target,
        indices,
        paths: joinPaths(paths),
      }
      const look = pool.look({ kind: 'look', ...places }).finally(() => underWay.delete(look))
      look.catch(() => {}) // thrown below
      underWay.add(look)
      if (underWay.size > pool.threads * 2) await Promise.race(underWay)
    }
    await Promise.all(underWay)
  } finally {
    await Promise.allSettled(underWay)
  }
}
