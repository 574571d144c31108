import { sha256Hex } from '@bevis/shared/crypto'
import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import type { RestoreTest } from '@bevis/shared/evidence/predicates'
import { signRequest } from '@bevis/shared/http-signature'
import { workSchema } from '@bevis/shared/work'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONTRACT, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import type { FakeAgent } from '../../../test/kit/fake-agent.ts'
import { contractYaml } from '../../../test/kit/collector.ts'
import { listRequests } from '../store/read/requests.ts'
import { askForTest } from './ask.ts'

const repository = { id: sha256Hex('repository'), lineage: 'hfk-web', location: '/srv/backup' }
const ALL = { all: true } as const
let place: TestFolder
let collector: TestCollector
let agent: FakeAgent

beforeAll(async () => {
  place = await makeCollector()
  collector = await place.start()
  agent = await collector.enrolled('web1')
})

afterAll(async () => {
  await collector.stop()
  place.remove()
})

const at = (): string => new Date().toISOString()
const snapOf = (name: string) => ({
  id: sha256Hex(name),
  time: at(),
  tree: sha256Hex(`tree ${name}`),
  host: 'web1',
  paths: ['/srv/shop'],
})
const subject = { name: 'sets/web', digest: { sha256: sha256Hex('web') } }

function backedUp(name: string) {
  const source = { files: 1, bytes: 1, filesNew: 1, filesChanged: 0, filesUnmodified: 0, addedBytes: 1 }
  const outcome = { exitCode: 0, outcome: 'complete' as const, snapshot: snapOf(name), source }
  return agent.say('backup-run', subject, {
    set: 'web',
    repository,
    startedAt: at(),
    endedAt: at(),
    ...outcome,
  })
}

function listed(...names: string[]) {
  const added = names.map(snapOf)
  const digest = inventoryDigest(added.map(({ id }) => id))
  const whole = { complete: true, count: added.length, digest, base: null, added, removed: [] }
  return agent.say('inventory', subject, { repository, takenAt: at(), ...whole })
}

function tested(
  request: string,
  result: RestoreTest['result'],
  error?: RestoreTest['error'],
  negativeControl: RestoreTest['negativeControl'] = 'caught',
) {
  return agent.say('restore-test', subject, {
    set: 'web',
    repository,
    snapshot: snapOf('one'),
    reason: 'requested',
    request,
    mode: 'sample',
    startedAt: at(),
    endedAt: at(),
    population: { files: 1, bytes: 1 },
    selection: { algorithm: 'requested', seed: 's', seedFrom: 'agent', strata: [], files: 1, bytes: 1 },
    restored: { files: 1, bytes: 1, seconds: 1, method: 'disk' },
    reference: { manifest: 1, source: 0, none: 0 },
    classes: {},
    exceptions: [],
    exceptionsTotal: 0,
    negativeControl,
    result,
    ...(error && { error }),
  })
}

async function ask(who = agent, id = 'web1', when = new Date()) {
  const path = `/v1/agents/${id}/work`
  const headers = signRequest({ method: 'GET', path, origin: 'collector.test/log' }, who.signer, when)
  return collector.app.inject({ url: path, headers: { ...headers } })
}
const work = async () => workSchema.parse((await ask()).json())

test('an agent is told its terms, and nobody else is', async () => {
  const { terms } = await work()
  expect(terms).toMatchObject([
    {
      contract: CONTRACT,
      version: 1,
      effectiveFrom: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      earlier: [],
      set: { id: 'shop', selector: { hosts: ['web1'] } },
    },
  ])
  const other = await collector.enrolled('db1')
  expect((await ask(other)).json()).toMatchObject({ code: 'SIGNATURE_INVALID' })
  expect((await ask(agent, 'web1', new Date(Date.now() - 600_000))).json()).toMatchObject({
    code: 'SIGNATURE_INVALID',
  })
  expect((await collector.app.inject('/v1/agents/web1/work')).json()).toMatchObject({
    code: 'SIGNATURE_INVALID',
  })
})

test('holds are told from their announcement until their release: only the collector knows of them', async () => {
  const by = { party: 'customer' as const, person: 'Liv' }
  const covers = { from: '2025-05-01', to: '2025-05-31' }
  const detail = { sets: ['shop'], covers, authority: 'Tvist 2025-88' }
  expect((await work()).terms[0]?.holds).toEqual([])
  await collector.office.record({ contract: CONTRACT, event: 'hold-started', by, detail })
  expect((await work()).terms[0]?.holds).toEqual([{ covers, authority: 'Tvist 2025-88' }])
  await collector.office.record({ contract: CONTRACT, event: 'hold-released', by, detail })
  expect((await work()).terms[0]?.holds).toEqual([])
})

