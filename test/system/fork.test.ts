/**
 * A collector that shows one agent another history than it showed before, all of it by real programs: the agent keeps
 * the proof and its evidence, tells its people past the collector, and anybody can check what it kept.
 */
import { cpSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { FakeAgent } from '../kit/fake-agent.ts'
import { makePair } from '../kit/pair.ts'
import type { Pair } from '../kit/pair.ts'
import { killHard, run } from '../kit/programs.ts'

let pair: Pair
let collector: ChildProcess
let other: string
const alarmFile = () => join(pair.folder, 'alarms.jsonl')

beforeAll(async () => {
  pair = await makePair()
  other = join(pair.folder, 'other')
  const config = readFileSync(pair.agentConfig, 'utf8')
  writeFileSync(pair.agentConfig, `${config}alarm: { file: ${alarmFile()} }\n`)
  writeFileSync(join(pair.source, 'file'), 'data')
  // A second history begins where the first one does: after the agent has enrolled.
  cpSync(join(pair.folder, 'collector'), other, { recursive: true })
  collector = await pair.startCollector()
}, 300_000)
afterAll(() => pair.remove())

const statusOf = async () => {
  const { exit, stdout } = await pair.agent('status', '--json')
  const read = z.object({ spool: z.object({ depth: z.number() }), problems: z.array(z.string()) })
  return { exit, ...read.parse(JSON.parse(stdout)) }
}
const forkFiles = () =>
  readdirSync(join(pair.folder, 'agent'))
    .filter((name) => name.startsWith('fork-'))
    .map((name) => join(pair.folder, 'agent', name))

test('the agent cosigns what it verified, and the pack shows it', async () => {
  expect((await pair.agent('backup', 'shop', '--init')).exit).toBe(0)
  const db = new Database(join(pair.folder, 'collector', 'collector.db'), { readonly: true })
  const row = db.prepare('select size, vkey from log_cosignature order by size desc').get()
  const head = db.prepare('select max(size) as size from log_checkpoint').get() as { size: number }
  db.close()
  expect(row).toMatchObject({
    size: head.size,
    vkey: expect.stringContaining('collector.test/log/agent/web1+'),
  })
})

test('another history is found, proven and told, and no evidence is given up', async () => {
  await killHard(collector)
  const state = join(pair.folder, 'collector')
  rmSync(state, { recursive: true })
  renameSync(other, state)
  collector = await pair.startCollector()
  // The other history has grown beyond the one that the agent knows.
  const invited = await pair.collector('invite', '--contract', 'KILL-1', '--host', 'web2', '--json')
  const web2 = new FakeAgent((JSON.parse(invited.stdout) as { token: string }).token)
  await web2.enrol()
  await web2.send(web2.many(20))

  expect((await pair.agent('inventory', 'shop', '--no-send')).exit).toBe(0)
  const before = await statusOf()
  expect(before.spool.depth).toBeGreaterThan(0)
  const sent = await pair.agent('evidence', 'send', '--json')
  expect(sent.exit).toBe(1)
  expect(JSON.parse(sent.stdout)).toMatchObject({ logged: 0, error: { code: 'LOG_INCONSISTENT' } })
  const after = await statusOf()
  expect(after.exit).toBe(1)
  expect(after.problems.join('\n')).toContain('LOG_INCONSISTENT')
  expect(after.spool.depth).toBe(before.spool.depth + 1) // with what the agent says of it
  expect(readFileSync(alarmFile(), 'utf8')).toContain('LOG_INCONSISTENT')
})

test('what the agent kept is a proof for everybody who knows the log’s key', async () => {
  const [file = ''] = forkFiles()
  const trust = join(pair.folder, 'agent', 'trust.yaml')
  const proven = await run('verify', ['fork', file, '--trust', trust])
  expect([proven.exit, proven.stdout]).toEqual([0, expect.stringMatching(/^PROVEN .*begins otherwise/)])
  expect((await run('verify', ['fork', file])).exit).toBe(2)
  const changed = join(pair.folder, 'changed.json')
  const { first, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as { first: string }
  writeFileSync(changed, JSON.stringify({ ...rest, first: first.replace(/\n\d+\n/, '\n999\n') }))
  expect((await run('verify', ['fork', changed, '--trust', trust])).exit).toBe(1)

  const db = new Database(join(pair.folder, 'agent', 'state.db'), { readonly: true })
  const row = db
    .prepare(`select envelope from statement where name = 'agent-lifecycle' order by seq desc`)
    .get()
  db.close()
  const envelope = join(pair.folder, 'alarm.json')
  writeFileSync(envelope, (row as { envelope: string }).envelope)
  const said = await run('verify', ['fork', envelope, '--trust', trust, '--json'])
  expect(JSON.parse(said.stdout)).toMatchObject({ isProven: true, isAnchored: true })
})
