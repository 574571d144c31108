import { describe, expect, test } from 'vitest'
import { errorCodeOf } from '../error.ts'
import type { Snap } from '../evidence/predicates.ts'
import { indexFacts } from './facts.ts'
import { planRetention } from './retention.ts'
import type { RetentionPlan } from './retention.ts'
import type { Contract } from './schema.ts'
import { Story, contractFor, contractOf, keeping, setAt, setOf, versionOf } from './story-for-tests.ts'

const DAY_MS = 86_400_000

function planAt(contract: Contract, story: Story, at: string): RetentionPlan {
  return planRetention({ contract, set: 'filer', index: indexFacts(story.facts), at: new Date(at) })
}

function leavers(plan: RetentionPlan): string[] {
  return plan.snapshots.filter(({ goes }) => goes).map(({ start }) => start.slice(0, 10))
}

function kindsOf(plan: RetentionPlan, { id }: Snap): string[] {
  return plan.snapshots.find((one) => one.id === id)?.reasons.map(({ kind }) => kind) ?? []
}

const daily = contractFor({ retention: keeping([{ per: 'day', keep: 3 }]) })

describe('a bucket is owed to the end of the keep-th one after it', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-10')

  test('three closed days and today: restic’s --keep-daily 3 would keep one fewer', () => {
    const plan = planAt(daily, story, '2025-03-10T22:30:00Z')
    expect(plan.snapshots).toHaveLength(10)
    // The day is Danish: 21:00Z is 22:00. 7 March is kept to the end of 10 March.
    expect(leavers(plan)).toEqual([1, 2, 3, 4, 5, 6].map((day) => `2025-03-0${day}`))
    expect(leavers(planAt(daily, story, '2025-03-10T23:30:00Z'))).toContain('2025-03-07')
    expect(plan.isOwedAt(new Date('2025-03-06T12:00:00Z'))).toBe(false)
    expect(plan.isOwedAt(new Date('2025-03-07T12:00:00Z'))).toBe(true)
  })

  test('why, for each of them', () => {
    const plan = planAt(daily, story, '2025-03-10T22:30:00Z')
    expect(plan.snapshots[5]?.reasons).toEqual([
      { set: 'filer', kind: 'ended', tier: 'dayx3', bucket: '2025-03-06', at: '2025-03-09T23:00:00.000Z' },
    ])
    expect(plan.snapshots[6]?.reasons).toEqual([
      {
        set: 'filer',
        kind: 'owed',
        tier: 'dayx3',
        bucket: '2025-03-07',
        keepUntil: '2025-03-10T23:00:00.000Z',
      },
    ])
  })
})