test('a seed comes after its inventory, is kept, and is another for the next', async () => {
  await agent.send([backedUp('one')])
  expect((await work()).seeds).toEqual([])
  await agent.send([listed('one')])
  const [first] = (await work()).seeds
  expect(first).toMatchObject({ set: 'web', inventory: inventoryDigest([sha256Hex('one')]) })
  expect((await work()).seeds).toEqual([first])
  // A backup that no inventory shows yet moves nothing: its seed is not made before it is listed.
  await agent.send([backedUp('two')])
  expect((await work()).seeds).toEqual([first])
  const [asked, again] = [await (await agent.send([listed('one', 'two')]), work()), await work()]
  expect(asked.seeds).toEqual(again.seeds)
  expect(asked.seeds[0]?.seed).not.toBe(first?.seed)
  // The repository is back to what it was: so is the question, and its answer.
  await agent.send([listed('one')])
  expect((await work()).seeds).toEqual([first])
})

test('a file that somebody picks is asked for until its answer is in the log', async () => {
  const { db } = collector.store
  const order = { contract: CONTRACT, set: 'shop', path: '/srv/shop/a b/', by: 'Liv' }
  const asked = await askForTest(collector.store, ALL, order, new Date())
  expect(asked).toMatchObject({ agent: 'web1', agentSet: 'web', path: '/srv/shop/a b', answer: null })
  expect((await work()).requests).toMatchObject([{ id: asked.id, set: 'web', path: '/srv/shop/a b' }])
  await agent.send([tested(asked.id, 'INCONCLUSIVE', { code: 'NOTHING_TO_TEST', message: 'not in it' })])
  expect((await work()).requests).toEqual([])
  const [row] = await listRequests(db, { tenant: '33445566' }, { contract: CONTRACT })
  expect(row?.answer).toMatchObject({ outcome: 'INCONCLUSIVE', detail: 'NOTHING_TO_TEST: not in it' })
  expect(await listRequests(db, { tenant: 'another' })).toEqual([])
  // A void test answers nothing, whatever it says.
  await agent.send([tested(asked.id, 'PASSED', undefined, 'missed')])
  expect((await listRequests(db, ALL))[0]?.answer).toMatchObject({ outcome: 'INCONCLUSIVE' })
  // The agent's own retest has the last word.
  await agent.send([tested(asked.id, 'PASSED')])
  expect((await listRequests(db, ALL))[0]?.answer).toMatchObject({ outcome: 'PASSED', detail: null })
})

test('another agent answers nothing, and a refusal is an answer', async () => {
  const order = { contract: CONTRACT, set: 'shop', path: '/srv/shop/x', by: 'Liv' }
  const asked = await askForTest(collector.store, ALL, order, new Date())
  const said = {
    event: 'alarm',
    reason: 'WORK_REFUSED',
    detail: { request: asked.id, message: 'no' },
  } as const
  const other = await collector.enrolled('db2')
  await other.send([other.next(said)])
  expect((await work()).requests).toHaveLength(1)
  await agent.send([agent.next(said)])
  const [row] = await listRequests(collector.store.db, ALL, { contract: CONTRACT })
  expect(row?.answer).toMatchObject({ outcome: 'refused', detail: 'no' })
})

test.each([
  ['a path outside of every backup', { path: '/etc/shadow' }, 'NOT_FOUND'],
  ['a path that climbs', { path: '/srv/shop/../../etc/shadow' }, 'REQUEST_INVALID'],
  ['a relative path', { path: 'srv/shop' }, 'REQUEST_INVALID'],
  ['a set that is not promised', { set: 'web' }, 'NOT_FOUND'],
  ['an abbreviated snapshot', { snapshot: 'abcdef01' }, 'REQUEST_INVALID'],
])('refused: %s', async (_, wrong, code) => {
  const order = { contract: CONTRACT, set: 'shop', path: '/srv/shop/x', by: 'Liv', ...wrong }
  await expect(askForTest(collector.store, ALL, order, new Date())).rejects.toMatchObject({ code })
})

test('who may not see the contract cannot ask, and nobody can ask without end', async () => {
  const order = { contract: CONTRACT, set: 'shop', path: '/srv/shop/x', by: 'Liv' }
  const asking = (scope: { tenant: string } | { all: true }) =>
    askForTest(collector.store, scope, order, new Date())
  await expect(asking({ tenant: 'another' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  for (let n = 0; n < 20; n++) await asking(ALL)
  await expect(asking(ALL)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' })
})

test('a version that is not in force yet promises an agent nothing', async () => {
  const later = contractYaml('AFT-LATER').replaceAll('2025-03-01', '2999-03-01')
  await collector.office.applyContract({ yaml: later, file: 'c.yaml', by: 'test' })
  const token = await collector.invite({ agent: 'late1', contracts: ['AFT-LATER'] })
  const { FakeAgent: Fake } = await import('../../../test/kit/fake-agent.ts')
  const late = new Fake(token)
  await late.enrol()
  expect(workSchema.parse((await ask(late, 'late1')).json()).terms).toEqual([])
})
