import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfig } from '../config.ts'
import type { AgentConfig } from '../config.ts'
import { confirmIdentity } from '../evidence/identity.ts'
import { tryLock } from '../lock.ts'
import type { Lock } from '../lock.ts'
import { raiseAlarm } from '../outbox/alarm.ts'
import { saveClock } from '../outbox/clock.ts'
import { raiseHold, releaseHold } from '../run/hold.ts'
import { repositoryLock, saveAttempt } from '../schedule/attempt.ts'
import { saveMark } from '../schedule/mark.ts'
import type { Work } from '../schedule/mark.ts'
import { openState } from '../state.ts'
import type { State } from '../state.ts'
import { statusCommand } from './status.ts'

const now = (): Date => new Date('2026-11-23T12:00:00.000Z')
const zeros = '0'.repeat(64)
let folder: string
let config: AgentConfig
let state: State
let service: Lock | null

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
  service = tryLock(join(state.folder, 'run.lock'), 'bevis-agent run', now())
  mark('backup', '2026-11-23T02:30:00.000Z')
})

afterEach(() => {
  service?.release()
  state.close()
  rmSync(folder, { recursive: true })
})

function mark(what: Work, startedAt: string, outcome = 'passed', code: string | null = null): void {
  saveMark(state, 'shop', what, { startedAt, endedAt: startedAt, outcome, code })
}

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
  const { exit, problems, text } = status()
  expect({ exit, problems }).toEqual({ exit: 0, problems: [] })
  expect(text).toMatch(/backup +✓ passed +10 h ago +next in 15 h/)
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
  mark('restore-test', '2026-11-23T02:30:00.000Z', 'failed', 'SCRATCH_FULL')
  expect(status()).toMatchObject({
    exit: 1,
    problems: ['the last restore-test of shop failed: SCRATCH_FULL'],
  })
  mark('restore-test', '2026-11-23T02:30:00.000Z', 'inconclusive', 'SCRATCH_FULL')
  expect(status().problems).toEqual(['the last restore-test of shop was inconclusive: SCRATCH_FULL'])
  expect(status().text).toMatch(/restore-test +\? inconclusive/)
})

test('a hold on retention is told until it is released, even one that cannot be read', () => {
  const reasons = [{ kind: 'shrink', text: '90 % fewer files' }]
  raiseHold(state.folder, 'shop', { reasons, snapshot: null, now: new Date('2026-11-23T02:00:00.000Z') })
  expect(status()).toMatchObject({
    exit: 1,
    problems: [
      'shop: held since 2026-11-23T02:00:00.000Z: 90 % fewer files. Look, then: bevis-agent retention shop --release-hold --reason TEXT',
    ],
  })
  writeFileSync(join(state.folder, 'holds', 'shop.json'), '{')
  expect(status().problems).toEqual([expect.stringContaining('cannot be read, so it holds')])
  releaseHold(state.folder, 'shop')
  expect(status().exit).toBe(0)
})

test('a set that has never been backed up is wrong, by schedule or by hand', () => {
  state.db.exec('delete from schedule_mark')
  expect(status()).toMatchObject({ exit: 1, problems: ['shop has never been backed up'] })
  const [set] = config.sets
  if (set === undefined) throw new Error('there is a set')
  config = { ...config, sets: [{ ...set, backup: { timezone: 'UTC', jitter: 'PT0S' } }] }
  expect(status()).toMatchObject({ exit: 1, problems: ['shop has never been backed up'] })
  expect(status().text).toMatch(/backup +– never/)
})

test('a run that a wrong clock marked in the future does not hide that nothing has run', () => {
  const identity = JSON.parse(state.get('identity') ?? '') as object
  state.put('identity', JSON.stringify({ ...identity, enrolledAt: '2026-11-01T00:00:00.000Z' }))
  mark('backup', '2030-01-01T02:30:00.000Z')
  const { exit, problems } = status()
  expect(exit).toBe(1)
  expect(problems).toContainEqual(expect.stringContaining('the backup of shop is overdue since'))
})

test('without the service nothing runs and nothing is sent, and that is wrong', () => {
  service?.release()
  queue('signed', '2026-11-23T11:59:00.000Z')
  expect(status()).toMatchObject({
    exit: 1,
    problems: [
      'the service is not running, nothing that is scheduled will run, and 1 statement waits to be sent: start it (bevis-agent run)',
    ],
  })
})

test('a run that should have begun long ago is wrong, however often the schedule comes by', () => {
  const [set] = config.sets
  if (set === undefined) throw new Error('there is a set')
  config = { ...config, sets: [{ ...set, backup: { ...set.backup, cron: '*/2 * * * *' } }] }
  mark('backup', '2026-11-23T11:58:30.000Z')
  expect(status().exit).toBe(0)
  mark('backup', '2026-11-13T12:00:00.000Z')
  expect(status()).toMatchObject({
    exit: 1,
    problems: [expect.stringMatching(/^the backup of shop is overdue since 2026-11-13/)],
  })
  const held = tryLock(repositoryLock(state.folder, '/repo'), 'restore-test of shop', now())
  expect(status().exit).toBe(0) // it waits for its turn
  held?.release()
})

test('a clock that is hours ahead is wrong: what is stated then does not count', () => {
  saveClock(state, { offsetMs: 7_200_000, at: now().toISOString() })
  expect(status()).toMatchObject({
    exit: 1,
    problems: [expect.stringContaining("clock is 7200.0 s ahead of the collector's")],
  })
  saveClock(state, { offsetMs: -20_000, at: now().toISOString() })
  expect(status().exit).toBe(0)
})

test('the newest run is shown, also when it was interrupted or died', () => {
  const attempt = { set: 'shop', what: 'backup', repository: '/repo' } as const
  const startedAt = '2026-11-23T09:00:00.000Z'
  saveAttempt(state, { ...attempt, startedAt, endedAt: '2026-11-23T09:01:00.000Z' })
  expect(status()).toMatchObject({ exit: 1, problems: [expect.stringContaining('was interrupted')] })
  expect(status().text).toMatch(/backup +✗ interrupted +3 h ago/)
  saveAttempt(state, { ...attempt, startedAt, endedAt: null }) // and nobody works on the repository
  expect(status()).toMatchObject({ exit: 1, problems: [expect.stringContaining('was interrupted')] })
  const held = tryLock(repositoryLock(state.folder, '/repo'), 'backup of shop', now())
  expect(status()).toMatchObject({ exit: 0, text: expect.stringMatching(/✓ passed .*running since/) })
  held?.release()
})

test('a disk that is all but full is told before a run fails that nothing can be written of', ({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root can mount a small disk')
  const small = join(folder, 'small')
  mkdirSync(small)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', small])
  try {
    state.close()
    cpSync(state.folder, join(small, 'state'), { recursive: true })
    state = openState(join(small, 'state'))
    expect(status().text).not.toContain('make room')
    writeFileSync(join(small, 'other'), Buffer.alloc(20e6))
    expect(status()).toMatchObject({
      exit: 1,
      problems: expect.arrayContaining([
        expect.stringMatching(/are free for .*state: make room, 32(\.0)? MB/),
      ]),
    })
  } finally {
    execFileSync('umount', ['-l', small])
  }
})
