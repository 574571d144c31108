/** What happened at each customer: mostly nothing, which is what a provider is paid for. */
import { sha256Hex } from '@bevis/shared/crypto'
import type { RestoreTest } from '@bevis/shared/evidence/predicates'
import { DAY, HOUR } from './agent-story.ts'
import type { StoryAgent } from './agent-story.ts'
import type { Story } from './contracts.ts'

/** Monday 23 November 2026, 10:40 in Denmark. */
export const NOW = Date.parse('2026-11-23T09:40:00Z')

export function tellStory(agent: StoryAgent, story: Story): void {
  if (story.agent === 'booking') return // enrolled, and nothing since
  if (story.agent === 'epj01') hourly(agent, story)
  else daily(agent, story)
  if (story.agent === 'sagsarkiv') return
  const at = NOW - 20 * 60_000
  agent.lifecycle(at, 'heartbeat', {
    clockOffsetMs: story.agent === 'skole-nas' ? 380_000 : 120,
    spool: story.agent === 'epj01' ? { depth: 3, oldestAt: new Date(at - HOUR).toISOString() } : { depth: 0 },
    versions: { agent: '0.1.0', restic: '0.18.0' },
    next: [
      { set: story.set, what: 'inventory', at: new Date(NOW + 7 * HOUR).toISOString() },
      { set: story.set, what: 'backup', at: new Date(NOW + 16 * HOUR).toISOString() },
      { set: story.set, what: 'restore-test', at: new Date(NOW + 5 * DAY).toISOString() },
    ],
  })
  if (story.agent === CLONED) agent.repeatItself(NOW - 10 * 60_000)
}

/** Somebody has started a restored copy of this machine, beside the machine. */
export const CLONED = 'skole-nas'

function daily(agent: StoryAgent, story: Story): void {
  const isBroken = story.agent === 'srv-c5'
  const silentFrom = story.agent === 'sagsarkiv' ? NOW - 4.3 * DAY : NOW
  const start = Date.parse(`${story.since}T01:30:00Z`)
  for (let day = start; day < silentFrom; day += DAY) {
    const age = Math.floor((NOW - day) / DAY)
    // one night the disk was not mounted, three weeks ago; and once last summer
    const isMissed = isBroken && (age === 12 || age === 140)
    if (isMissed) agent.backup(day, failedRun())
    else agent.backup(day)
    forget(agent, day, isBroken && age === 9)
    agent.inventory(day + 3.5 * HOUR)
    const date = new Date(day)
    if (date.getUTCDay() === 6) {
      if (isBroken && age === 2) agent.restoreTest(day + 4 * HOUR, damagedTest())
      else if (story.agent === 'skole-nas' && age === 2) agent.restoreTest(day + 4 * HOUR, inconclusiveTest())
      else agent.restoreTest(day + 4 * HOUR)
    }
  }
}

function hourly(agent: StoryAgent, story: Story): void {
  const start = Date.parse(`${story.since}T00:00:00Z`)
  for (let hour = start + 5 * 60_000; hour < NOW; hour += HOUR) {
    const age = Math.floor((NOW - hour) / HOUR)
    if (age !== 31) agent.backup(hour)
    if (new Date(hour).getUTCHours() % 6 === 1) agent.inventory(hour + 12 * 60_000)
    if (age === 8 * 24) agent.restoreTest(hour + 20 * 60_000)
  }
  agent.inventory(NOW - 5 * 60_000)
}

/** What the customer's own `forget` leaves: a little more than is owed, except once. */
function forget(agent: StoryAgent, today: number, isTooMuch: boolean): void {
  const perDay = agent.place.agent === 'web1' ? 15 : agent.place.agent === 'srv-c5' ? 31 : 91
  const months = agent.place.agent === 'web1' ? 7 : 14
  for (const [id, { time }] of agent.listed) {
    const taken = new Date(time)
    const age = (today - taken.getTime()) / DAY
    const isMonthly = taken.getUTCDate() === 28
    const keeps =
      age <= perDay ||
      (taken.getUTCDay() === 6 && age <= 13 * 7) ||
      (isMonthly && age <= months * 31) ||
      (isMonthly && taken.getUTCMonth() === 11 && agent.place.agent === 'srv-c5')
    if (!keeps || (isTooMuch && age > 5 && age < 6)) agent.listed.delete(id)
  }
}

function failedRun() {
  return {
    exitCode: 1,
    outcome: 'failed',
    snapshot: undefined,
    source: undefined,
    manifest: undefined,
    torn: undefined,
    error: { code: 'SOURCE_MISSING', message: 'D:\\C5Data is not there: is the disk mounted?' },
  } as const
}

function damagedTest(): Partial<RestoreTest> {
  return {
    classes: { identical: 47, damaged: 2, missing: 1 },
    exceptions: [
      {
        path: 'D:\\C5Data\\2026\\finans.dat',
        class: 'damaged',
        expected: sha256Hex('finans as it was'),
        actual: sha256Hex('finans as it came back'),
        detail: 'differs from byte 1 048 576 on',
      },
      {
        path: 'D:\\Bilag\\2026\\11\\faktura-10431 <kopi>.pdf',
        class: 'damaged',
        expected: sha256Hex('faktura as it was'),
        actual: sha256Hex('faktura as it came back'),
      },
      {
        path: 'D:\\Bilag\\2026\\11\\lønsedler.xlsx',
        class: 'missing',
        detail: 'restic reported: unexpected EOF',
      },
    ],
    exceptionsTotal: 3,
    restored: { files: 49, bytes: 183_004_221, seconds: 58.9, method: 'disk' },
    reference: { manifest: 50, source: 0, none: 0 },
    result: 'FAILED',
  }
}

function inconclusiveTest(): Partial<RestoreTest> {
  return {
    classes: { identical: 12, unverified: 38 },
    exceptions: [
      {
        path: '/srv/elevdata/optagelse/2026.ods',
        class: 'unverified',
        detail: 'no witness, and the source is newer',
      },
    ],
    exceptionsTotal: 38,
    reference: { manifest: 0, source: 12, none: 38 },
    result: 'INCONCLUSIVE',
    error: { code: 'NOT_ENOUGH_CONCLUSIVE', message: '12 files were conclusive, and 50 are needed' },
  }
}
