/** The thread's side of digest-pool.ts: a batch in, its answer out. */
import { parentPort } from 'node:worker_threads'
import { digestPath } from './digest.ts'
import type { DigestJob } from './digest.ts'
import { lookBatch, pairBatch } from './pair.ts'
import type { LookBatch, PairBatch } from './pair.ts'
import { lookStill } from './still.ts'
import type { StillBatch } from './still.ts'

type Batch = readonly DigestJob[] | StillBatch | PairBatch | LookBatch

parentPort?.on('message', (batch: Batch) => {
  parentPort?.postMessage(answerOf(batch))
})

function answerOf(batch: Batch): unknown {
  if (!('kind' in batch)) return batch.map(digestPath)
  if (batch.kind === 'still') return lookStill(batch)
  return batch.kind === 'pair' ? pairBatch(batch) : lookBatch(batch)
}
