import { sha256Hex } from '@bevis/shared/crypto'
import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { assertClean, contractYaml, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import type { FakeAgent } from '../../../test/kit/fake-agent.ts'
import { agentRevokeCommand } from '../commands/agent.ts'
import { rebuildCommand } from '../commands/fsck.ts'

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

async function alarms(): Promise<string[]> {
  const rows = await collector.store.db.selectFrom('alarm').selectAll().orderBy('kind').execute()
  const told = rows.map(
    ({ kind, agent: of, detail }) => `${kind} ${of} ${(JSON.parse(detail) as { reason?: string }).reason}`,
  )
  return told.toSorted()
}

function inventory(id: string, lineage?: string) {
  return agent.say(
    'inventory',
    { name: 'sets/shop', digest: { sha256: sha256Hex('shop') } },
    {
      repository: {
        id: sha256Hex(id),
        location: '/srv/backup',
        ...(lineage === undefined ? {} : { lineage }),
      },
      takenAt: new Date().toISOString(),
      complete: true,
      count: 0,
      digest: inventoryDigest([]),
      base: null,
      added: [],
      removed: [],
    },
  )
}

function run(host: string) {
  const time = new Date().toISOString()
  const id = sha256Hex(time + host)
  const none = { files: 0, bytes: 0, filesNew: 0, filesChanged: 0, filesUnmodified: 0, addedBytes: 0 }
  return agent.say(
    'backup-run',
    { name: `snapshots/${id}`, digest: { sha256: id } },
    {
      set: 'shop',
      repository: { id: sha256Hex('one'), lineage: 'hfk-web', location: '/srv/backup' },
      startedAt: time,
      endedAt: time,
      exitCode: 0,
      outcome: 'complete',
      snapshot: { id, time, tree: sha256Hex('tree'), host, paths: ['/srv/shop'] },
      source: none,
    },
  )
}

test('a revoked agent is refused with 403, and raises one alarm however often it comes', async () => {
  await agentRevokeCommand(collector.opened, { agent: 'web1', reason: 'stolen', person: 'Lind' })
  expect(await alarms()).toEqual([])
  for (let n = 0; n < 3; n++) {
    const { answers } = await agent.send([agent.next(), agent.next()])
    expect(answers).toMatchObject(Array(2).fill({ outcome: 'refused', status: 403, code: 'AGENT_REVOKED' }))
  }
  expect(await alarms()).toEqual(['revoked-agent web1 undefined'])
  await assertClean(collector)
  await rebuildCommand(collector.opened)
  expect(await alarms()).toEqual(['revoked-agent web1 undefined'])
})

test('who only names a revoked key raises nothing', async () => {
  await agentRevokeCommand(collector.opened, { agent: 'web1', reason: 'stolen', person: 'Lind' })
  const forged = agent.next()
  const sig = Buffer.alloc(64).toString('base64')
  const { answers } = await agent.send([
    { ...forged, signatures: forged.signatures.map((one) => ({ ...one, sig })) },
  ])
  expect(answers).toMatchObject([{ code: 'SIGNATURE_INVALID' }])
  expect(await alarms()).toEqual([])
})

test('a repository that no contract names raises one alarm; one that a contract names, by any name, none', async () => {
  await agent.send([inventory('one', 'hfk-web'), inventory('one')])
  expect(await alarms()).toEqual([])
  await agent.send([inventory('two', 'hfk-other'), inventory('two', 'hfk-other')])
  await agent.send([inventory('two', 'hfk-other'), inventory('three')])
  expect(await alarms()).toEqual(
    ['unmatched-repository web1 hfk-other', `unmatched-repository web1 ${sha256Hex('three')}`].toSorted(),
  )
  await assertClean(collector)
  await rebuildCommand(collector.opened)
  expect(await alarms()).toHaveLength(2)
})

test('so does a host that no contract names', async () => {
  await agent.send([run('web1')])
  expect(await alarms()).toEqual([])
  await agent.send([run('web9'), run('web9')])
  expect(await alarms()).toEqual(['unmatched-repository web1 web9'])
})

test('a contract that is amended counts from its next text on, and a change of texts is no fault for fsck', async () => {
  const copies = '    copies: [{ role: offsite, repository: hfk-copy, region: DK }]\n        evidence: {}'
  const version = contractYaml().slice(contractYaml().indexOf('  - no: 1'))
  const today = Temporal.Now.plainDateISO('Europe/Copenhagen').toString()
  const second = version
    .replace('no: 1', 'no: 2')
    .replace('2025-03-01', today)
    .replace('    evidence: {}', copies)
  const yaml = `${contractYaml()}${second}`
  await collector.office.applyContract({ yaml, file: 'c.yaml', by: 'test' })
  await agent.send([inventory('copy', 'hfk-copy')])
  expect(await alarms()).toEqual([])
  await assertClean(collector)
})
