import { encodeBase64 } from '@bevis/shared/base64'
import { signEnvelope } from '@bevis/shared/evidence/envelope'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { agentHeadSchema } from '@bevis/shared/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { alarmsOf, assertClean, makeCollector } from '../kit/collector.ts'
import type { TestCollector, TestFolder } from '../kit/collector.ts'
import { refusalOf } from '../kit/fake-agent.ts'
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

describe('evidence', () => {
  test('is logged, proven, and proven again when it comes again', async () => {
    const agent = await collector.enrolled('web1')
    const envelopes = agent.many(3)
    const first = await agent.send(envelopes)
    expect(first.answers.map(({ outcome }) => outcome)).toEqual(['logged', 'logged', 'logged'])
    await agent.send(agent.many(5), { gzip: true })
    const again = await agent.send(envelopes)
    expect(again.answers.map(({ outcome }) => outcome)).toEqual(['duplicate', 'duplicate', 'duplicate'])
    expect(again.checkpoint).not.toBe(first.checkpoint)
    expect(again.answers.map((one) => one.outcome === 'duplicate' && one.receivedAt)).toEqual(
      first.answers.map((one) => one.outcome === 'logged' && one.receivedAt),
    )
    expect((await collector.log.head()).size).toBe(1 + 2 + 3 + 5)
    expect(await alarmsOf(collector)).toEqual([])
    await assertClean(collector)
  })

  test('the same statement twice in one batch is one leaf', async () => {
    const agent = await collector.enrolled('web1')
    const envelope = agent.next()
    const { answers } = await agent.send([envelope, envelope])
    expect(answers.map(({ outcome }) => outcome)).toEqual(['logged', 'duplicate'])
    expect((await collector.log.head()).size).toBe(4)
  })

  test('an empty batch fetches the newest head', async () => {
    const agent = await collector.enrolled('web1')
    const other = await collector.enrolled('web2')
    await other.send(other.many(7))
    expect((await agent.send([])).answers).toEqual([])
    expect(agent.last?.size).toBe(12)
  })

  test('an agent sees where its chain stands', async () => {
    const agent = await collector.enrolled('web1')
    await agent.send(agent.many(4))
    const head = agentHeadSchema.parse(await (await fetch(`${collector.url}/v1/agents/web1/head`)).json())
    expect(head).toMatchObject({ agent: 'web1', epoch: 1, seq: 5, pae: agent.prev })
    expect((await fetch(`${collector.url}/v1/agents/nobody/head`)).status).toBe(404)
  })
})

