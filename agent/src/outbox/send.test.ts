import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { generateSigningKey, signerFromPem } from '@bevis/shared/crypto'
import { encodeEnvelope, paeDigest, signEnvelope } from '@bevis/shared/evidence/envelope'
import { parseVkey, signCheckpoint } from '@bevis/shared/log/checkpoint'
import { EMPTY_ROOT } from '@bevis/shared/log/merkle'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openState } from '../state.ts'
import type { State } from '../state.ts'
import { readAlarms } from './alarm.ts'
import { loadClock } from './clock.ts'
import { loadHead } from './head.ts'
import { sendJson, startTestLog } from './log-for-tests.ts'
import type { Fault, TestLog } from './log-for-tests.ts'
import { nextBatch, readSpool } from './queue.ts'
import { sendOutbox } from './send.ts'
import type { Sender } from './send.ts'
import { openTransport } from './transport.ts'

const signer = signerFromPem(generateSigningKey().privatePem)
const now = (): Date => new Date('2026-11-23T04:05:06.000Z')
let folder: string
let state: State
let log: TestLog
let sender: Sender

beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'bevis-send-')), 'state')
  state = openState(folder)
  log = await startTestLog()
  log.trust(signer.spki, signer.keyid)
  sender = openSender()
})

afterEach(async () => {
  await sender.transport.close()
  await log.close()
  state.close()
  rmSync(join(folder, '..'), { recursive: true })
})

function openSender(): Sender {
  const transport = openTransport({ url: log.url }, () => new Date())
  return { state, transport, vkey: parseVkey(log.vkey), spkiOf: () => signer.spki, now }
}

/** Queues signed payloads; the outbox does not read them. */
function queue(count: number, length = 10): string[] {
  const last = state.sql<[], { n: number | null }>('select max(seq) as n from statement').get()?.n ?? 0
  const insert = state.sql<[number, string, Uint8Array, string], never>(
    `insert into statement (epoch, seq, pae_digest, name, created_at, payload, envelope, state)
     values (1, ?, ?, 'inventory', '2026-11-23T04:05:06.000Z', ?, ?, 'signed')`,
  )
  return state.write(() =>
    Array.from({ length: count }, (_, index) => {
      const payload = new TextEncoder().encode(
        JSON.stringify({ seq: last + index + 1, pad: randomBytes(length / 2).toString('hex') }),
      )
      const digest = paeDigest(payload)
      insert.run(last + index + 1, digest, payload, encodeEnvelope(signEnvelope(payload, [signer])))
      return digest
    }),
  )
}

test('what is queued is in the log once, in order, and every row has a verified proof', async () => {
  const digests = queue(2_500)
  expect(await sendOutbox(sender)).toMatchObject({ logged: 2_500, refused: 0, failure: null })
  expect(log.leaves).toEqual(digests)
  expect(log.requests).toBe(3)
  expect(loadHead(state)).toMatchObject({ size: 2_500 })
  expect(readSpool(state)).toEqual({ depth: 0, oldestAt: null, refused: 0 })
  const kept = state
    .sql<[], { n: number }>(`select count(*) as n from statement where proof is not null`)
    .get()
  expect(kept?.n).toBe(2_500) // all that are young, should the log ever lose them
  queue(1)
  await sendOutbox({ ...sender, now: () => new Date(Date.now() + 36 * 86_400_000) })
  const later = state.sql<[], { n: number }>(`select count(*) as n from statement`).get()
  expect(later?.n).toBe(1_000) // the newest; older ones are the collector's to show
})

test('a batch stays below four MiB', async () => {
  queue(60, 200_000)
  expect(nextBatch(state, 1_000, 4 * 1024 * 1024 - 4096).length).toBeLessThan(20)
  expect(await sendOutbox(sender)).toMatchObject({ logged: 60, failure: null })
})

test('a lost answer is no loss and no double: the same statements again are duplicates', async () => {
  const digests = queue(5)
  log.faults.push((response) => response.destroy())
  expect(await sendOutbox(sender)).toMatchObject({ logged: 0, failure: { code: 'COLLECTOR_UNREACHABLE' } })
  expect(log.leaves).toEqual(digests) // it had arrived
  expect(readSpool(state).depth).toBe(5)
  queue(1)
  expect(await sendOutbox(sender)).toMatchObject({ logged: 6, failure: null })
  expect(log.leaves).toHaveLength(6)
})

