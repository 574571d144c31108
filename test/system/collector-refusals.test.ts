import { generateSigningKey, signerFromPem } from '@bevis/shared/crypto'
import { signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { BATCH_LIMIT_BYTES, problemSchema } from '@bevis/shared/wire'
import { openCheckpoint, parseVkey } from '@bevis/shared/log/checkpoint'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agentRevokeCommand } from '../../collector/src/commands/agent.ts'
import { assertClean, makeCollector } from '../kit/collector.ts'
import type { TestCollector, TestFolder } from '../kit/collector.ts'
import { post, refusalOf } from '../kit/fake-agent.ts'
import type { FakeAgent } from '../kit/fake-agent.ts'

let place: TestFolder
let collector: TestCollector

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const utf8 = (text: string) => new TextEncoder().encode(text)

/** A payload's text changed by hand, then signed by the agent's own key. */
function signedText(agent: FakeAgent, change: (json: string) => string): Envelope {
  const json = new TextDecoder().decode(agent.payload())
  return signEnvelope(utf8(change(json)), [agent.signer])
}

describe('what is refused, each with its code, and the others of its batch are not', () => {
  let agent: FakeAgent
  beforeEach(async () => {
    agent = await collector.enrolled('web1')
  })

  test('an envelope that is none', async () => {
    const good = agent.next()
    const cases: unknown[] = [
      null,
      'text',
      {},
      { ...good, extra: 1 },
      { ...good, payloadType: 'text/plain' },
      { ...good, payload: `${good.payload} ` },
      { ...good, payload: good.payload.replace(/=*$/, '') + '\n' },
      { ...good, signatures: [] },
      { ...good, signatures: [...good.signatures, ...good.signatures] },
      {
        ...good,
        signatures: [
          {
            ...good.signatures[0],
            sig: good.signatures[0]?.sig.replace(/.==$/, (end) => `${end === 'B==' ? 'C' : 'B'}==`),
          },
        ],
      },
    ]
    const { answers } = await agent.send([...cases, good] as Envelope[])
    expect(answers.map((one) => (one.outcome === 'refused' ? one.code : one.outcome))).toEqual([
      ...cases.map(() => 'ENVELOPE_MALFORMED'),
      'logged',
    ])
  })

  test('a payload above the limit', async () => {
    const huge = signEnvelope(new Uint8Array(256 * 1024 + 1), [agent.signer])
    expect(await agent.outcomeOf(huge)).toBe('ENVELOPE_MALFORMED')
  })

  test('a key that nobody enrolled; its statement is not even read', async () => {
    const stranger = signerFromPem(generateSigningKey().privatePem)
    expect(await agent.outcomeOf(signEnvelope(utf8('not JSON'), [stranger]))).toBe('AGENT_UNKNOWN')
  })

  test('the token’s key, which signs nothing but its enrolment', async () => {
    expect(await agent.outcomeOf(signEnvelope(agent.payload(), [agent.tokenSigner]))).toBe('AGENT_UNKNOWN')
  })

  test('a signature of another statement, and one by another key under the agent’s hint', async () => {
    const envelope = agent.next()
    const other = agent.next()
    expect(await agent.outcomeOf({ ...envelope, signatures: other.signatures })).toBe('SIGNATURE_INVALID')
    const stranger = signerFromPem(generateSigningKey().privatePem)
    const forged = signEnvelope(agent.payload(), [stranger])
    const [signature] = forged.signatures
    const hinted = { ...forged, signatures: [{ ...signature, keyid: agent.signer.keyid }] }
    expect(await agent.outcomeOf(hinted)).toBe('SIGNATURE_INVALID')
  })

  test.each<[string, (json: string) => string]>([
    ['white space', (json) => json.replace(':', ': ')],
    ['a duplicate key', (json) => json.replace('{"_type"', '{"_type":"x","_type"')],
    ['__proto__', (json) => json.replace('"predicate":{', '"predicate":{"__proto__":{"admin":true},')],
    ['half a surrogate pair', (json) => json.replace('"os":"test"', '"os":"\\ud800"')],
    ['a needless escape', (json) => json.replace('"os":"test"', '"os":"\\u0074est"')],
    ['an unsafe number', (json) => json.replace('"seq":2', '"seq":9007199254740993')],
    ['a byte order mark', (json) => `\ufeff${json}`],
    ['no JSON', () => 'hello'],
    ['an unknown kind', (json) => json.replace('agent-lifecycle', 'agent-lifestyle')],
    ['a missing field', (json) => json.replace('"event":"heartbeat",', '')],
  ])('a signed statement with %s', async (_, change) => {
    expect(await agent.outcomeOf(signedText(agent, change))).toBe('STATEMENT_INVALID')
  })

  test('a statement that is not UTF-8', async () => {
    expect(await agent.outcomeOf(signEnvelope(Uint8Array.of(0x7b, 0xff, 0x7d), [agent.signer]))).toBe(
      'STATEMENT_INVALID',
    )
  })

  test('a statement that speaks for another agent, tenant or epoch', async () => {
    await collector.enrolled('web2')
    for (const chain of [{ agent: 'web2' }, { tenant: 'other' }, { epoch: 2 }, { epoch: 7, seq: 1 }]) {
      const refusal = await refusalOf(agent, signEnvelope(agent.payload({ chain }), [agent.signer]))
      expect(refusal.code).toBe('STATEMENT_INVALID')
    }
  })

  test('an enrolment by the wrong door', async () => {
    const envelope = signEnvelope(agent.payload({ event: 'enrolled' }), [agent.signer])
    expect(await agent.outcomeOf(envelope)).toBe('STATEMENT_INVALID')
  })

  test('an agent that says it was installed anew, in its epoch or as the next: no pack could hold it', async () => {
    const anew = agent.payload({ event: 'reinstalled', key: agent.signer.keyid })
    const next = agent.payload({ event: 'reinstalled', chain: { epoch: 2, seq: 1 } })
    for (const payload of [anew, next])
      expect(await agent.outcomeOf(signEnvelope(payload, [agent.signer]))).toBe('STATEMENT_INVALID')
    expect(await agent.outcomeOf(agent.next())).toBe('logged')
  })

  test('an agent that was revoked; what was logged before stays, what is known is still proven', async () => {
    const before = agent.next()
    expect(await agent.outcomeOf(before)).toBe('logged')
    await agentRevokeCommand(collector.opened, { agent: 'web1', reason: 'stolen', person: 'Lind' })
    expect(await agent.outcomeOf(agent.next())).toBe('AGENT_REVOKED')
    expect(await agent.outcomeOf(before)).toBe('duplicate')
    const rows = await collector.store.db.selectFrom('agent').select(['id', 'state']).execute()
    expect(rows).toEqual([{ id: 'web1', state: 'revoked' }])
    await assertClean(collector)
  })

  test('an agent that retired', async () => {
    expect(await agent.outcomeOf(agent.next({ event: 'retired' }))).toBe('logged')
    expect(await agent.outcomeOf(agent.next())).toBe('AGENT_REVOKED')
  })
})

