import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'

/**
 * On a shared build machine a deadline of seconds can pass while nothing runs at all, so there a test of real
 * programs may be played once more, and is reported as such. Tests of faults never: what fails once in a hundred
 * kills has failed.
 */
const retry = process.env['CI'] === 'true' ? 1 : 0

const root = resolve(import.meta.dirname, '..')

/** Unit tests beside the code; whole programs (real restic, real processes); the same, killed; the browser. */
export default defineConfig({
  root,
  test: {
    globalSetup: ['test/kit/page.ts'],
    // Most of the time goes into waiting: for restic's keys, for locks, for processes that were told to end.
    maxWorkers: 3,
    maxConcurrency: 8,
    projects: [
      {
        root,
        test: {
          name: 'unit',
          include: ['{agent,collector,shared}/src/**/*.test.ts', 'test/*.test.ts', 'deploy/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          retry,
        },
      },
      {
        root,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          retry,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        root,
        test: {
          name: 'fault',
          include: ['test/fault/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        root,
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