describe('what is in doubt stays', () => {
  test('a fiscal year is owed to the day: restic’s --keep-yearly 5 lets the first one go on New Year’s Day', () => {
    const contract = contractFor({ retention: keeping([{ per: 'year', keep: 5 }]) })
    const story = new Story()
    const last = story.backup('2025-12-31T21:00:00Z')
    for (const year of [2026, 2027, 2028, 2029]) story.backup(`${year}-12-31T21:00:00Z`)
    story.backup('2030-01-01T21:00:00Z')
    story.inventory('2030-01-01T22:00:00Z')
    expect(kindsOf(planAt(contract, story, '2030-01-01T22:30:00Z'), last)).toEqual(['owed'])
    story.backup('2030-12-31T23:30:00Z')
    story.inventory('2030-12-31T23:50:00Z')
    expect(kindsOf(planAt(contract, story, '2030-12-31T23:55:00Z'), last)).toEqual(['ended'])
  })

  test('the day is the contract’s, not that of the offset in the snapshot', () => {
    const story = new Story()
    const early = story.backup('2025-03-08T22:30:00Z') // 23:30 on the 8th
    const late = story.backup('2025-03-08T23:30:00Z') // 00:30 on the 9th, the 8th in UTC
    story.inventory('2025-03-09T01:00:00Z')
    const plan = planAt(daily, story, '2025-03-09T01:30:00Z')
    expect(kindsOf(plan, early)).toEqual(['owed'])
    expect(kindsOf(plan, late)).toContain('owed')
  })

  test('a snapshot of 2035 takes no place, and is not touched', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-10')
    const future = story.snapshot('2035-01-01T00:00:00Z')
    story.inventory('2025-03-10T22:10:00Z')
    const plan = planAt(daily, story, '2025-03-10T22:30:00Z')
    expect(kindsOf(plan, future)).toEqual(['future-dated'])
    expect(leavers(plan)).toHaveLength(6)
  })

  test('a changed path leaves no group behind, and one that is not the set’s takes no place', () => {
    const story = new Story()
    const old = story.backup('2025-03-01T21:00:00Z', { snap: { paths: ['/old'] } })
    const own = story.backup('2025-03-10T21:00:00Z')
    const other = story.backup('2025-03-10T21:30:00Z', { snap: { paths: ['/other'] }, set: 'other' })
    story.inventory('2025-03-10T22:00:00Z')
    const plan = planAt(daily, story, '2025-03-10T22:30:00Z')
    expect(kindsOf(plan, old)).toEqual(['ended'])
    expect(kindsOf(plan, own)).toContain('owed')
    expect(kindsOf(plan, other)).toEqual(['newest'])
  })

  test('the same snapshot under another ID is the recovery point still', () => {
    const story = new Story()
    const first = story.backup('2025-03-09T21:00:00Z')
    const again = story.rename(first)
    const rewritten = story.rename(story.backup('2025-03-08T21:00:00Z'), { tree: 'a'.repeat(64) })
    story.backup('2025-03-10T21:00:00Z')
    story.inventory('2025-03-10T22:00:00Z')
    const plan = planAt(daily, story, '2025-03-10T22:30:00Z')
    expect(kindsOf(plan, again)).toEqual(['owed'])
    expect(kindsOf(plan, rewritten)).toEqual(['doubtful'])
  })

  test('of several in a bucket the newest that satisfies stays, and all of them where none is certain to', () => {
    const story = new Story()
    const whole = story.backup('2025-03-09T10:00:00Z')
    const partial = story.backup('2025-03-09T11:00:00Z', { outcome: 'partial' })
    const byHand = story.snapshot('2025-03-08T10:00:00Z')
    const failed = story.backup('2025-03-08T11:00:00Z', { outcome: 'partial' })
    story.backup('2025-03-10T21:00:00Z')
    story.inventory('2025-03-10T22:00:00Z')
    const plan = planAt(daily, story, '2025-03-10T22:30:00Z')
    expect(kindsOf(plan, whole)).toEqual(['owed'])
    expect(kindsOf(plan, partial)).toEqual(['served'])
    expect(kindsOf(plan, byHand)).toEqual(['doubtful'])
    expect(kindsOf(plan, failed)).toEqual(['doubtful'])
  })

  test('one whose test failed keeps the one before it', () => {
    const story = new Story()
    const older = story.backup('2025-03-09T10:00:00Z')
    const newer = story.backup('2025-03-09T12:00:00Z')
    story.backup('2025-03-10T21:00:00Z')
    story.inventory('2025-03-10T22:00:00Z')
    expect(kindsOf(planAt(daily, story, '2025-03-10T22:30:00Z'), older)).toEqual(['served'])
    story.test(newer, '2025-03-10T22:20:00Z', 'FAILED')
    const plan = planAt(daily, story, '2025-03-10T22:40:00Z')
    expect([kindsOf(plan, older), kindsOf(plan, newer)]).toEqual([['owed'], ['owed']])
  })

  test('a hold keeps what it covers, from its announcement on', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-10')
    const hold = {
      sets: ['filer'],
      covers: { from: '2025-03-02', to: '2025-03-03' },
      authority: 'Tvist 2025-88',
      start: '2025-03-12',
    }
    const sets = [setOf({ retention: keeping([{ per: 'day', keep: 3 }]) })]
    const contract = contractOf([versionOf(1, '2025-01-01', { sets, holds: [hold] })])
    const plan = planAt(contract, story, '2025-03-10T22:30:00Z')
    expect(leavers(plan)).toEqual(['2025-03-01', '2025-03-04', '2025-03-05', '2025-03-06'])
  })

  test('the newest stays when all buckets have ended: stopped backups do not expire', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-04')
    const plan = planAt(daily, story, '2025-06-01T00:00:00Z')
    expect(leavers(plan)).toEqual(['2025-03-01', '2025-03-02', '2025-03-03'])
    expect(plan.newestStart).toBe('2025-03-04T21:00:00.000Z')
  })

  test('a draft takes nothing away, and what only it owes stays', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-10')
    const terms = (keep: number) => ({ sets: [setOf({ retention: keeping([{ per: 'day', keep }]) })] })
    const drafted = (keep: number) =>
      contractOf([
        versionOf(1, '2025-01-01', terms(3)),
        versionOf(2, '2025-03-05', { ...terms(keep), acceptances: [] }),
      ])
    expect(leavers(planAt(drafted(1), story, '2025-03-10T22:30:00Z'))).toHaveLength(6)
    // 2 March is kept to the end of the 5th, which the draft prolongs.
    expect(leavers(planAt(drafted(8), story, '2025-03-10T22:30:00Z'))).toEqual(['2025-03-01'])
  })

  test('what was made before the contract began stays as long as its first version would owe it', () => {
    const late = contractOf([
      versionOf(1, '2025-03-09', {
        sets: [setOf({ onboardedAt: '2025-03-10', retention: keeping([{ per: 'day', keep: 3 }]) })],
      }),
    ])
    const story = new Story()
    story.days('2025-03-01', '2025-03-10')
    expect(leavers(planAt(late, story, '2025-03-10T22:30:00Z'))).toHaveLength(6)
  })

  test('nothing is said where nothing is certain', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-03')
    const codeAt = (contract: Contract, set = 'filer') => {
      try {
        planRetention({ contract, set, index: indexFacts(story.facts), at: new Date('2025-03-04T00:00:00Z') })
        return 'planned'
      } catch (error) {
        return errorCodeOf(error)
      }
    }
    expect(codeAt(daily)).toBe('planned')
    expect(codeAt(daily, 'books')).toBe('RETENTION_REFUSED')
    expect(codeAt(contractOf([versionOf(1, '2025-06-01')]))).toBe('RETENTION_REFUSED')
    expect(
      codeAt(contractFor({ selector: { repository: 'another', hosts: ['srv1'], requiredPaths: [] } })),
    ).toBe('RETENTION_REFUSED')
  })
})