describe('requests', () => {
  const problem = async (body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${collector.url}/v1/evidence`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
    expect(response.headers.get('content-type')).toContain('application/problem+json')
    return `${response.status} ${problemSchema.parse(await response.json()).code}`
  }

  test('that are no batch', async () => {
    expect(await problem('{')).toBe('400 REQUEST_INVALID')
    expect(await problem('{}')).toBe('400 REQUEST_INVALID')
    expect(await problem('{"from":-1,"envelopes":[]}')).toBe('400 REQUEST_INVALID')
    expect(await problem('{"from":0,"envelopes":[],"__proto__":{"from":1}}')).toBe('400 REQUEST_INVALID')
    expect(await problem('{"from":0,"envelopes":[],"extra":1}')).toBe('400 REQUEST_INVALID')
    expect(await problem(JSON.stringify({ from: 0, envelopes: Array(1_001).fill(0) }))).toBe(
      '400 REQUEST_INVALID',
    )
    expect(await problem('x', { 'content-type': 'text/plain' })).toBe('415 REQUEST_INVALID')
    expect(await problem('{"from":0,"envelopes":[]}', { 'content-encoding': 'br' })).toBe(
      '400 REQUEST_INVALID',
    )
    expect(await problem('not gzip', { 'content-encoding': 'gzip' })).toBe('400 REQUEST_INVALID')
  })

  test('that are too large, before and after decompression', async () => {
    expect(await problem(`"${'x'.repeat(BATCH_LIMIT_BYTES)}"`)).toBe('413 REQUEST_TOO_LARGE')
    const bomb = await post(`${collector.url}/v1/evidence`, `"${'x'.repeat(64 * 1024 * 1024)}"`, {
      gzip: true,
    })
    expect([bomb.status, problemSchema.parse(bomb.body).code]).toEqual([413, 'REQUEST_TOO_LARGE'])
  })

  test('of an agent that has seen more than this log has', async () => {
    const { status, body } = await post(`${collector.url}/v1/evidence`, { from: 10, envelopes: [] })
    expect([status, problemSchema.parse(body).code]).toEqual([503, 'LOG_ROLLED_BACK'])
  })

  test('of nobody in particular for a contract', async () => {
    const response = await fetch(`${collector.url}/v1/contracts/AFT-2025-052/status`)
    expect(response.status).toBe(401)
  })

  test('for health, the head, the interface’s description and metrics', async () => {
    const agent = await collector.enrolled('web1')
    await agent.send(agent.many(2))
    const text = async (path: string, headers = {}) => {
      const response = await fetch(collector.url + path, { headers })
      return [response.status, await response.text()] as const
    }
    expect(await text('/healthz')).toEqual([200, 'ok\n'])
    expect(await text('/readyz')).toEqual([200, 'ready\n'])
    const [, note] = await text('/log/checkpoint')
    expect(openCheckpoint(note, parseVkey(collector.log.vkey)).size).toBe(5)
    const [status, metrics] = await text('/metrics')
    expect(status).toBe(200)
    expect(metrics).toContain('bevis_statements_total{outcome="logged"} 2')
    expect((await text('/metrics', { 'x-forwarded-for': '10.0.0.1' }))[0]).toBe(403)
    const [, description] = await text('/openapi.json')
    const openapi = JSON.parse(description) as { openapi: string; paths: object }
    expect(openapi.openapi).toBe('3.1.0')
    expect(Object.keys(openapi.paths)).toEqual(
      expect.arrayContaining([
        '/v1/enrol',
        '/v1/evidence',
        '/v1/agents/{id}/head',
        '/v1/contracts/{id}/status',
      ]),
    )
    expect((await text('/nowhere'))[0]).toBe(404)
  })
})
