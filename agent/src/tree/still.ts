/**
 * Many files and one question, in one message: does each still have its stat, and what is then its digest? An object
 * per file, there and back, costs more than the look at the file. What has no plain answer is asked for in full.
 */
import { digestPath } from './digest.ts'
import type { DigestJob } from './digest.ts'
import { joinPaths, pathsOf } from './pair.ts'
import type { Stat } from './stat.ts'

export interface StillBatch {
  readonly kind: 'still'
  readonly paths: string
  /** Of each file: size, inode, and 1 where it is to be hashed, 0 where its digest is known. */
  readonly numbers: Float64Array
  /** Of each file: mtime, ctime. */
  readonly times: BigInt64Array
}

/** Of each file null: ask in full; else its digest, or nothing where that is known: it is still the same. */
export type StillAnswer = readonly (string | null)[]

interface StillJob extends DigestJob {
  readonly expected: Stat
}

/** Whether a batch has room for the job: a regular file of which all is known. */
export function isStillJob(job: DigestJob): job is StillJob {
  const { expected, readIf } = job
  if (readIf !== 'same-stat' || expected?.kind !== 'file' || expected.inode === null) return false
  return isInt64(expected.mtimeNs) && isInt64(expected.ctimeNs)
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value
}

export function stillBatchOf(jobs: readonly StillJob[]): StillBatch {
  const numbers = new Float64Array(jobs.length * 3)
  const times = new BigInt64Array(jobs.length * 2)
  for (const [place, { expected, carried }] of jobs.entries()) {
    numbers[place * 3] = expected.size
    numbers[place * 3 + 1] = expected.inode ?? Number.NaN
    numbers[place * 3 + 2] = carried === undefined ? 1 : 0
    times[place * 2] = expected.mtimeNs
    times[place * 2 + 1] = expected.ctimeNs
  }
  return { kind: 'still', paths: joinPaths(jobs.map(({ path }) => path)), numbers, times }
}

/** The thread's side. */
export function lookStill(batch: StillBatch): StillAnswer {
  const { numbers, times } = batch
  return pathsOf(batch).map((path, place) => {
    const expected: Stat = {
      kind: 'file',
      size: numbers[place * 3] ?? Number.NaN,
      mtimeNs: times[place * 2] ?? 0n,
      ctimeNs: times[place * 2 + 1] ?? 0n,
      inode: numbers[place * 3 + 1] ?? Number.NaN,
      mode: 0, // of these nobody asks: they move with the ctime
      uid: 0,
      gid: 0,
    }
    const isToHash = numbers[place * 3 + 2] === 1
    const digest = digestPath({ path, expected, readIf: 'same-stat', ...(!isToHash && { carried: '' }) })
    return digest.state === 'read' ? digest.sha256 : null
  })
}
