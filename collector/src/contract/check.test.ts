import { sha256Hex } from '@bevis/shared/crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONTRACT, contractYaml, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import { openCompliance } from '../compliance/open.ts'
import { contractOf, judged } from '../pages/load/contract.ts'
import { loadOverview } from '../pages/load/overview.ts'
import type { Source } from '../pages/load/source.ts'
import { openLogOf } from '../commands/open.ts'
import { writePack } from '../report/pack.ts'
import { checkContracts } from './check.ts'

const at = new Date('2025-02-01T12:00:00.000Z')
let place: TestFolder
let collector: TestCollector
let source: Source

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
  const compliance = openCompliance({ store: collector.store, now: () => at })
  source = {
    db: collector.store.db,
    scope: { all: true },
    now: at,
    judge: (id, when) => compliance.answer(id, when),
    index: async (id) => (await compliance.facts(id)).index,
  }
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

const edit = (values: { yaml?: string; sha256?: string; revision?: number }) =>
  collector.store.write((tx) => tx.updateTable('contract_text').set(values).execute())

test('pages show an edited text as what it is, and no verdict of it, not even one of before', async () => {
  expect((await loadOverview(source)).contracts).toMatchObject([{ verdict: { headline: 'not-applicable' } }])
  expect((await contractOf(source, CONTRACT)).problem).toBeNull()
  await edit({ yaml: 'id: other' })
  expect((await loadOverview(source)).contracts).toMatchObject([{ id: CONTRACT, verdict: null }])
  const told = expect.stringContaining('was changed in the database after it was applied')
  expect(await contractOf(source, CONTRACT)).toMatchObject({ text: null, problem: told })
  expect(await judged(source, CONTRACT, null, 'Europe/Copenhagen')).toEqual({ answer: null, problem: told })
})

test('no pack is made of an edited text', async () => {
  await collector.enrolled('web1')
  await edit({ sha256: '0'.repeat(64) })
  const { store, opened } = collector
  const now = new Date()
  const from = new Date(now.getTime() - 86_400_000)
  const order = { scope: { all: true }, contractId: CONTRACT, from, to: now, now } as const
  const attempt = writePack({
    store,
    log: await openLogOf(opened),
    ...order,
    out: `${place.folder}/pack.zip`,
  })
  await expect(attempt).rejects.toMatchObject({ code: 'LOG_INCONSISTENT' })
})

test('what a check finds: texts, revisions, and whose they are', async () => {
  const { store } = collector
  expect(await checkContracts(store.db)).toEqual([])
  await edit({ revision: 2 })
  expect(await checkContracts(store.db)).toMatchObject([
    { problem: 'revision 1 was due' },
    { problem: 'revision 2: nothing in the log says that it was applied' },
    { problem: 'revision 1 is in the log, and its text is gone' },
  ])
  await edit({ revision: 1 })
  await store.write((tx) => tx.updateTable('contract').set({ tenant: 'another' }).execute())
  expect(await checkContracts(store.db)).toMatchObject([{ problem: 'names another customer than another' }])
})

test('customers who were let into one tenant are found', async () => {
  const { store, office } = collector
  const apply = (id: string, customer: string) =>
    office.applyContract({ yaml: contractYaml(id, customer), file: 'c.yaml', by: 'test' })
  await apply('AFT-1', '{ name: Nord & Syd A/S }')
  await apply('AFT-2', '{ name: Nord & Syd A/S }')
  expect(await checkContracts(store.db)).toEqual([])
  const customer_name = 'Nord Syd A.S'
  await store.write((tx) =>
    tx.updateTable('contract').set({ customer_name }).where('id', '=', 'AFT-2').execute(),
  )
  expect(await checkContracts(store.db)).toMatchObject([
    { place: 'contract AFT-2', problem: expect.stringContaining('Nord & Syd A/S of AFT-1 see each other') },
  ])
})

test('who edits a text and its digest is found out by the log', async () => {
  const { store } = collector
  const yaml = contractYaml().replace('keep: 14', 'keep: 1')
  await edit({ yaml, sha256: sha256Hex(yaml) })
  const problem = 'revision 1 is not the text that the log says was applied'
  expect(await checkContracts(store.db)).toMatchObject([{ problem }])
  await expect(openCompliance({ store, now: () => new Date() }).answer(CONTRACT)).rejects.toMatchObject({
    code: 'LOG_INCONSISTENT',
  })
  // Nor is it made right by applying just that text.
  await expect(collector.office.applyContract({ yaml, file: 'c.yaml', by: 'x' })).rejects.toMatchObject({
    code: 'LOG_INCONSISTENT',
  })
})