test.each<[string, Fault, string]>([
  [
    'a server error',
    (response) => sendJson(response, 500, { type: '', title: 'no', status: 500, code: 'INTERNAL' }),
    'COLLECTOR_UNREACHABLE',
  ],
  [
    'a gateway that answers in its place',
    (response) => response.writeHead(200).end('<html>'),
    'COLLECTOR_UNREACHABLE',
  ],
  [
    'half an answer',
    (response) => response.writeHead(200, { 'content-length': '999' }).write('{', () => response.destroy()),
    'COLLECTOR_UNREACHABLE',
  ],
  [
    'a refusal of the whole request',
    (response) => sendJson(response, 400, { type: '', title: 'no', status: 400, code: 'REQUEST_INVALID' }),
    'COLLECTOR_REFUSED',
  ],
])('%s leaves everything queued and raises no alarm', async (_, fault, code) => {
  queue(3)
  log.faults.push(fault)
  expect(await sendOutbox(sender)).toMatchObject({ logged: 0, failure: { code } })
  expect(readSpool(state).depth).toBe(3)
  expect(readAlarms(folder)).toEqual([])
  expect(await sendOutbox(sender)).toMatchObject({ logged: 3, failure: null })
})

test('Retry-After is handed on', async () => {
  queue(1)
  log.faults.push((response) => response.writeHead(503, { 'retry-after': '7' }).end())
  expect(await sendOutbox(sender)).toMatchObject({
    retryAfterMs: 7_000,
    failure: { code: 'COLLECTOR_UNREACHABLE' },
  })
})

test('a collector that is not there', async () => {
  queue(1)
  await log.close()
  expect(await sendOutbox(sender)).toMatchObject({ failure: { code: 'COLLECTOR_UNREACHABLE' } })
  expect(readSpool(state).depth).toBe(1)
})

