import { signRootWord } from '@bevis/shared/evidence/root-word'
import type { RootWord } from '@bevis/shared/evidence/root-word'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import type { FakeAgent } from '../../../test/kit/fake-agent.ts'
import { signerOf } from '../../../test/kit/register.ts'
import { revocationsOf } from './revoke.ts'

let place: TestFolder
let collector: TestCollector
let agent: FakeAgent

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
  agent = await collector.enrolled('web1')
})
afterEach(async () => {
  await collector.stop()
  place.remove()
})

const day = (number: number) => `2026-11-0${number}T00:00:00.000Z`
const wordOf = (said: Pick<RootWord, 'kind' | 'compromisedSince'>) => {
  const { tenant, agent: name } = agent.token
  const word = { tenant, agent: name, keyid: agent.signer.keyid, at: day(9), ...said }
  return signRootWord(word, signerOf('root'), 'customer.example/root')
}

test('what the root key says can be made stricter by whoever logs it, never milder', async () => {
  await agent.send([agent.next({ detail: { root: wordOf({ kind: 'signed' }) } })])
  const since = async (ordered: string | undefined, said: string | undefined) => {
    const root = wordOf({ kind: 'revoked', compromisedSince: said })
    const order = { agent: 'web1', reason: 'stolen', person: 'Liv Holm', compromisedSince: ordered, root }
    const [event] = await revocationsOf(collector.store.db, order)
    return event?.detail['compromisedSince']
  }
  expect(await since(day(5), day(3))).toBe(day(3))
  expect(await since(day(2), day(3))).toBe(day(2))
  expect(await since(undefined, day(3))).toBe(day(3))
  expect(await since(day(5), undefined)).toBe(day(5))
  expect(await since(undefined, undefined)).toBeUndefined()
})

test('an agent without a contract is not said to be revoked while nothing is logged', async () => {
  await collector.store.write((tx) => tx.deleteFrom('agent_contract').execute())
  const order = { agent: 'web1', reason: 'stolen', person: 'Liv Holm' }
  await expect(revocationsOf(collector.store.db, order)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
})
