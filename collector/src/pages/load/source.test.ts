import { expect, test } from 'vitest'
import type { AlarmRow } from '../../store/read/happenings.ts'
import { localeOf } from '../language/locale.ts'
import { nameAlarm } from '../view/alarm.ts'
import { versionsOf, versionsTold, waiting } from '../view/agent-words.ts'
import { contactOf, groupAlarms } from './source.ts'

const now = new Date('2026-11-23T09:40:00.000Z')
const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString()
const en = localeOf('en')

test.each([
  ['never', ago(1), null],
  ['never', ago(1), ago(1)],
  ['heard', ago(100), ago(2)],
  ['quiet', ago(100), ago(20)],
  ['silent', ago(100), ago(27)],
] as const)('an agent is %s: enrolled %s, heard %s', (contact, enrolled_at, last_received_at) => {
  expect(contactOf({ state: 'active', enrolled_at, last_received_at }, now)).toBe(contact)
})

function alarm(number: number, reason: string): AlarmRow {
  const detail = JSON.stringify({ epoch: 1, seq: number, reason, detail: { set: 'shop' } })
  const id = `agent-alarm/${String(number).padStart(64, '0')}`
  const at = ago(number)
  return { id, kind: 'agent-alarm', tenant: 't', agent: 'web1', statement_id: number, at, detail }
}

test('equal alarms are one, with their reason and how many', () => {
  const reasons = ['RESTIC_FAILED', 'RESTIC_FAILED', 'SOURCE_MISSING', 'RESTIC_FAILED']
  const grouped = groupAlarms(reasons.map((reason, index) => alarm(index + 1, reason)))
  expect(grouped.map((one) => nameAlarm(one, en))).toEqual([
    'The agent raised an alarm: RESTIC_FAILED (3 times)',
    'The agent raised an alarm: SOURCE_MISSING',
  ])
  expect(grouped[0]).toMatchObject({ at: ago(1), digest: '1'.padStart(64, '0') })
})

test('a program that names itself is named once', () => {
  expect(versionsOf({ agent: 'bevis-agent 0.1.0', restic: '0.18.0' })).toBe(
    'bevis-agent 0.1.0 · restic 0.18.0',
  )
})

test('what waits is told with the time at which that was known', async () => {
  const text = String(await waiting({ depth: 5, oldestAt: ago(3), toldAt: ago(2) }, en))
  expect(text).toMatch(/5 statements since .*07:40.*as told .*08:40/)
})

test('an agent that has told nothing is not said to have nothing', async () => {
  expect(String(await waiting(null, en))).toContain('not told')
  expect(String(await waiting({ depth: 0, oldestAt: null }, en))).toContain('nothing')
  expect(String(await versionsTold({}, en))).toContain('not told')
})
