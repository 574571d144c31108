import { describe, expect, test } from 'vitest'
import { indexFacts } from '../facts.ts'
import { Story, contractOf, keeping, setOf, sourceOf, versionOf } from '../story-for-tests.ts'
import { parseForgetPolicy } from './forget-policy.ts'
import { estimateStorage, observeGrowth } from './growth.ts'
import { playForget } from './wrong-deletion.ts'

const AT = new Date('2026-12-31T12:00:00Z')

function contractWith(min: Record<string, unknown>[], more: Record<string, unknown> = {}) {
  return contractOf([versionOf(1, '2025-03-01', { sets: [setOf({ retention: keeping(min), ...more })] })])
}

function first(contract: ReturnType<typeof contractWith>, story: Story, policy: string) {
  const [outcome] = playForget(contract, indexFacts(story.facts), parseForgetPolicy(policy), AT)
  return outcome
}

describe('the first deletion that a policy gets wrong', () => {
  const daily = new Story()
  daily.days('2025-03-01', '2025-06-30')

  test('as many days as are promised is one too few: today is one of them', () => {
    const contract = contractWith([{ per: 'day', keep: 30 }])
    expect(first(contract, daily, '--keep-daily 30')).toMatchObject({
      set: 'filer',
      snapshots: 122,
      first: { tier: 'dayx30', bucket: '2025-03-01', at: '2025-03-31T21:00:00.001Z' },
    })
    expect(first(contract, daily, '--keep-daily 31')).toMatchObject({ removed: 91, first: null })
  })

  test('a tier that the policy forgot', () => {
    const contract = contractWith([
      { per: 'day', keep: 7 },
      { per: 'month', keep: 2 },
    ])
    expect(first(contract, daily, '--keep-daily 40')).toMatchObject({
      first: { tier: 'monthx2', bucket: '2025-03', keepUntil: '2025-05-31T22:00:00.000Z' },
    })
    expect(first(contract, daily, '--keep-daily 8 --keep-monthly 3')).toMatchObject({ first: null })
  })

  test('a date far ahead takes a place among the days', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-10')
    story.backup('2026-06-01T21:00:00Z')
    story.days('2025-03-11', '2025-04-30')
    const contract = contractWith([{ per: 'day', keep: 10 }])
    expect(first(contract, story, '--keep-daily 11')?.first).toBeNull()
    expect(first(contract, story, '--keep-within 10d')?.first).toMatchObject({ tier: 'dayx10' })
  })

  test('generations are counted by what the policy leaves', () => {
    const contract = contractWith([{ per: 'day', keep: 5, basis: 'generations' }])
    expect(first(contract, daily, '--keep-daily 4')).toMatchObject({
      first: { bucket: '2025-03-01', at: '2025-03-05T21:00:00.001Z', keepUntil: null },
    })
    expect(first(contract, daily, '--keep-daily 5')?.first).toBeNull()
  })

  test('a hold covers what no tier owes any more', () => {
    const sets = [setOf({ retention: keeping([{ per: 'day', keep: 3 }]) })]
    const holds = [
      {
        sets: ['filer'],
        covers: { from: '2025-03-10', to: '2025-03-11' },
        authority: 'Tvist 2025-88',
        start: '2025-03-12',
      },
    ]
    const contract = contractOf([versionOf(1, '2025-03-01', { sets, holds })])
    expect(first(contract, daily, '--keep-daily 4')).toMatchObject({
      first: { authority: 'Tvist 2025-88', start: '2025-03-10T21:00:00.000Z' },
    })
  })

  test('what is outside the set is neither counted nor blamed, but takes places where groups are not apart', () => {
    const story = new Story()
    for (let day = 1; day <= 20; day++) {
      const date = `2025-03-${String(day).padStart(2, '0')}`
      story.backup(`${date}T21:00:00Z`)
      story.backup(`${date}T22:00:00Z`, { snap: { host: 'other' } })
    }
    story.inventory('2025-03-21T06:00:00Z')
    const contract = contractWith([{ per: 'day', keep: 5 }])
    expect(first(contract, story, '--keep-last 6')).toMatchObject({ snapshots: 20, first: null })
    expect(first(contract, story, '--keep-last 6 --group-by ""')).toMatchObject({
      snapshots: 20,
      first: { bucket: '2025-03-01' },
    })
  })
})

describe('tags', () => {
  test('make groups of their own, where the policy asks for it', () => {
    const story = new Story()
    for (let day = 1; day <= 20; day++) {
      const date = `2025-03-${String(day).padStart(2, '0')}`
      story.backup(`${date}T21:00:00Z`, { snap: { tags: ['nightly'] } })
      story.backup(`${date}T22:00:00Z`, { snap: { tags: ['by hand'], host: 'other' } })
    }
    story.inventory('2025-03-21T06:00:00Z')
    const contract = contractWith([{ per: 'day', keep: 5 }])
    expect(first(contract, story, '--keep-last 6 --group-by tags')).toMatchObject({
      removed: 14,
      first: null,
    })
    expect(first(contract, story, '--keep-last 6 --group-by ""')?.first).toMatchObject({
      bucket: '2025-03-01',
    })
  })
})

describe('arguments', () => {
  test.each([
    ['', 'keeps nothing'],
    ['--keep-daily 0', 'keeps nothing'],
    ['--keep-daily many', 'needs a number'],
    ['--keep-within 3 weeks', 'needs a duration'],
    ['--keep-tag legal', '--keep-tag is not known'],
    ['--group-by user --keep-last 1', 'not user'],
    ['x'.repeat(2000), 'too long'],
  ])('%s', (text, why) => {
    expect(() => parseForgetPolicy(text)).toThrow(why)
  })

  test('short ones, and with an equals sign', () => {
    expect(parseForgetPolicy('restic forget -d 7 -w=4 -g host --prune')).toEqual({
      count: new Map([
        ['daily', 7],
        ['weekly', 4],
      ]),
      within: new Map(),
      groupBy: ['host'],
    })
  })
})

describe('what longer retention would cost', () => {
  test('as much as backups added in as long a time, the first one left out', () => {
    const story = new Story()
    for (let day = 1; day <= 21; day++) {
      const date = `2025-03-${String(day).padStart(2, '0')}`
      const addedBytes = day === 1 ? 5e9 : day % 10 === 0 ? 3e8 : 1e8
      if (day !== 12) story.backup(`${date}T21:00:00Z`, { source: { ...sourceOf(4200), addedBytes } })
      story.inventory(`${date}T22:00:00Z`, { sizeBytes: 6e9 })
    }
    const contract = contractWith([{ per: 'day', keep: 30 }])
    const growth = observeGrowth(contract, indexFacts(story.facts), AT).get('filer')
    expect(growth).toEqual({ days: 20, perDay: { p50: 1e8, p90: 1e8 }, storedBytes: 6e9 })
    const set = contract.versions[0]?.sets[0]
    if (set === undefined || growth === undefined) throw new Error('no set')
    expect(estimateStorage(set, [{ ...set.retention.min[0]!, keep: 60 }], growth).changes).toEqual([
      { tier: 'dayx30', units: 30, days: 30, bytes: { p50: 3e9, p90: 3e9 } },
    ])
    expect(estimateStorage(set, set.retention.min, growth).changes).toEqual([])
  })

  test('from too few days nothing is foretold', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-04')
    const contract = contractWith([{ per: 'day', keep: 30 }])
    expect(observeGrowth(contract, indexFacts(story.facts), AT).get('filer')).toEqual({
      days: 3,
      perDay: null,
      storedBytes: null,
    })
  })
})
