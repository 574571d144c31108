import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../config.ts'
import type { AgentConfig } from '../config.ts'
import { confirmIdentity } from '../evidence/identity.ts'
import { raiseAlarm } from '../outbox/alarm.ts'
import { saveMark } from '../schedule/mark.ts'
import { openState } from '../state.ts'
import type { State } from '../state.ts'
import { statusCommand } from './status.ts'

const now = (): Date => new Date('2026-11-23T12:00:00.000Z')
const zeros = '0'.repeat(64)
let folder: string
let config: AgentConfig
let state: State

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bevis-status-'))
  const set = { id: 'shop', paths: ['/srv'], repository: { url: '/repo', passwordFile: '/pass' } }
  const backup = { cron: '30 3 * * *', timezone: 'Europe/Copenhagen' }
  const text = {
    collector: { url: 'http://127.0.0.1:1' },
    state: join(folder, 'state'),
    sets: [{ ...set, backup }],
  }
  config = parseConfig(JSON.stringify(text), 'agent.yaml')
  state = openState(config.state)
  const identity = {
    tenant: 'acme',
    agent: 'web',
    epoch: 1,
    keyid: zeros,
    collector: 'http://127.0.0.1:1',
    vkey: '',
  }
  confirmIdentity(state, { ...identity, contracts: [], token: zeros, enrolledAt: now().toISOString() })
})

afterEach(() => {
  state.close()
  rmSync(folder, { recursive: true })
})

const status = (): { exit: number; problems: string[]; text: string } => {
  const { exit, json, lines } = statusCommand({ config, state, now })
  return { exit, problems: (json as { problems: string[] }).problems, text: lines.join('\n') }
}

/** Puts a row into the outbox as it is after signing. */
function queue(state_: 'signed' | 'refused', createdAt: string): void {
  state
    .sql<[string, string, string], never>(
      `insert into statement (epoch, seq, pae_digest, name, created_at, payload, envelope, state)
       values (1, 1, ?, 'inventory', ?, x'00', '{}', ?)`,
    )
    .run(zeros, createdAt, state_)
}

test('nothing wrong is exit 0, with what comes next', () => {
  saveMark(state, 'shop', 'backup', {
    startedAt: '2026-11-23T02:30:00.000Z',
    endedAt: '2026-11-23T02:31:00.000Z',
    outcome: 'passed',
    code: null,
  })
  const { exit, problems, text } = status()
  expect({ exit, problems }).toEqual({ exit: 0, problems: [] })
  expect(text).toMatch(/backup +✓ passed +9 h ago +next in 15 h/)
})

test('an alarm stands until a person moves its file away', () => {
  raiseAlarm(
    state.folder,
    { at: now(), code: 'LOG_INCONSISTENT', message: 'the log shrank', about: 'x' },
    { any: 'proof' },
  )
  expect(status()).toMatchObject({
    exit: 1,
    problems: ['LOG_INCONSISTENT: the log shrank', expect.stringContaining('ALARM.json; the alarm stands')],
  })
  renameSync(join(state.folder, 'ALARM.json'), join(folder, 'looked-at.json'))
  expect(status().exit).toBe(0)
})

test('evidence that was refused, or has waited for more than a day, is a problem', () => {
  queue('refused', '2026-11-23T11:00:00.000Z')
  expect(status()).toMatchObject({ exit: 1, problems: [expect.stringContaining('refused 1 statement')] })
  state.db.exec('delete from statement')
  queue('signed', '2026-11-22T11:00:00.000Z')
  expect(status().exit).toBe(0)
  state.db.exec(`update statement set created_at = '2026-11-22T09:00:00.000Z'`)
  expect(status()).toMatchObject({
    exit: 1,
    problems: [expect.stringContaining('evidence has waited since')],
  })
})

test('a last run that did not pass is a problem, with its code', () => {
  saveMark(state, 'shop', 'restore-test', {
    startedAt: '2026-11-23T02:30:00.000Z',
    endedAt: '2026-11-23T02:31:00.000Z',
    outcome: 'failed',
    code: 'SCRATCH_FULL',
  })
  expect(status()).toMatchObject({
    exit: 1,
    problems: ['the last restore-test of shop failed: SCRATCH_FULL'],
  })
})

test('what the configuration asks for and nobody does is said, and is no problem of tonight', () => {
  const [set] = config.sets
  if (set === undefined) throw new Error('there is a set')
  config = { ...config, sets: [{ ...set, retention: { fromContract: true, prune: 'weekly', hold: {} } }] }
  const { exit, text } = status()
  expect(exit).toBe(0)
  expect(text).toContain('! set shop, retention: retention by contract is not carried out by this version')
})
