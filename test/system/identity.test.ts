/** An agent's identity through its life, with the real agent's code and a real collector. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseToken } from '@bevis/shared/evidence/enrolment'
import { isPackFile } from '@bevis/shared/verify/pack'
import { mergeTrust, parseTrust } from '@bevis/shared/verify/trust'
import { verifyPack } from '@bevis/shared/verify/verify-pack'
import { readZip } from '@bevis/shared/verify/zip'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../../agent/src/config.ts'
import { enroll } from '../../agent/src/commands/enroll.ts'
import { keyRotateCommand, retireCommand } from '../../agent/src/commands/key.ts'
import { recorderOf, sendEvidence } from '../../agent/src/commands/open.ts'
import type { Opened } from '../../agent/src/commands/open.ts'
import { loadIdentity, requireIdentity } from '../../agent/src/evidence/identity.ts'
import { lifecycle } from '../../agent/src/evidence/lifecycle.ts'
import { readSpool } from '../../agent/src/outbox/queue.ts'
import { openTransport } from '../../agent/src/outbox/transport.ts'
import { openState } from '../../agent/src/state.ts'
import { readAlarms } from '../../agent/src/outbox/alarm.ts'
import { packCommand } from '../../collector/src/commands/pack.ts'
import { rebuildCommand } from '../../collector/src/commands/fsck.ts'
import { listAgents } from '../../collector/src/store/read/agents.ts'
import { alarmsOf, assertClean, CONTRACT, makeCollector } from '../kit/collector.ts'
import type { TestCollector, TestFolder } from '../kit/collector.ts'

let place: TestFolder
let collector: TestCollector
let home: string
let agent: Opened

beforeEach(async () => {
  place = await makeCollector()
  collector = await place.start()
  home = mkdtempSync(join(tmpdir(), 'bevis-identity-'))
  agent = openAgent(join(home, 'state'))
  await enrol(agent)
})

afterEach(async () => {
  agent.state.close()
  await collector.stop()
  place.remove()
  rmSync(home, { recursive: true })
})

function openAgent(folder: string): Opened {
  const set = `{ id: shop, paths: [/srv/shop], repository: { url: /srv/repo, passwordFile: /srv/pass } }`
  const text = `collector: { url: "${collector.url}" }\nstate: ${folder}\nsets: [${set}]\n`
  const config = parseConfig(text, 'agent.yaml')
  return { config, state: openState(folder), now: () => new Date() }
}

async function enrol(opened: Opened): Promise<void> {
  const token = parseToken(await collector.invite({ agent: 'web1', host: hostname() }))
  const transport = openTransport({ url: collector.url }, opened.now)
  await enroll({ ...opened, token, transport, host: hostname() })
  await transport.close()
}

const say = async (event: 'started' | 'heartbeat', opened = agent) =>
  recorderOf(opened).record(lifecycle(requireIdentity(opened.state), event, opened.now()))

async function deliver(opened = agent): Promise<string> {
  const report = await sendEvidence(opened)
  return report?.failure?.code ?? `${report?.logged} logged, ${report?.refused} refused`
}

const epochs = async () => {
  const rows = await collector.store.db
    .selectFrom('statement')
    .select(['epoch', 'seq', 'outcome', 'counted'])
    .where('agent', '=', 'web1')
    .orderBy('id')
    .execute()
  return rows.map(
    ({ epoch, seq, outcome, counted }) => `${epoch}/${seq} ${outcome}${counted === 1 ? '' : ' not counted'}`,
  )
}

async function verified(...folders: string[]): Promise<string[]> {
  const out = join(home, `pack-${Date.now()}.zip`)
  await packCommand(collector.opened, CONTRACT, { out, from: '2020-01-01' })
  const [first, ...others] = folders.map((folder) =>
    parseTrust(readFileSync(join(folder, 'trust.yaml'), 'utf8')),
  )
  if (first === undefined) throw new Error('no trust file')
  const files = await readZip(readFileSync(out), isPackFile)
  const { checks } = verifyPack({ files, trust: mergeTrust(first, ...others) })
  return checks.filter(({ outcome }) => outcome !== 'held').map(({ id, detail }) => `${id}: ${detail}`)
}

test('rotation: the old key authorises, the new one goes on in the next epoch, offline even, and auditors follow', async () => {
  await say('started')
  const before = requireIdentity(agent.state)
  await keyRotateCommand(agent, {}) // nothing of all this has been delivered yet
  await say('heartbeat')
  const after = requireIdentity(agent.state)
  expect([after.epoch, after.keyid === before.keyid]).toEqual([2, false])
  expect(await deliver()).toBe('3 logged, 0 refused')
  expect(await epochs()).toEqual(['1/1 enrolled', '1/2 started', '2/1 rotated', '2/2 heartbeat'])
  await keyRotateCommand(agent, { reason: 'again' })
  expect(await deliver()).toBe('1 logged, 0 refused')
  expect(await verified(agent.state.folder)).toEqual([])
  expect(await alarmsOf(collector)).toEqual([])
  await assertClean(collector)
  await rebuildCommand(collector.opened)
  await assertClean(collector)
})

test('a recorder that was open when the key was rotated goes on in the new epoch', async () => {
  const recorder = recorderOf(agent)
  await keyRotateCommand(agent, {})
  const { epoch, seq } = await recorder.record(
    lifecycle(requireIdentity(agent.state), 'heartbeat', agent.now()),
  )
  expect([epoch, seq]).toEqual([2, 2])
  expect(await deliver()).toBe('2 logged, 0 refused')
})

test('re-installation: a new token, a new key, a new epoch that follows the old one', async () => {
  await say('started')
  await deliver()
  const old = agent.state.folder
  const again = openAgent(join(home, 'second'))
  await enrol(again)
  expect(requireIdentity(again.state).epoch).toBe(2)
  await say('heartbeat', again)
  expect(await deliver(again)).toBe('1 logged, 0 refused')
  expect(await epochs()).toEqual(['1/1 enrolled', '1/2 started', '2/1 enrolled', '2/2 heartbeat'])
  expect(await verified(old, again.state.folder)).toEqual([])
  again.state.close()
})

test('an agent restored from an old image finds its head ahead, and opens a new epoch', async () => {
  await say('started')
  await deliver()
  agent.state.close()
  cpSync(join(home, 'state'), join(home, 'image'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  await say('heartbeat')
  await say('heartbeat')
  await deliver()
  agent.state.close()
  rmSync(join(home, 'state'), { recursive: true })
  cpSync(join(home, 'image'), join(home, 'state'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  await say('started') // before it can know: as the service does when it starts
  expect(await deliver()).toBe('2 logged, 0 refused')
  expect(await epochs()).toEqual([
    ...['1/1 enrolled', '1/2 started', '1/3 heartbeat', '1/4 heartbeat'],
    ...['2/1 started', '2/2 started'],
  ])
  expect(await alarmsOf(collector)).toEqual([])
  expect(await verified(agent.state.folder)).toEqual([])
  await say('heartbeat')
  expect(await deliver()).toBe('1 logged, 0 refused')
})

test('nor is anything lost when the clock was set back with it', async () => {
  await deliver()
  agent.state.close()
  cpSync(join(home, 'state'), join(home, 'image'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  await say('heartbeat')
  await deliver()
  agent.state.close()
  rmSync(join(home, 'state'), { recursive: true })
  cpSync(join(home, 'image'), join(home, 'state'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  const now = (): Date => new Date(Date.now() - 60_000)
  for (const event of ['started', 'started', 'heartbeat'] as const) await say(event, { ...agent, now })
  expect(await deliver()).toBe('4 logged, 0 refused')
  expect(await epochs()).toEqual([
    ...['1/1 enrolled', '1/2 heartbeat'],
    ...['2/1 started', '2/2 started', '2/3 started', '2/4 heartbeat'],
  ])
  expect(await alarmsOf(collector)).toEqual([])
  expect(await verified(agent.state.folder)).toEqual([])
})

test('a set-back is found although the clock was moved since it was measured', async () => {
  await deliver()
  agent.state.close()
  cpSync(join(home, 'state'), join(home, 'image'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  await say('heartbeat')
  await deliver()
  agent.state.close()
  rmSync(join(home, 'state'), { recursive: true })
  cpSync(join(home, 'image'), join(home, 'state'), { recursive: true })
  agent = { ...openAgent(join(home, 'state')), now: () => new Date(Date.now() - 86_400_000) }
  await say('started')
  expect(await deliver()).toBe('2 logged, 0 refused')
  expect(await epochs()).toEqual(['1/1 enrolled', '1/2 heartbeat', '2/1 started', '2/2 started'])
  expect(readAlarms(agent.state.folder)).toEqual([])
})

test('a collector that makes up a newer statement opens no epoch, and gets nothing', async () => {
  await say('started')
  await deliver()
  await say('heartbeat')
  const { db } = collector.store
  const head = await db
    .selectFrom('statement')
    .select(['id', 'envelope'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  const set = (values: object) =>
    collector.store.write((tx) => tx.updateTable('statement').set(values).where('id', '=', head.id).execute())
  // Its own last word, at a place that it never had; then a word of somebody else.
  await set({ seq: 9, pae_digest: 'ab'.repeat(32) })
  await expect(deliver()).rejects.toMatchObject({ code: 'RECEIPT_INVALID' })
  const stranger = await collector.enrolled('web2')
  const forged = stranger.next({ chain: { agent: 'web1', seq: 9 } })
  await set({ seq: 9, pae_digest: stranger.prev, envelope: JSON.stringify(forged) })
  await expect(deliver()).rejects.toMatchObject({ code: 'RECEIPT_INVALID' })
  expect(requireIdentity(agent.state).epoch).toBe(1)
  expect(readSpool(agent.state).depth).toBe(1)
})

test('what an agent stated last is shown to that agent only', async () => {
  await say('started')
  await deliver()
  const { status, ...told } = await fetch(`${collector.url}/v1/agents/web1/head`).then(async (response) => ({
    status: response.status,
    ...((await response.json()) as object),
  }))
  expect([status, Object.keys(told).includes('envelope')]).toEqual([200, false])
})

test('an image from before a key rotation states nothing in the old key’s name', async () => {
  await deliver()
  agent.state.close()
  cpSync(join(home, 'state'), join(home, 'image'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  await keyRotateCommand(agent, {})
  await deliver()
  const old = openAgent(join(home, 'image'))
  await say('heartbeat', old)
  await expect(deliver(old)).rejects.toThrow(/enrol this host anew/)
  expect(readAlarms(join(home, 'image'))).toMatchObject([{ code: 'RECEIPT_INVALID' }])
  old.state.close()
  expect(await alarmsOf(collector)).toEqual([])
})

test('a clone is found out: two statements for one number', async () => {
  await deliver()
  agent.state.close()
  cpSync(join(home, 'state'), join(home, 'clone'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  const clone = openAgent(join(home, 'clone'))
  await say('heartbeat')
  await say('heartbeat', clone)
  await deliver()
  const { envelope } = clone.state.db.prepare('select envelope from statement where seq = 2').get() as {
    envelope: string
  }
  const transport = openTransport({ url: collector.url }, clone.now)
  await transport.post('/v1/evidence', { from: 0, envelopes: [JSON.parse(envelope)] })
  await transport.close()
  clone.state.close()
  expect(await epochs()).toEqual(['1/1 enrolled', '1/2 heartbeat', '1/2 heartbeat not counted'])
  expect(await alarmsOf(collector)).toEqual(['equivocation'])
})

test('a clone that delivers by itself is found out too, though each opens epochs of its own', async () => {
  await deliver()
  agent.state.close()
  cpSync(join(home, 'state'), join(home, 'clone'), { recursive: true })
  agent = openAgent(join(home, 'state'))
  const clone = openAgent(join(home, 'clone'))
  for (const one of [agent, clone, agent, clone]) {
    await say('heartbeat', one)
    await deliver(one)
  }
  clone.state.close()
  expect(new Set(await alarmsOf(collector))).toEqual(new Set(['agent-alarm']))
  expect(readAlarms(agent.state.folder)).toMatchObject([{ code: 'STATEMENT_EQUIVOCATION' }])
})

test('a retired agent is heard no more', async () => {
  await retireCommand(agent, { reason: 'the server was sold' })
  expect(await deliver()).toBe('1 logged, 0 refused')
  const [row] = await listAgents(collector.store.db, { all: true })
  expect(row?.state).toBe('retired')
  await say('heartbeat')
  expect(await deliver()).toBe('AGENT_REVOKED')
  expect(loadIdentity(agent.state)?.epoch).toBe(1)
})

test('a revoked key rotates nothing', async () => {
  await collector.office.revoke({ agent: 'web1', reason: 'stolen', person: 'S. Lind' })
  await keyRotateCommand(agent, {})
  expect(await deliver()).toBe('AGENT_REVOKED')
  expect(await epochs()).toEqual(['1/1 enrolled'])
})
