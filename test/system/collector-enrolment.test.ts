import { encodeBase64 } from '@bevis/shared/base64'
import { generateSigningKey, signerFromPem, spkiOf } from '@bevis/shared/crypto'
import { signEnvelope } from '@bevis/shared/evidence/envelope'
import { problemSchema } from '@bevis/shared/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alarmsOf, assertClean, contractYaml, makeCollector } from '../kit/collector.ts'
import type { TestCollector, TestFolder } from '../kit/collector.ts'
import { FakeAgent, post } from '../kit/fake-agent.ts'

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

describe('enrolment', () => {
  const enrol = async (agent: FakeAgent, request: unknown = agent.enrolment()) => {
    const { status, body } = await post(`${collector.url}/v1/enrol`, request)
    return status === 200 ? 'enrolled' : `${status} ${problemSchema.parse(body).code}`
  }

  test('is two leaves, proven, and idempotent for the very same envelope', async () => {
    const agent = new FakeAgent(await collector.invite({ agent: 'web1' }))
    const request = agent.enrolment()
    expect(await enrol(agent, request)).toBe('enrolled')
    expect(await enrol(agent, request)).toBe('enrolled')
    expect((await collector.log.head()).size).toBe(1 + 2)
    expect(
      JSON.stringify(await collector.store.db.selectFrom('invitation').selectAll().execute()),
    ).not.toContain(agent.token.seed)
    await assertClean(collector)
  })

  test('a token enrols one key once', async () => {
    const text = await collector.invite({ agent: 'web1' })
    expect(await enrol(new FakeAgent(text))).toBe('enrolled')
    expect(await enrol(new FakeAgent(text, { epoch: 2 }))).toBe('403 ENROLMENT_REFUSED')
  })

  test('two that use one token at the same moment: one wins', async () => {
    const text = await collector.invite({ agent: 'web1' })
    const results = await Promise.all([1, 2, 3, 4].map(() => enrol(new FakeAgent(text))))
    expect(results.toSorted()).toEqual([...Array<string>(3).fill('403 ENROLMENT_REFUSED'), 'enrolled'])
  })

  test('an unknown, a foreign and an expired token', async () => {
    const mine = await collector.invite({ agent: 'web1' })
    const agent = new FakeAgent(mine)
    const stranger = signerFromPem(generateSigningKey().privatePem)
    const payload = agent.payload({ event: 'enrolled', key: agent.signer.keyid })
    const key = encodeBase64(agent.signer.spki)
    const unknown = { envelope: signEnvelope(payload, [agent.signer, stranger]), key }
    expect(await enrol(agent, unknown)).toBe('403 ENROLMENT_REFUSED')
    const hinted = structuredClone(unknown)
    Object.assign(hinted.envelope.signatures[1] ?? {}, { keyid: agent.tokenSigner.keyid })
    expect(await enrol(agent, hinted)).toBe('422 SIGNATURE_INVALID')
    const other = new FakeAgent(await collector.invite({ agent: 'web2' }))
    const foreign = { envelope: signEnvelope(payload, [agent.signer, other.tokenSigner]), key }
    expect(await enrol(agent, foreign)).toBe('403 ENROLMENT_REFUSED')
    const short = new FakeAgent(await collector.invite({ agent: 'web3', validMs: 1 }))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await enrol(short)).toBe('403 ENROLMENT_REFUSED')
    expect((await collector.log.head()).size).toBe(1)
  })

  test('another host, another agent, another epoch, one signature, swapped signatures', async () => {
    const agent = new FakeAgent(await collector.invite({ agent: 'web1' }))
    const request = (said: Parameters<FakeAgent['payload']>[0]) => {
      const payload = agent.payload({ event: 'enrolled', key: agent.signer.keyid, ...said })
      return {
        envelope: signEnvelope(payload, [agent.signer, agent.tokenSigner]),
        key: encodeBase64(agent.signer.spki),
      }
    }
    expect(await enrol(agent, request({ host: 'web9' }))).toBe('403 ENROLMENT_REFUSED')
    expect(await enrol(agent, request({ chain: { agent: 'web2' } }))).toBe('403 ENROLMENT_REFUSED')
    expect(await enrol(agent, request({ chain: { tenant: 'other' } }))).toBe('403 ENROLMENT_REFUSED')
    expect(await enrol(agent, request({ chain: { epoch: 2 } }))).toBe('403 ENROLMENT_REFUSED')
    expect(await enrol(agent, request({ chain: { seq: 2 } }))).toBe('403 ENROLMENT_REFUSED')
    expect(await enrol(agent, request({ event: 'started' }))).toBe('422 STATEMENT_INVALID')
    expect(await enrol(agent, request({ key: 'ab'.repeat(32) }))).toBe('422 STATEMENT_INVALID')
    const good = request({})
    const [first, second] = good.envelope.signatures
    const one = { ...good, envelope: { ...good.envelope, signatures: [first] } }
    expect(await enrol(agent, one)).toBe('422 SIGNATURE_INVALID')
    const swapped = { ...good, envelope: { ...good.envelope, signatures: [second, first] } }
    expect(await enrol(agent, swapped)).toMatch(/^(403|422) /)
    expect(await enrol(agent, good)).toBe('enrolled')
  })

  test('keys of small order are refused', async () => {
    const agent = new FakeAgent(await collector.invite({ agent: 'web1' }))
    const small = new Uint8Array(32)
    small[0] = 1
    const { envelope } = agent.enrolment()
    expect(await enrol(agent, { envelope, key: encodeBase64(spkiOf(small)) })).toBe('422 KEY_INVALID')
  })

  test('a re-installed agent starts its next epoch with a new key; the old one stays in its own', async () => {
    const old = await collector.enrolled('web1')
    await old.send(old.many(2))
    const place2 = { epoch: 2, prev: old.prev }
    const late = old.next()
    const again = new FakeAgent(await collector.invite({ agent: 'web1' }), place2)
    await again.enrol()
    expect((await again.send(again.many(2))).answers.map(({ outcome }) => outcome)).toEqual([
      'logged',
      'logged',
    ])
    expect(await old.outcomeOf(late)).toBe('logged')
    expect(await alarmsOf(collector)).toEqual(['closed-epoch'])
    const intruding = signEnvelope(old.payload({ chain: { epoch: 2, seq: 9 } }), [old.signer])
    expect(await old.outcomeOf(intruding)).toBe('STATEMENT_INVALID')
    await assertClean(collector)
  })

  test('one customer’s agent id is nobody else’s', async () => {
    await collector.enrolled('web1')
    const other = contractYaml('AFT-9', '{ name: Andre ApS }')
    await collector.office.applyContract({ yaml: other, file: 'c', by: 't' })
    await expect(collector.invite({ agent: 'web1', contracts: ['AFT-9'] })).rejects.toThrow(
      /another customer/,
    )
    await expect(collector.invite({ contracts: ['AFT-9', 'AFT-2025-052'] })).rejects.toThrow(/one customer/)
    await expect(collector.invite({ contracts: ['NONE'] })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(collector.invite({ validMs: 3_600_001 })).rejects.toThrow(/at most an hour/)
  })
})
