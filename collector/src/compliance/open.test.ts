import { sha256Hex } from '@bevis/shared/crypto'
import type { Envelope } from '@bevis/shared/evidence/envelope'
import { inventoryDigest } from '@bevis/shared/evidence/inventory'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CONTRACT, contractYaml, makeCollector } from '../../../test/kit/collector.ts'
import type { TestCollector, TestFolder } from '../../../test/kit/collector.ts'
import type { FakeAgent } from '../../../test/kit/fake-agent.ts'
import { fsckCommand } from '../commands/fsck.ts'
import { listTransitions } from '../store/read/happenings.ts'
import type { Compliance } from './compliance.ts'
import { openCompliance } from './open.ts'
import { verifyVerdicts } from './verify.ts'

const repository = { id: sha256Hex('repository'), lineage: 'hfk-web', location: '/srv/backup' }
const clock = { now: new Date('2025-03-02T12:00:00.000Z') }
const now = () => clock.now
let place: TestFolder
let collector: TestCollector
let compliance: Compliance
let agent: FakeAgent
const listed: Snap[] = []

beforeEach(async () => {
  clock.now = new Date('2025-03-02T12:00:00.000Z')
  listed.length = 0
  place = await makeCollector()
  collector = await place.start({ now })
  compliance = openCompliance({ store: collector.store, now })
  agent = await collector.enrolled('web1')
})

afterEach(async () => {
  await collector.stop()
  place.remove()
})

/** A complete run at an instant, as its agent tells it. */
function backedUp(instant: string): Envelope {
  const id = sha256Hex(instant)
  const snapshot: Snap = {
    id,
    time: instant,
    tree: sha256Hex(`tree ${instant}`),
    host: 'web1',
    paths: ['/srv/shop'],
  }
  listed.push(snapshot)
  const ended = new Date(Date.parse(instant) + 60_000).toISOString()
  return agent.say(
    'backup-run',
    { name: `snapshots/${id}`, digest: { sha256: id } },
    {
      set: 'shop',
      repository,
      startedAt: instant,
      endedAt: ended,
      exitCode: 0,
      outcome: 'complete',
      snapshot,
      source: {
        files: 10,
        bytes: 1_000,
        filesNew: 10,
        filesChanged: 0,
        filesUnmodified: 0,
        addedBytes: 1_000,
      },
    },
  )
}

function inventoried(): Envelope {
  const digest = inventoryDigest(listed.map(({ id }) => id))
  return agent.say(
    'inventory',
    { name: 'sets/shop', digest: { sha256: sha256Hex('shop') } },
    {
      repository,
      takenAt: clock.now.toISOString(),
      complete: true,
      count: listed.length,
      digest,
      base: null,
      added: [...listed],
      removed: [],
    },
  )
}

const stateOf = async (bucket: string, when = {}) =>
  (await compliance.answer(CONTRACT, when)).sets[0]?.obligations.find((one) => one.bucket === bucket)?.state

test('a contract is judged from what its agents sent', async () => {
  expect(await stateOf('2025-03-01')).toBe('unknown')
  await agent.send([backedUp('2025-03-01T02:00:00.000Z'), inventoried()])
  expect(await stateOf('2025-03-01')).toBe('met')
  expect(await stateOf('2025-03-01', { at: '2025-03-01T12:00:00.000Z' })).not.toBe('met')
  expect(await stateOf('2025-03-01', { knownAt: '2025-03-01T12:00:00.000Z' })).toBe('unknown')
})

test('what does not count is not judged by', async () => {
  const honest = backedUp('2025-03-01T02:00:00.000Z')
  await agent.send([agent.next()])
  agent.seq -= 1 // a clone's inventory, for a place that is taken
  const { answers } = await agent.send([inventoried()])
  expect(answers[0]?.outcome).toBe('refused')
  await agent.send([honest])
  expect(await stateOf('2025-03-01')).toBe('unknown')
})

test('a tick judges what changed and what fell due, and leaves the rest alone', async () => {
  await agent.send([backedUp('2025-03-01T02:00:00.000Z'), inventoried()])
  expect(await compliance.tick()).toMatchObject({ evaluated: 1 })
  expect(await compliance.tick()).toEqual({ evaluated: 0, transitions: 0, failures: [] })
  const [contract] = await collector.store.db.selectFrom('contract').selectAll().execute()
  expect(contract?.headline).toBe((await compliance.answer(CONTRACT)).headline)
  clock.now = new Date('2025-03-03T20:00:00.000Z') // silence since; the second day's point is missing
  expect(await compliance.tick()).toMatchObject({ evaluated: 1 })
  const told = await listTransitions(collector.store.db, { all: true }, { contract: CONTRACT })
  expect(told.map(({ subject, from_state, to_state }) => `${subject} ${from_state} ${to_state}`)).toEqual(
    expect.arrayContaining(['evidence compliant at-risk', 'dayx14/2025-03-01 met stale']),
  )
  expect(await listTransitions(collector.store.db, { tenant: 'another' })).toEqual([])
})

