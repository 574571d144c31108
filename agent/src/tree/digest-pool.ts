/** A few threads that hash. Batches, because a message per small file costs as much as hashing it. */
import { Worker } from 'node:worker_threads'
import { BevisError } from '@bevis/shared/error'
import type { Digest, DigestJob } from './digest.ts'
import type { LookBatch, PairAnswer, PairBatch } from './pair.ts'
import { isStillJob, stillBatchOf } from './still.ts'
import type { StillAnswer, StillBatch } from './still.ts'

export interface DigestPool {
  readonly threads: number
  /** The digests of a batch, in its order. @throws BevisError INTERNAL when a thread died or the pool is closed */
  digest(jobs: readonly DigestJob[]): Promise<Digest[]>
  /** Reads restored files beside their sources; what came of each stands in the batch's table. */
  pair(batch: PairBatch): Promise<PairAnswer>
  look(batch: LookBatch): Promise<void>
  close(): Promise<void>
}

type Work = readonly DigestJob[] | StillBatch | PairBatch | LookBatch

interface Batch {
  work: Work
  resolve: (answer: unknown) => void
  reject: (error: Error) => void
}

export function openDigestPool(threads: number): DigestPool {
  const waiting: Batch[] = []
  const idle: Worker[] = []
  const running = new Map<Worker, Batch>()
  let failure: BevisError | null = null

  const fail = (message: string, cause?: unknown): void => {
    failure ??= new BevisError('INTERNAL', message, { cause })
    for (const { reject } of [...running.values(), ...waiting.splice(0)]) reject(failure)
    running.clear()
  }
  const known = new Map<Worker, number>()
  const forWorker = (worker: Worker, work: Work): Work => {
    if (!('table' in work)) return work
    const { id } = work.table
    if (known.get(worker) === id) return { ...work, table: { id, chunks: null } }
    known.set(worker, id)
    return work
  }
  const assign = (worker: Worker): void => {
    const batch = waiting.shift()
    if (!batch) {
      running.delete(worker)
      idle.push(worker)
      // Idle threads must not keep a finished command alive; one at work must.
      worker.unref()
      return
    }
    running.set(worker, batch)
    worker.ref()
    worker.postMessage(forWorker(worker, batch.work))
  }
  const workers = Array.from({ length: threads }, () => {
    const worker = new Worker(new URL('./digest-worker.ts', import.meta.url))
    worker.on('message', (answer: unknown) => {
      running.get(worker)?.resolve(answer)
      assign(worker)
    })
    worker.on('error', (cause) => fail('a hashing thread failed', cause))
    worker.on('exit', () => fail('a hashing thread ended'))
    worker.unref()
    idle.push(worker)
    return worker
  })

  const send = (work: Work): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failure) {
        reject(failure)
        return
      }
      waiting.push({ work, resolve, reject })
      const worker = idle.pop()
      if (worker) assign(worker)
    })
  return {
    threads,
    async digest(jobs) {
      const plain = jobs.filter(isStillJob)
      if (plain.length === 0) return send(jobs) as Promise<Digest[]>
      const answers = (await send(stillBatchOf(plain))) as StillAnswer
      const known = new Map<DigestJob, Digest>()
      for (const [place, job] of plain.entries()) {
        const sha256 = answers[place]
        if (typeof sha256 !== 'string') continue
        known.set(job, { state: 'read', stat: job.expected, sha256: job.carried ?? sha256 })
      }
      const rest = jobs.filter((job) => !known.has(job))
      const digests = rest.length === 0 ? [] : ((await send(rest)) as Digest[])
      return jobs.flatMap((job) => known.get(job) ?? digests.shift() ?? [])
    },
    pair: (batch) => send(batch) as Promise<PairAnswer>,
    look: (batch) => send(batch) as Promise<void>,
    async close() {
      fail('the hashing pool is closed')
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** A thread should not hold one batch for minutes while the others have none. */
const BATCH_BYTES = 8 * 1024 * 1024

/** Cuts batches so that each but a single large item has at most a few megabytes to hash. */
export async function* splitByBytes<T>(
  batches: AsyncIterable<T[]>,
  bytesOf: (item: T) => number,
): AsyncGenerator<T[]> {
  for await (const batch of batches) {
    let part: T[] = []
    let bytes = 0
    for (const item of batch) {
      part.push(item)
      bytes += bytesOf(item)
      if (bytes < BATCH_BYTES) continue
      yield part
      part = []
      bytes = 0
    }
    if (part.length > 0) yield part
  }
}

/**
 * Runs batches through the pool with a bounded number under way, and yields their results in order, so that
 * memory stays flat however long the source of batches is.
 */
export async function* digestInOrder<T>(
  pool: DigestPool,
  batches: AsyncIterable<T[]> | Iterable<T[]>,
  jobOf: (item: T) => DigestJob[],
  /** Done for each batch before its jobs are asked for. */
  prepare?: (items: readonly T[]) => Promise<void>,
): AsyncGenerator<{ item: T; digests: Digest[] }[]> {
  const underWay: Promise<{ item: T; digests: Digest[] }[]>[] = []
  const run = async (items: T[]): Promise<{ item: T; digests: Digest[] }[]> => {
    await prepare?.(items)
    const jobs = items.map(jobOf)
    const all = jobs.flat()
    const digests = all.length === 0 ? [] : await pool.digest(all)
    let at = 0
    return items.map((item, index) => {
      const count = jobs[index]?.length ?? 0
      at += count
      return { item, digests: digests.slice(at - count, at) }
    })
  }
  try {
    for await (const items of batches) {
      const promise = run(items)
      // It is awaited below, in its turn; until then its failure is not an unhandled one.
      promise.catch(() => {})
      underWay.push(promise)
      if (underWay.length >= pool.threads * 2) yield await nextOf(underWay)
    }
    while (underWay.length > 0) yield await nextOf(underWay)
  } finally {
    // Whoever stops early has no use for the rest, and its failures are not news.
    await Promise.allSettled(underWay)
  }
}

async function nextOf<T>(promises: Promise<T>[]): Promise<T> {
  const first = promises.shift()
  if (!first) throw new BevisError('INTERNAL', 'no batch is under way')
  return first
}
