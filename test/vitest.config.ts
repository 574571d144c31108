import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

const root = resolve(import.meta.dirname, '..')

/** Three kinds: unit tests beside the code, whole programs (real restic, real processes), and the browser. */
export default defineConfig({
  root,
  test: {
    // Most of the time goes into waiting: for restic's keys, for locks, for processes that were told to end.
    maxWorkers: 3,
    projects: [
      {
        root,
        test: {
          name: 'unit',
          include: ['{agent,collector,shared}/src/**/*.test.ts', 'test/*.test.ts', 'deploy/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        root,
        test: {
          name: 'system',
          include: ['test/{system,fault}/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        root,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
