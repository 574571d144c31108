import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { assertSignature, openEnvelope } from '@bevis/shared/evidence/envelope'
import { parseStatement } from '@bevis/shared/evidence/statement'
import { afterEach, beforeEach, expect, test, onTestFinished } from 'vitest'
import { openState } from '../state.ts'
import type { State } from '../state.ts'
import { appendStatement } from './chain.ts'
import { confirmIdentity, keyFile } from './identity.ts'
import { makeKey, readKey } from './key.ts'
import { completeDraft, openRecorder } from './record.ts'
import type { Draft } from './record.ts'

const now = (): Date => new Date('2026-11-23T04:05:06.000Z')
let folder: string
let state: State

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'bevis-chain-')), 'state')
  state = openState(folder)
  const { keyid } = makeKey(keyFile(state, 1))
  const identity = {
    tenant: 'acme',
    agent: 'web',
    epoch: 1,
    keyid,
    collector: 'http://127.0.0.1:1',
    vkey: '',
  }
  confirmIdentity(state, { ...identity, contracts: [], token: ZERO_DIGEST, enrolledAt: now().toISOString() })
})

afterEach(() => {
  state.close()
  rmSync(join(folder, '..'), { recursive: true })
})

function heartbeat(reason: string): Draft<'agent-lifecycle'> {
  return {
    name: 'agent-lifecycle',
    subject: { name: 'agents/web', digest: { sha256: ZERO_DIGEST } },
    predicate: { at: '2026-11-23T04:05:06.000Z', event: 'heartbeat', reason },
  }
}

interface Row {
  epoch: number
  seq: number
  pae_digest: string
  envelope: string | null
  state: string
}

/** Reads the chain as an auditor would: numbers without a gap, each link, each signature. */
function auditChain(): Row[] {
  const rows = state.sql<[], Row>('select * from statement order by epoch, seq').all()
  const { spki } = readKey(keyFile(state, 1))
  let prev: string = ZERO_DIGEST
  for (const [index, row] of rows.entries()) {
    expect(row.seq).toBe(index + 1)
    const opened = openEnvelope(JSON.parse(row.envelope ?? 'null'))
    assertSignature(opened, 0, spki)
    expect(opened.paeDigest).toBe(row.pae_digest)
    const { predicate } = parseStatement(opened.payload)
    expect(predicate).toMatchObject({
      chain: { seq: index + 1, prev, tenant: 'acme', agent: 'web', epoch: 1 },
    })
    prev = opened.paeDigest
  }
  return rows
}

/** A program that records without end and says the name of each statement once it is durable. */
const RECORDING = `
  import { openState } from ${JSON.stringify(import.meta.resolve('../state.ts'))}
  import { openRecorder } from ${JSON.stringify(import.meta.resolve('./record.ts'))}
  const [, folder, most] = process.argv
  const recorder = openRecorder(openState(folder), () => new Date())
  const draft = ${JSON.stringify(heartbeat('x'))}
  for (let i = 0; i < Number(most); i++) {
    const { paeDigest } = await recorder.record(draft)
    process.stdout.write(paeDigest + '\\n')
  }
`

interface Recording {
  said: () => string[]
  kill: () => void
  ended: Promise<number | null>
}

function startRecording(most: number): Recording {
  const child = spawn(process.execPath, ['--input-type=module', '-e', RECORDING, folder, String(most)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { said: () => output.split('\n').slice(0, -1), kill: () => child.kill('SIGKILL'), ended }
}

test('four processes that record at once make one chain', async () => {
  const recordings = [1, 2, 3, 4].map(() => startRecording(100))
  expect(await Promise.all(recordings.map(({ ended }) => ended))).toEqual([0, 0, 0, 0])
  const rows = auditChain()
  expect(rows).toHaveLength(400)
  expect(new Set(rows.map((row) => row.pae_digest))).toEqual(
    new Set(recordings.flatMap(({ said }) => said())),
  )
})

test('kill -9 at any moment leaves no gap, no double and nothing unsigned that was said to be durable', async () => {
  const said: string[] = []
  for (let round = 0; round < 20; round++) {
    const recordings = [startRecording(1_000_000), startRecording(1_000_000)]
    await Promise.race(
      recordings.map(async (one) => {
        while (one.said().length === 0) await sleep(5)
      }),
    )
    for (const one of recordings) {
      await sleep(Math.random() * 60)
      one.kill()
    }
    await Promise.all(recordings.map(({ ended }) => ended))
    said.push(...recordings.flatMap((one) => one.said()))
  }
  openRecorder(state, now) // signs what was left between its number and its signature
  const rows = auditChain()
  const digests = new Set(rows.map((row) => row.pae_digest))
  expect(said.filter((digest) => !digests.has(digest))).toEqual([])
  expect(rows.length).toBeGreaterThanOrEqual(said.length)
}, 120_000)

test('a statement with a number and no signature is signed later, from the very same bytes', async () => {
  const identity = { tenant: 'acme', agent: 'web', epoch: 1 }
  const { paeDigest } = appendStatement(
    state,
    identity,
    (chain) => completeDraft(heartbeat('crash'), chain),
    now(),
  )
  expect(state.sql<[], Row>('select * from statement').get()).toMatchObject({
    state: 'prepared',
    envelope: null,
  })
  await openRecorder(state, now).record(heartbeat('after'))
  expect(auditChain().map((row) => [row.pae_digest === paeDigest, row.state])).toEqual([
    [true, 'signed'],
    [false, 'signed'],
  ])
})

test('a draft that does not fit its schema uses up no number', async () => {
  const recorder = openRecorder(state, now)
  await recorder.record(heartbeat('one'))
  const bad = { ...heartbeat('two'), predicate: { at: 'yesterday', event: 'heartbeat' } } as const
  await expect(recorder.record(bad)).rejects.toMatchObject({ code: 'STATEMENT_INVALID' })
  await recorder.record(heartbeat('three'))
  expect(auditChain()).toHaveLength(2)
})

test('the key is private, made once, and never replaced', () => {
  const file = keyFile(state, 2)
  const first = makeKey(file)
  expect(makeKey(file).keyid).toBe(first.keyid)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})