test('a verdict made step by step is that of a clean evaluation, and one that was touched is found', async () => {
  for (const day of ['2025-03-02', '2025-03-03', '2025-03-04']) {
    clock.now = new Date(`${day}T12:00:00.000Z`)
    await agent.send([backedUp(`${day}T02:00:00.000Z`), inventoried()])
    await compliance.tick()
    expect(await verifyVerdicts(collector.store, now())).toEqual([
      { contract: CONTRACT, at: clock.now.toISOString(), outcome: 'same', detail: null },
    ])
  }
  await collector.store.write((tx) =>
    sql`update verdict set answer = replace(answer, '"met"', '"lost"')`.execute(tx),
  )
  expect(await verifyVerdicts(collector.store, now())).toMatchObject([
    { outcome: 'different', detail: 'sets' },
  ])
})

test('a new text of the contract is judged at once', async () => {
  await agent.send([backedUp('2025-03-01T02:00:00.000Z'), inventoried()])
  const before = await compliance.answer(CONTRACT)
  await compliance.tick()
  const exclusion =
    '{ sets: [shop], from: 2025-03-02, to: 2025-03-02, reason: planned, approvedBy: [customer, provider] }'
  const yaml = contractYaml().replace('    sets:', `    exclusions: [${exclusion}]\n    sets:`)
  await collector.office.applyContract({ yaml, file: 'c.yaml', by: 'test' })
  expect(await compliance.tick()).toMatchObject({ evaluated: 1 })
  const after = await compliance.answer(CONTRACT)
  expect(after).not.toEqual(before)
  expect(await stateOf('2025-03-02')).toBe('excused')
})

test('a contract that can no longer be read does not keep the others from being judged', async () => {
  const broken = {
    contract_id: 'AFT-0',
    revision: 1,
    sha256: sha256Hex('nonsense'),
    yaml: 'nonsense',
    applied_at: '',
    applied_by: '',
  }
  await collector.store.write(async (tx) => {
    const row = { id: 'AFT-0', tenant: 'x', customer_name: 'A', headline: null, evaluated_at: null }
    await tx.insertInto('contract').values(row).execute()
    await tx.insertInto('contract_text').values(broken).execute()
  })
  const { evaluated, failures } = await compliance.tick()
  expect(evaluated).toBe(1)
  expect(failures).toMatchObject([{ contract: 'AFT-0', error: { code: 'LOG_INCONSISTENT' } }])
})

test('a text that was edited in the database judges nothing, whatever was judged before', async () => {
  await agent.send([backedUp('2025-03-01T02:00:00.000Z'), inventoried()])
  await compliance.tick()
  const headline = async () =>
    (await collector.store.db.selectFrom('contract').select('headline').executeTakeFirst())?.headline
  expect(await headline()).not.toBe(null)
  await collector.store.write((tx) =>
    sql`update contract_text set yaml = replace(yaml, 'every: P1D', 'every: P9D')`.execute(tx),
  )
  const refused = {
    code: 'LOG_INCONSISTENT',
    message: expect.stringContaining('was changed in the database'),
  }
  await expect(compliance.answer(CONTRACT)).rejects.toMatchObject(refused)
  await expect(openCompliance({ store: collector.store, now }).answer(CONTRACT)).rejects.toMatchObject(
    refused,
  )
  expect((await compliance.tick()).failures).toMatchObject([{ contract: CONTRACT, error: refused }])
  expect(await headline()).toBe(null) // no list may go on calling it kept
  const { exit, lines } = await fsckCommand(collector.opened, {})
  expect([exit, lines.join('\n')]).toEqual([
    1,
    expect.stringContaining(`contract ${CONTRACT}, revision 1: its text is not that of its SHA-256`),
  ])
})

test('an answer is given again for a minute, and never past the instant at which it may turn', async () => {
  await agent.send([backedUp('2025-03-01T02:00:00.000Z'), inventoried()])
  const deadline = (await compliance.answer(CONTRACT)).sets[0]?.nextDeadline
  if (deadline === undefined) throw new Error('nothing is due')
  clock.now = new Date(Date.parse(deadline) - 10_000)
  expect(await compliance.answer(CONTRACT)).toMatchObject({ at: clock.now.toISOString() })
  clock.now = new Date(Date.parse(deadline) - 5_000)
  expect(await compliance.answer(CONTRACT)).not.toMatchObject({ at: clock.now.toISOString() })
  clock.now = new Date(deadline)
  expect(await compliance.answer(CONTRACT)).toMatchObject({ at: deadline })
})

test('an unknown contract is told so', async () => {
  await expect(compliance.answer('NONE')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