describe('a chain', () => {
  let agent: FakeAgent
  beforeEach(async () => {
    agent = await collector.enrolled('web1')
  })

  test('two statements for one place: both logged, one counted, refused and alarmed, again and again', async () => {
    const first = agent.payload()
    const second = agent.payload()
    const clone = signEnvelope(second, [agent.signer])
    expect(await agent.outcomeOf(signEnvelope(first, [agent.signer]))).toBe('logged')
    const refusal = await refusalOf(agent, clone)
    expect([refusal.status, refusal.code]).toEqual([409, 'STATEMENT_EQUIVOCATION'])
    expect((await refusalOf(agent, clone)).code).toBe('STATEMENT_EQUIVOCATION')
    expect((await collector.log.head()).size).toBe(5)
    const rows = await collector.store.db
      .selectFrom('statement')
      .select(['seq', 'counted'])
      .where('agent', '=', 'web1')
      .orderBy('id')
      .execute()
    expect(rows).toEqual([
      { seq: 1, counted: 1 },
      { seq: 2, counted: 1 },
      { seq: 2, counted: 0 },
    ])
    expect(await alarmsOf(collector)).toEqual(['equivocation'])
    await assertClean(collector)
  })

  test('two statements for one place in one batch', async () => {
    const both = [agent.payload(), agent.payload()].map((payload) => signEnvelope(payload, [agent.signer]))
    const { answers } = await agent.send(both)
    expect(answers.map(({ outcome }) => outcome)).toEqual(['logged', 'refused'])
    expect(await alarmsOf(collector)).toEqual(['equivocation'])
  })

  test('a broken link, a gap and a future date are logged and alarmed', async () => {
    expect(await agent.outcomeOf(agent.next({ chain: { prev: 'ab'.repeat(32) } }))).toBe('logged')
    agent.next() // never sent
    expect(await agent.outcomeOf(agent.next())).toBe('logged')
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString()
    expect(await agent.outcomeOf(agent.next({ at: tomorrow }))).toBe('logged')
    expect(await alarmsOf(collector)).toEqual(['broken-link', 'future-dated', 'sequence-gap'])
    await assertClean(collector)
  })

  test('statements that come late and out of order count', async () => {
    const [one, two, three] = agent.many(3)
    expect(await agent.outcomeOf(three)).toBe('logged')
    expect(
      (await agent.send([one as Envelope, two as Envelope])).answers.map(({ outcome }) => outcome),
    ).toEqual(['logged', 'logged'])
    expect(await alarmsOf(collector)).toEqual(['sequence-gap'])
  })

  test('a head that this log never signed is a fork', async () => {
    const head = agent.last
    const log = {
      origin: 'collector.test/log',
      size: head?.size ?? 0,
      root: encodeBase64(head?.root ?? new Uint8Array()),
    }
    expect(await agent.outcomeOf(agent.next({ chain: { log } }))).toBe('logged')
    expect(await alarmsOf(collector)).toEqual([])
    const other = { ...log, root: encodeBase64(new Uint8Array(32)) }
    expect(await agent.outcomeOf(agent.next({ chain: { log: other } }))).toBe('logged')
    expect(await agent.outcomeOf(agent.next({ chain: { log: { ...log, size: 1_000 } } }))).toBe('logged')
    expect(await agent.outcomeOf(agent.next({ chain: { log: other } }))).toBe('logged')
    expect(await alarmsOf(collector)).toEqual(['fork', 'fork'])
  })

  test('an agent set back opens its next epoch with the key it has', async () => {
    await agent.send(agent.many(3))
    agent.epoch = 2
    agent.seq = 0
    const opening = agent.next({ event: 'started', reason: 'state-rollback' })
    const { answers } = await agent.send([opening, ...agent.many(2)])
    expect(answers.map(({ outcome }) => outcome)).toEqual(['logged', 'logged', 'logged'])
    expect(await alarmsOf(collector)).toEqual([])
    await assertClean(collector)
  })

  test('time never goes back in the log, whatever the collector’s clock does', async () => {
    await agent.send(agent.many(1))
    await collector.stop()
    collector = await place.start({ now: () => new Date('2020-01-01T00:00:00.000Z') })
    const { answers } = await agent.send(agent.many(1))
    expect(answers[0]?.outcome === 'logged' && answers[0].receivedAt > '2026').toBe(true)
  })
})

describe('many agents at once', () => {
  test('20 agents, several requests each: every statement once, every receipt verified', async () => {
    const agents = await Promise.all(Array.from({ length: 20 }, (_, n) => collector.enrolled(`agent-${n}`)))
    await Promise.all(
      agents.map(async (agent) => {
        for (let round = 0; round < 5; round++) {
          const { answers } = await agent.send(agent.many(7), { gzip: round % 2 === 0 })
          expect(answers.every(({ outcome }) => outcome === 'logged')).toBe(true)
        }
      }),
    )
    expect((await collector.log.head()).size).toBe(1 + 20 * (2 + 35))
    const heads = await collector.store.db.selectFrom('log_checkpoint').select('size').execute()
    expect(heads.length).toBeLessThan(1 + 20 + 100) // several requests shared a transaction
    expect(await alarmsOf(collector)).toEqual([])
    await assertClean(collector)
  })
})
