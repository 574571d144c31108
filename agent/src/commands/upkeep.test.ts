/** check and probe-deletion as they are called: real processes, a real repository, a log that takes the evidence. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signerFromSeed } from '@bevis/shared/crypto'
import { formatToken } from '@bevis/shared/evidence/enrolment'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { QUICK_PASSWORD, quickRepository } from '../../../test/kit/quick-repository.ts'
import { filesBelow } from '../../../test/kit/restic-place.ts'
import { resticVersions } from '../../../test/kit/restic-versions.ts'
import { startTestLog } from '../outbox/log-for-tests.ts'
import type { TestLog } from '../outbox/log-for-tests.ts'

const main = fileURLToPath(import.meta.resolve('../main.ts'))
const build = (await resticVersions()).builds.at(-1)
if (!build) throw new Error('no restic')
let folder: string
let log: TestLog

function agent(...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const config = ['--config', join(folder, 'agent.yaml')]
    const child = execFile(process.execPath, [main, ...args, ...config], (_, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    )
  })
}

async function answer(...args: string[]): Promise<{ status: number | null; json: unknown }> {
  const { status, stdout } = await agent(...args, '--json')
  return { status, json: JSON.parse(stdout) }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-upkeep-'))
  log = await startTestLog()
  const repository = join(folder, 'repository')
  quickRepository(build, repository)
  writeFileSync(join(folder, 'pass'), QUICK_PASSWORD, { mode: 0o600 })
  writeFileSync(
    join(folder, 'agent.yaml'),
    JSON.stringify({
      collector: { url: log.url },
      state: join(folder, 'state'),
      restic: build.binary,
      sets: [
        {
          id: 'shop',
          paths: [join(folder, 'agent.yaml')],
          repository: { url: repository, passwordFile: join(folder, 'pass') },
          dataCheck: { cycle: 2 },
        },
      ],
    }),
  )
  const seed = new Uint8Array(32).fill(9)
  const { spki, keyid } = signerFromSeed(seed)
  log.trust(spki, keyid)
  const token = formatToken({
    collector: log.url,
    vkey: log.vkey,
    tenant: 'acme',
    agent: 'web',
    host: hostname(),
    contracts: ['AFT-1'],
    seed: seed.toBase64({ alphabet: 'base64url', omitPadding: true }),
    expiresAt: '2099-01-01T00:00:00.000Z',
  })
  writeFileSync(join(folder, 'token'), token)
  const enrolled = await agent('enroll', '--token-file', join(folder, 'token'))
  if (enrolled.status !== 0) throw new Error(enrolled.stderr)
  const backedUp = await agent('backup', 'shop')
  if (backedUp.status !== 0) throw new Error(backedUp.stdout + backedUp.stderr)
})

afterEach(async () => {
  await log.close()
  rmSync(folder, { recursive: true, maxRetries: 5, retryDelay: 200 })
})

test('check goes through the slices, tells damage, and status shows what has been read', async () => {
  expect(await answer('check', 'shop')).toMatchObject({
    status: 0,
    json: { outcome: 'PASSED', subset: '1/2', errors: 0, error: null, coverage: { share: 0.5 } },
  })
  const second = await agent('check', 'shop')
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
  for (const pack of filesBelow(join(folder, 'repository', 'data'))) {
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
  expect((await agent('status')).stdout).toMatch(/data read +100 %, 100 % with damage/)
  rmSync(join(folder, 'repository'), { recursive: true })
  expect(await answer('check', 'shop')).toMatchObject({
    status: 2,
    json: { outcome: 'INCONCLUSIVE', error: { code: 'RESTIC_REPOSITORY_MISSING' } },
  })
  expect(await agent('check', 'shop', '--slice', '3/2')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('n from 1 to t'),
  })
  expect(log.leaves.length).toBeGreaterThanOrEqual(6)
})

test('probe-deletion says that a folder lets its snapshots be deleted, and status keeps saying so', async () => {
  expect(await answer('probe-deletion', 'shop')).toMatchObject({
    status: 1,
    json: { outcome: 'allowed', snapshot: expect.stringMatching(/^[0-9a-f]{64}$/), error: null },
  })
  expect((await agent('probe-deletion', 'shop')).stdout).toMatch(/✗ allowed {2}whoever has this agent/)
  expect(await answer('status')).toMatchObject({
    status: 1,
    json: {
      problems: ['the storage of shop lets this agent delete snapshots: it is not append-only'],
    },
  })
  rmSync(join(folder, 'repository'), { recursive: true })
  expect(await answer('probe-deletion', 'shop')).toMatchObject({
    status: 2,
    json: { outcome: 'inconclusive', snapshot: null, error: { code: 'RESTIC_REPOSITORY_MISSING' } },
  })
})