describe('a proxy before the collector that takes no large request', () => {
  let limitBytes: number
  let requests: number
  let proxy: Server
  let behind: Sender

  beforeEach(async () => {
    requests = 0
    proxy = createServer((request, response) => {
      void buffer(request).then(async (body) => {
        requests += 1
        if (body.length > limitBytes) return response.writeHead(413).end('<html>')
        const { method = '', headers } = request
        const sent = { 'content-encoding': headers['content-encoding'] ?? 'identity' }
        const type = { 'content-type': headers['content-type'] ?? '' }
        const init = { method, ...(method === 'POST' && { body, headers: { ...type, ...sent } }) }
        const answer = await fetch(`${log.url}${request.url}`, init)
        return response
          .writeHead(answer.status, { 'content-type': 'application/json' })
          .end(await answer.text())
      })
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    behind = { ...sender, transport: openTransport({ url }, () => new Date()) }
  })

  afterEach(async () => {
    await behind.transport.close()
    proxy.close()
  })

  test('has batches halved until they pass', async () => {
    const digests = queue(40, 500)
    limitBytes = 10_000
    expect(await sendOutbox(behind)).toMatchObject({ logged: 40, refused: 0, failure: null })
    expect(log.leaves).toEqual(digests)
    expect(requests).toBeGreaterThan(log.requests)
  })

  test('holds up what is too large for it, and nothing else', async () => {
    limitBytes = 4_000
    const [first, large] = [...queue(1), ...queue(1, 9_000)]
    const others = [...queue(1), ...queue(1, 20_000), ...queue(2)]
    const small = [first, others[0], ...others.slice(2)]
    expect(await sendOutbox(behind)).toMatchObject({
      logged: 4,
      refused: 0,
      failure: {
        code: 'COLLECTOR_UNREACHABLE',
        message: expect.stringMatching(/^statement 1\/2 .*413.*client_max_body_size/),
      },
    })
    expect(log.leaves).toEqual(small)
    expect(readSpool(state)).toMatchObject({ depth: 2, refused: 0 })
    limitBytes = 1024 * 1024
    expect(await sendOutbox(behind)).toMatchObject({ logged: 2, failure: null })
    expect(log.leaves).toEqual([...small, large, others[1]])
  })

  test('or none at all loses nothing', async () => {
    limitBytes = -1
    queue(100)
    expect(await sendOutbox(behind)).toMatchObject({
      logged: 0,
      refused: 0,
      failure: { code: 'COLLECTOR_UNREACHABLE' },
    })
    expect(requests).toBeLessThan(15)
    expect(readSpool(state)).toMatchObject({ depth: 100, refused: 0 })
    expect(readAlarms(folder)).toEqual([])
    limitBytes = 1024 * 1024
    expect(await sendOutbox(behind)).toMatchObject({ logged: 100, failure: null })
  })

  test('keeps back what stands behind an epoch’s first statement, which is too large', async () => {
    limitBytes = 4_000
    queue(1)
    queue(1, 9_000)
    queue(1)
    state.write(() =>
      state.sql<[], never>('update statement set epoch = 2, seq = seq - 1 where seq > 1').run(),
    )
    expect(await sendOutbox(behind)).toMatchObject({ logged: 1, failure: { code: 'COLLECTOR_UNREACHABLE' } })
    expect(readSpool(state).depth).toBe(2)
  })
})

describe('a refused statement', () => {
  const refuse =
    (code: 'STATEMENT_INVALID' | 'STORE_FAILED' | 'AGENT_UNKNOWN'): Fault =>
    (response, honest) => {
      const first = honest.answers[0]
      const answer = {
        outcome: 'refused' as const,
        pae: first?.pae ?? null,
        status: 422,
        code,
        message: 'no',
      }
      sendJson(response, 200, { ...honest, answers: [answer, ...honest.answers.slice(1)] })
    }

  test('for good is kept with its code, and the others are done', async () => {
    queue(3)
    log.faults.push(refuse('STATEMENT_INVALID'))
    expect(await sendOutbox(sender)).toMatchObject({ logged: 2, refused: 1, failure: null })
    const row = state.sql<[], { code: string }>(`select code from statement where state = 'refused'`).get()
    expect(row?.code).toBe('STATEMENT_INVALID')
  })

  test.each(['STORE_FAILED', 'AGENT_UNKNOWN'] as const)('with %s stays queued', async (code) => {
    queue(3)
    log.faults.push(refuse(code))
    expect(await sendOutbox(sender)).toMatchObject({ logged: 2, refused: 0, failure: { code } })
    expect(readSpool(state)).toMatchObject({ depth: 1, refused: 0 })
  })
})

const foreign = signerFromPem(generateSigningKey().privatePem)
const lie = (code: string, change: (honest: Parameters<Fault>[1], tools: Parameters<Fault>[2]) => unknown) =>
  [code, (response, honest, tools) => sendJson(response, 200, change(honest, tools))] as [string, Fault]

describe('an answer that does not prove what it says', () => {
  test.each<[string, [string, Fault]]>([
    [
      'a checkpoint by another key',
      lie('CHECKPOINT_INVALID', (honest) => ({
        ...honest,
        checkpoint: signCheckpoint({ origin: 'log.example.net/test', size: 9, root: EMPTY_ROOT }, foreign)
          .note,
      })),
    ],
    [
      'a checkpoint of another log',
      lie('CHECKPOINT_INVALID', (honest, { signer: own }) => ({
        ...honest,
        checkpoint: signCheckpoint({ origin: 'log.example.net/other', size: 9, root: EMPTY_ROOT }, own).note,
      })),
    ],
    [
      'history rewritten: the same size, another root',
      lie('LOG_INCONSISTENT', (honest, { signer: own }) => ({
        ...honest,
        consistency: [],
        checkpoint: signCheckpoint({ origin: 'log.example.net/test', size: 2, root: EMPTY_ROOT }, own).note,
      })),
    ],
    [
      'a log that grew from another history',
      lie('LOG_INCONSISTENT', (honest, { signer: own }) => ({
        ...honest,
        checkpoint: signCheckpoint({ origin: 'log.example.net/test', size: 4, root: EMPTY_ROOT }, own).note,
      })),
    ],
    ['no proof of consistency', lie('LOG_INCONSISTENT', (honest) => ({ ...honest, consistency: [] }))],
    [
      'the proofs of two statements exchanged',
      lie('RECEIPT_INVALID', (honest) => ({
        ...honest,
        answers: honest.answers.map((answer, index) => ({ ...answer, proof: proofAt(honest, 1 - index) })),
      })),
    ],
    [
      'a proof under a checkpoint of its own',
      lie('RECEIPT_INVALID', (honest, { signer: own }) => ({
        ...honest,
        answers: honest.answers.map((answer, index) => ({
          ...answer,
          proof: proofAt(honest, index).replace(
            /\n\n[^]*$/,
            `\n\n${signCheckpoint({ origin: 'log.example.net/test', size: 4, root: EMPTY_ROOT }, own).note}`,
          ),
        })),
      })),
    ],
    [
      'a proof that is none',
      lie('PROOF_INVALID', (honest) => ({
        ...honest,
        answers: honest.answers.map((answer) => ({ ...answer, proof: 'trust me' })),
      })),
    ],
    [
      'an answer about another statement',
      lie('RECEIPT_INVALID', (honest) => ({
        ...honest,
        answers: honest.answers.map((answer) => ({ ...answer, pae: '0'.repeat(64) })),
      })),
    ],
    [
      'too few answers',
      lie('RECEIPT_INVALID', (honest) => ({ ...honest, answers: honest.answers.slice(1) })),
    ],
  ])('%s: nothing is done, both checkpoints are kept, an alarm stands', async (_, [code, fault]) => {
    queue(2)
    await sendOutbox(sender)
    const verified = loadHead(state)
    queue(2)
    log.faults.push(fault, fault)
    expect(await sendOutbox(sender)).toMatchObject({ logged: 0, refused: 0, failure: { code } })
    expect(await sendOutbox(sender)).toMatchObject({ failure: { code } })
    expect(readSpool(state).depth).toBe(2)
    expect(loadHead(state)).toEqual(verified)
    expect(readAlarms(folder)).toMatchObject([{ code }]) // the same lie twice is one alarm
    const [fork, ...more] = readdirSync(folder).filter((name) => name.startsWith('fork-'))
    expect(more).toEqual([])
    const kept = JSON.parse(readFileSync(join(folder, fork ?? ''), 'utf8')) as {
      verified: string
      received: { checkpoint: string }
    }
    expect(kept.verified).toBe(verified?.note)
    expect(kept.received.checkpoint).toContain('log.example.net/')
    // The log was honest all along, only the answer was not: with an honest one the outbox empties.
    expect(await sendOutbox(sender)).toMatchObject({ logged: 2, failure: null })
    expect(readAlarms(folder)).toHaveLength(1) // but a person must look first
  })
})

test('a collector that was set back to an older database is found out, even when it has grown again', async () => {
  queue(6)
  await sendOutbox(sender)
  log.rollBack(3)
  queue(1)
  expect(await sendOutbox(sender)).toMatchObject({ failure: { code: 'LOG_INCONSISTENT' } })
  queue(8)
  expect(await sendOutbox(sender)).toMatchObject({ failure: { code: 'LOG_INCONSISTENT' } })
  expect(readSpool(state).depth).toBe(9)
  expect(loadHead(state)?.size).toBe(6)
  expect(readAlarms(folder).map(({ code }) => code)).toContain('LOG_INCONSISTENT')
})

test.each([-3_600_000, 0, 42_000])(
  'a clock that is %i ms off is measured, to a second at worst',
  async (offsetMs) => {
    log.now = () => new Date(Date.now() - offsetMs)
    queue(1)
    await sendOutbox(sender)
    expect(Math.abs((loadClock(state)?.offsetMs ?? Number.NaN) - offsetMs)).toBeLessThan(500)
  },
)

function proofAt(honest: Parameters<Fault>[1], index: number): string {
  const answer = honest.answers[index]
  return answer !== undefined && answer.outcome !== 'refused' ? answer.proof : ''
}
