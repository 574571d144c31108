/** check and probe-deletion as they are called: real processes, a real repository, a log that takes the evidence. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { filesBelow } from '../../../test/kit/restic-place.ts'
import { agentPlace } from './place-for-tests.ts'
import type { AgentPlace } from './place-for-tests.ts'

let place: AgentPlace

async function answer(...args: string[]): Promise<{ status: number | null; json: unknown }> {
  const { status, stdout } = await place.agent(...args, '--json')
  return { status, json: JSON.parse(stdout) }
}

beforeEach(async () => {
  place = await agentPlace()
  place.configure({ dataCheck: { cycle: 2 } })
  const backedUp = await place.agent('backup', 'shop')
  if (backedUp.status !== 0) throw new Error(backedUp.stdout + backedUp.stderr)
})

afterEach(() => place.remove())

test('check goes through the slices, tells damage, and status shows what has been read', async () => {
  expect(await answer('check', 'shop')).toMatchObject({
    status: 0,
    json: { outcome: 'PASSED', subset: '1/2', errors: 0, error: null, coverage: { share: 0.5 } },
  })
  const second = await place.agent('check', 'shop')
  expect(second).toMatchObject({ status: 0, stdout: expect.stringMatching(/PASSED {2}slice 2\/2/) })
  expect(second.stdout).toMatch(/data read +100 %; since .*; cycle at 0 %, last complete \d+ s ago/)
  const status = await answer('status')
  expect(status).toMatchObject({
    json: {
      sets: [
        {
          data: { share: 1, completedAt: expect.any(String) },
          work: expect.arrayContaining([
            expect.objectContaining({
              what: 'data-check',
              last: expect.objectContaining({ outcome: 'passed' }),
            }),
          ]),
        },
      ],
    },
  })
  for (const pack of filesBelow(join(place.folder, 'repository', 'data'))) {
    const bytes = readFileSync(pack)
    chmodSync(pack, 0o600)
    writeFileSync(
      pack,
      bytes.map((byte, at) => (at === 30 ? byte ^ 0xff : byte)),
    )
  }
  const damaged = await answer('check', 'shop', '--slice', '1/1')
  expect(damaged).toMatchObject({
    status: 1,
    json: { outcome: 'FAILED', subset: '1/1', error: { code: 'RESTIC_REPOSITORY_DAMAGED' } },
  })
  expect((await place.agent('status')).stdout).toMatch(/data read +100 %, 100 % with damage/)
  rmSync(join(place.folder, 'repository'), { recursive: true })
  expect(await answer('check', 'shop')).toMatchObject({
    status: 2,
    json: { outcome: 'INCONCLUSIVE', error: { code: 'RESTIC_REPOSITORY_MISSING' } },
  })
  expect(await place.agent('check', 'shop', '--slice', '3/2')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('n from 1 to t'),
  })
  expect(place.log.leaves.length).toBeGreaterThanOrEqual(6)
})

test('probe-deletion says that a folder lets its snapshots be deleted, and status keeps saying so', async () => {
  expect(await answer('probe-deletion', 'shop')).toMatchObject({
    status: 1,
    json: { outcome: 'allowed', snapshot: expect.stringMatching(/^[0-9a-f]{64}$/), error: null },
  })
  expect((await place.agent('probe-deletion', 'shop')).stdout).toMatch(/✗ allowed {2}whoever has this agent/)
  expect(await answer('status')).toMatchObject({
    status: 1,
    json: {
      problems: ['the storage of shop lets this agent delete snapshots: it is not append-only'],
    },
  })
  rmSync(join(place.folder, 'repository'), { recursive: true })
  expect(await answer('probe-deletion', 'shop')).toMatchObject({
    status: 2,
    json: { outcome: 'inconclusive', snapshot: null, error: { code: 'RESTIC_REPOSITORY_MISSING' } },
  })
})
