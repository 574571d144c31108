import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeBase64 } from '@bevis/shared/base64'
import { signerFromSeed } from '@bevis/shared/crypto'
import { formatToken } from '@bevis/shared/evidence/enrolment'
import type { EnrolmentToken } from '@bevis/shared/evidence/enrolment'
import { parseTrust } from '@bevis/shared/verify/trust'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../config.ts'
import { loadIdentity, loadPending } from '../evidence/identity.ts'
import { openRecorder } from '../evidence/record.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { sendJson, startTestLog } from '../outbox/log-for-tests.ts'
import type { TestLog } from '../outbox/log-for-tests.ts'
import { loadHead } from '../outbox/head.ts'
import { openTransport } from '../outbox/transport.ts'
import type { Transport } from '../outbox/transport.ts'
import { openState } from '../state.ts'
import type { State } from '../state.ts'
import { enroll, enrollCommand } from './enroll.ts'
import { failureOutcome } from './outcome.ts'

const now = (): Date => new Date('2026-11-23T04:05:06.000Z')
let folder: string
let state: State
let log: TestLog
let transport: Transport

beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'bevis-enroll-')), 'state')
  state = openState(folder)
  log = await startTestLog()
  transport = openTransport({ url: log.url }, now)
})

afterEach(async () => {
  await transport.close()
  await log.close()
  state.close()
  rmSync(join(folder, '..'), { recursive: true })
})

function tokenFor(change: Partial<EnrolmentToken> = {}): EnrolmentToken {
  const seed = new Uint8Array(32).fill(7)
  const { spki, keyid } = signerFromSeed(seed)
  log.trust(spki, keyid)
  return {
    collector: log.url,
    vkey: log.vkey,
    tenant: 'acme',
    agent: 'web',
    host: hostname(),
    contracts: ['AFT-1'],
    seed: encodeBase64(seed).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
    expiresAt: '2026-11-23T05:05:06.000Z',
    ...change,
  }
}

const run = (token: EnrolmentToken): ReturnType<typeof enroll> =>
  enroll({ state, token, transport, host: hostname(), now })

test('an invitation makes an identity, a verified head, and the auditor’s trust file', async () => {
  const identity = await run(tokenFor())
  expect(identity).toMatchObject({ tenant: 'acme', agent: 'web', epoch: 1 })
  expect(loadIdentity(state)).toEqual(identity)
  expect(loadPending(state)).toBeNull()
  expect(loadHead(state)?.size).toBe(2) // one leaf for each signature
  const trust = parseTrust(readFileSync(join(folder, 'trust.yaml'), 'utf8'))
  expect(trust.agents).toEqual([
    { tenant: 'acme', agent: 'web', keyid: [identity.keyid], contracts: ['AFT-1'] },
  ])
  const { seq } = await openRecorder(state, now).record(lifecycle(identity, 'started', now()))
  expect(seq).toBe(2)
})

test('a lost answer: the same invitation again sends the same statement, and ends well', async () => {
  log.faults.push((response) => response.destroy())
  await expect(run(tokenFor())).rejects.toMatchObject({ code: 'COLLECTOR_UNREACHABLE' })
  expect(loadIdentity(state)).toBeNull()
  expect(() => openRecorder(state, now)).toThrow(expect.objectContaining({ code: 'NOT_ENROLLED' }))
  state.close()
  state = openState(folder) // another process
  const identity = await run(tokenFor())
  expect(log.leaves).toHaveLength(2)
  expect(await run(tokenFor())).toEqual(identity)
  expect(log.leaves).toHaveLength(2)
})

test.each([
  ['another host', { host: 'elsewhere' }, 'ENROLMENT_REFUSED'],
  ['another log’s key', { vkey: 'log.example.net/test+5a9e2a5f+AQ==' }, 'KEY_INVALID'],
] as const)('an invitation with %s is refused', async (_, change, code) => {
  await expect(run(tokenFor(change))).rejects.toMatchObject({ code })
  expect(loadIdentity(state)).toBeNull()
})

