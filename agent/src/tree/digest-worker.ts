/** The thread's side of digest-pool.ts: a batch in, its digests out, in the same order. */
import { parentPort } from 'node:worker_threads'
import { digestPath } from './digest.ts'
import type { DigestJob } from './digest.ts'

parentPort?.on('message', (jobs: DigestJob[]) => {
  parentPort?.postMessage(jobs.map(digestPath))
})
