import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openState } from '../state.ts'
import { failureOutcome } from './outcome.ts'

test('a database that has no room is told with its cure, wherever it is met', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bevis-outcome-'))
  const state = openState(join(folder, 'state'))
  try {
    state.db.pragma(`max_page_count = ${String(state.db.pragma('page_count', { simple: true }))}`)
    let error: unknown
    try {
      state.put('large', 'x'.repeat(100_000)) // not in a transaction of ours
    } catch (thrown) {
      error = thrown
    }
    expect(failureOutcome(error)).toMatchObject({
      exit: 2,
      json: { error: { code: 'STORE_FAILED', cure: expect.stringContaining('Free space') } },
    })
    expect(failureOutcome(new Error('a fault of ours')).json).toMatchObject({ error: { code: 'INTERNAL' } })
  } finally {
    state.close()
    rmSync(folder, { recursive: true })
  }
})
