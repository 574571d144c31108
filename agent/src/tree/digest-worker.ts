/** The thread's side of digest-pool.ts: a batch in, its answer out. */
import { parentPort } from 'node:worker_threads'
import { digestPath } from './digest.ts'
import type { DigestJob } from './digest.ts'
import { lookBatch, pairBatch } from './pair.ts'
import type { LookBatch, PairBatch } from './pair.ts'

parentPort?.on('message', (batch: readonly DigestJob[] | PairBatch | LookBatch) => {
  parentPort?.postMessage(answerOf(batch))
})

function answerOf(batch: readonly DigestJob[] | PairBatch | LookBatch): unknown {
  if (!('kind' in batch)) return batch.map(digestPath)
  return batch.kind === 'pair' ? pairBatch(batch) : lookBatch(batch)
}