test.each([
  ['days', [{ per: 'day', keep: 5 }]],
  [
    'days and weeks of a Saturday',
    [
      { per: 'day', keep: 4 },
      { per: 'week', keep: 3, anchor: 'SAT' },
    ],
  ],
  [
    'months',
    [
      { per: 'day', keep: 2 },
      { per: 'month', keep: 2 },
    ],
  ],
  ['generations', [{ per: 'day', keep: 4, basis: 'generations' }]],
])('%s: who follows the plan every day never loses what was owed', (_, tiers) => {
  const contract = contractFor({ retention: keeping(tiers) })
  const story = new Story()
  let removed = 0
  for (let day = Date.parse('2025-03-01'); day < Date.parse('2025-06-20'); day += DAY_MS) {
    const date = new Date(day).toISOString().slice(0, 10)
    // Gaps, partial runs and a second backup of the day, as they come.
    if (day % (9 * DAY_MS) !== 0) story.backup(`${date}T21:00:00Z`)
    if (day % (4 * DAY_MS) === 0) story.backup(`${date}T21:30:00Z`, { outcome: 'partial' })
    if (day % (5 * DAY_MS) === 0) story.backup(`${date}T22:00:00Z`)
    story.inventory(`${date}T22:15:00Z`)
    const plan = planAt(contract, story, `${date}T22:20:00Z`)
    const going = new Set(plan.snapshots.filter(({ goes }) => goes).map(({ id }) => id))
    const gone = story.contents().filter(({ id }) => going.has(id))
    removed += gone.length
    if (gone.length > 0) story.forget(gone, `${date}T22:30:00Z`)
    story.inventory(`${date}T22:45:00Z`)
  }
  const { obligations } = setAt(contract, story, '2025-06-19T22:50:00Z')
  expect(removed).toBeGreaterThan(50)
  expect(obligations.filter(({ state }) => state === 'lost')).toEqual([])
  expect(story.contents().length).toBeLessThan(30)
})