test('a log of another key, or none, is found out before the invitation is shown to it', async () => {
  const other = await startTestLog()
  const token = { ...tokenFor(), vkey: other.vkey }
  await other.close()
  await expect(run(token)).rejects.toMatchObject({
    code: 'CHECKPOINT_INVALID',
    message: expect.stringContaining('not signed by the key of the invitation'),
  })
  expect(log.leaves).toHaveLength(0)
  expect(loadPending(state)).toBeNull()
  expect(await run(tokenFor())).toMatchObject({ agent: 'web' }) // it is still good
})

test('an invitation of another collector is not shown to the configured one', async () => {
  const file = join(folder, 'token')
  const token = formatToken(tokenFor({ collector: 'https://collector.example.net/' }))
  writeFileSync(file, token)
  const sets = [{ id: 'shop', paths: ['/srv'], repository: { url: '/repo', passwordFile: '/pass' } }]
  const text = JSON.stringify({ collector: { url: log.url }, state: folder, sets })
  const opened = { config: parseConfig(text, 'agent.yaml'), state, now }
  const refused: unknown = await enrollCommand(opened, { tokenFile: file }).catch((error: unknown) => error)
  expect(failureOutcome(refused)).toMatchObject({
    exit: 2,
    json: {
      error: {
        code: 'ENROLMENT_REFUSED',
        message: expect.stringContaining('from https://collector.example.net/'),
        cure: expect.stringContaining('Set collector.url to https://collector.example.net/'),
      },
    },
  })
  expect(log.requests).toBe(0)
})

test('the trust file of a folder keeps the keys of the agent’s earlier epochs', async () => {
  const first = await run(tokenFor())
  state.close()
  for (const name of ['state.db', 'state.db-wal', 'state.db-shm', 'agent-1.key'])
    rmSync(join(folder, name), { force: true })
  state = openState(folder)
  const second = await run(tokenFor())
  expect(second.keyid).not.toBe(first.keyid)
  const [agent] = parseTrust(readFileSync(join(folder, 'trust.yaml'), 'utf8')).agents
  expect(agent?.keyid).toEqual([first.keyid, second.keyid])
})

test('an unfinished enrolment is not given to somebody else', async () => {
  log.faults.push((response) => response.destroy())
  await expect(run(tokenFor())).rejects.toThrow()
  await expect(run(tokenFor({ agent: 'other' }))).rejects.toMatchObject({ code: 'ENROLMENT_REFUSED' })
})

test.each<[string, string, (body: Record<string, unknown>) => unknown]>([
  ['no proofs', 'PROOF_INVALID', (body) => ({ ...body, proofs: [] })],
  ['another name', 'RECEIPT_INVALID', (body) => ({ ...body, agent: 'other' })],
  [
    'the proof of one signature twice',
    'RECEIPT_INVALID',
    (body) => {
      const [first] = body['proofs'] as string[]
      return { ...body, proofs: [first, first] }
    },
  ],
])('an answer with %s makes no identity', async (_, code, change) => {
  log.faults.push((response, honest) => sendJson(response, 200, change({ ...honest })))
  await expect(run(tokenFor())).rejects.toMatchObject({ code })
  expect(loadIdentity(state)).toBeNull()
  expect(await run(tokenFor())).toMatchObject({ agent: 'web' })
})

test('a refusal is told with its code', async () => {
  log.faults.push((response) =>
    sendJson(response, 403, {
      type: '',
      title: 'no',
      status: 403,
      code: 'ENROLMENT_REFUSED',
      detail: 'used already',
    }),
  )
  await expect(run(tokenFor())).rejects.toMatchObject({ code: 'ENROLMENT_REFUSED', message: 'used already' })
  expect(loadPending(state)).toBeNull()
  expect(await run(tokenFor({ agent: 'other' }))).toMatchObject({ agent: 'other', epoch: 1 })
})
