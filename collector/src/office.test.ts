import { afterEach, beforeEach, expect, test } from 'vitest'
import { assertClean, CONTRACT, contractYaml, makeCollector } from '../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../test/kit/collector.ts'
import { openCompliance } from './compliance/open.ts'
import { listEvents } from './store/read/events.ts'
import { listContractTexts } from './store/read/contracts.ts'

const DAY = '2025-06-10'
const clock = { now: new Date(`${DAY}T08:00:00.000Z`) }
const now = () => clock.now
let place: TestFolder
let collector: TestCollector

beforeEach(async () => {
  place = await makeCollector()
  clock.now = new Date(`${DAY}T08:00:00.000Z`)
  collector = await place.start({ now })
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const customer = { party: 'customer', person: 'Liv Holm' } as const
const provider = { party: 'provider', person: 'S. Lind' } as const
const apply = (yaml: string, draft = false) =>
  collector.office.applyContract({ yaml, file: 'c.yaml', by: 'lind', draft })
const accept = (version: number, by: typeof customer | typeof provider, sha256?: string) =>
  collector.office.record({
    contract: CONTRACT,
    event: 'version-accepted',
    version,
    by,
    detail: sha256 === undefined ? {} : { sha256 },
  })
/** The contract with a second version that nobody has accepted. */
const amended = (from: string, keep = 30) => {
  const [head = '', first = ''] = contractYaml().split('versions:')
  const second = first
    .replace('no: 1', 'no: 2')
    .replace('2025-03-01', from)
    .replace(/ {4}acceptances:.*\n/, '')
    .replace('keep: 14', `keep: ${keep}`)
  return `${head}versions:${first}${second.replace(/^\n/, '')}`
}
const inForce = async () => (await openCompliance({ store: collector.store, now }).answer(CONTRACT)).version

test('a version is in force when both have accepted it by logged events, and not before', async () => {
  const { sha256 } = await apply(amended(DAY))
  expect(await inForce()).toBe(1)
  await accept(2, provider)
  expect(await inForce()).toBe(1)
  await accept(2, customer, sha256)
  expect(await inForce()).toBe(2)
  const events = await listEvents(collector.store.db, CONTRACT)
  expect(
    events.map(({ event }) => [event.register?.no, event.event, event.detail['sha256'] === sha256]),
  ).toEqual([
    [1, 'report-issued', false],
    [2, 'report-issued', true],
    [3, 'version-accepted', true],
    [4, 'version-accepted', true],
  ])
  await assertClean(collector)
})

test('nobody accepts what was not read, twice, or for the past', async () => {
  await apply(amended('2025-06-09'))
  await expect(accept(2, customer, '0'.repeat(64))).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  await expect(accept(3, customer)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await accept(2, customer)
  await expect(accept(2, customer)).rejects.toThrow(/has accepted version 2 already: Liv Holm/)
  await expect(accept(2, provider)).rejects.toThrow(/what has passed stays as it was judged/)
  expect(await inForce()).toBe(1)
})

test('what one party has accepted is not changed under its hands', async () => {
  await apply(amended('2025-07-01'))
  await accept(2, customer)
  await expect(apply(amended('2025-07-01', 7))).rejects.toThrow(/Liv Holm has accepted it for the customer/)
  await accept(2, provider)
  clock.now = new Date('2025-07-02T08:00:00.000Z')
  expect(await inForce()).toBe(2)
  await expect(apply(amended('2025-07-01', 7))).rejects.toThrow(/version 2 is in force/)
  await expect(apply(contractYaml())).rejects.toThrow(/version 2 is in force and is not in the new text/)
})

test('a contract that nobody has accepted is taken as a draft only, and binds nobody until both have', async () => {
  const draft = contractYaml('AFT-9').replace(/ {4}acceptances:.*\n/, '')
  await expect(apply(draft)).rejects.toThrow(/no version has been accepted/)
  await apply(draft, true)
  const answer = () => openCompliance({ store: collector.store, now }).answer('AFT-9')
  expect(await answer()).toMatchObject({ version: null, headline: 'not-applicable' })
  for (const by of [customer, provider])
    await collector.office.record({
      contract: 'AFT-9',
      event: 'version-accepted',
      version: 1,
      by,
      detail: {},
    })
  expect(await answer()).toMatchObject({ version: 1 })
  await assertClean(collector)
})

test.each([
  ['exclusion-approved', { sets: ['shop'], from: '2025-06-12', to: '2025-06-11' }],
  ['exclusion-approved', { sets: ['no-such'], from: '2025-06-11', to: '2025-06-12' }],
  ['hold-started', { sets: ['shop'], authority: 'x' }],
  ['finding-acknowledged', { note: 'seen' }],
  ['erasure-approved', { original: 'abc' }],
  ['key-revoked', { agent: 'web1', epoch: 1, reason: 'x' }],
  ['report-issued', { document: 'contract', revision: 9, sha256: 'a'.repeat(64) }],
] as const)('%s %j is refused, and nothing is logged', async (event, detail) => {
  const before = await collector.log.head()
  const said = { contract: CONTRACT, event, by: provider, detail }
  await expect(collector.office.record(said)).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  expect(await collector.log.head()).toEqual(before)
})

test('many at once are numbered one after the other', async () => {
  const covers = { from: '2025-05-01', to: '2025-05-31' }
  const held = Array.from({ length: 8 }, (_, n) =>
    collector.office.record({
      contract: CONTRACT,
      event: 'hold-started',
      by: customer,
      detail: { sets: ['shop'], covers, authority: `Tvist ${n}` },
    }),
  )
  await Promise.all(held)
  await assertClean(collector)
  const [text] = await listContractTexts(collector.store.db, { all: true }, CONTRACT)
  expect(text?.revision).toBe(1)
})
