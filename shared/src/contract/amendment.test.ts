import { describe, expect, test } from 'vitest'
import { Story, contractOf, keeping, obligationIn, setAt, setOf, versionOf } from './story-for-tests.ts'

const silent = new Story()

type Tiers = Parameters<typeof keeping>[0]

function amended(before: Tiers, after: Tiers, more: Record<string, unknown> = {}) {
  return contractOf([
    versionOf(1, '2025-03-01', { sets: [setOf({ retention: keeping(before) })] }),
    versionOf(2, '2025-04-01', { sets: [setOf({ retention: keeping(after), ...more })] }),
  ])
}

describe('tiers pair by their unit', () => {
  test('several of one unit in their order', () => {
    const contract = amended(
      [
        { per: 'day', keep: 30 },
        { per: 'day', keep: 60 },
      ],
      [
        { per: 'day', keep: 40 },
        { per: 'day', keep: 90 },
      ],
    )
    const of25th = setAt(contract, silent, '2025-04-10T00:00:00Z')
      .obligations.filter(({ bucket }) => bucket === '2025-03-25')
      .map(({ tier, keepUntil }) => `${tier} ${keepUntil?.slice(0, 10)}`)
    expect(of25th).toEqual(['dayx40 2025-05-04', 'dayx90 2025-06-23'])
  })

  test('by their day of the week before their order', () => {
    const contract = amended(
      [
        { per: 'week', keep: 4 },
        { per: 'week', keep: 8, anchor: 'SAT' },
      ],
      [
        { per: 'week', keep: 12, anchor: 'SAT' },
        { per: 'week', keep: 5 },
      ],
    )
    const ofW13 = setAt(contract, silent, '2025-04-10T00:00:00Z')
      .obligations.filter(({ bucket }) => bucket === '2025-W13')
      .map(({ tier }) => tier)
    expect(ofW13).toEqual(['weekx5', 'weekx12'])
  })

  test('one that is left over with the first', () => {
    const contract = amended(
      [
        { per: 'day', keep: 30 },
        { per: 'day', keep: 60 },
      ],
      [{ per: 'day', keep: 40 }],
    )
    const of25th = setAt(contract, silent, '2025-04-10T00:00:00Z').obligations.filter(
      ({ bucket }) => bucket === '2025-03-25',
    )
    expect(of25th.map(({ tier }) => tier)).toEqual(['dayx40', 'dayx40'])
  })
})

test('into generations: live until enough later ones are listed', () => {
  const contract = amended([{ per: 'day', keep: 30 }], [{ per: 'day', keep: 3, basis: 'generations' }])
  const story = new Story()
  story.days('2025-03-30', '2025-04-01')
  expect(obligationIn(setAt(contract, story, '2025-04-01T23:00:00Z'), '2025-03-30')).toMatchObject({
    tier: 'dayx3',
    keepUntil: null,
  })
  story.days('2025-04-02', '2025-04-02')
  expect(obligationIn(setAt(contract, story, '2025-04-02T23:00:00Z'), '2025-03-30')).toMatchObject({
    keepUntil: '2025-04-02T22:00:00.000Z',
    state: 'discharged',
  })
})

test('out of generations: what is live is kept as long as the calendar says', () => {
  const contract = amended([{ per: 'day', keep: 3, basis: 'generations' }], [{ per: 'day', keep: 10 }])
  const set = setAt(contract, silent, '2025-04-02T00:00:00Z')
  // Nothing was ever listed, so all of March is live on 1 April; what ten days would have ended, ends there.
  expect(obligationIn(set, '2025-03-10').keepUntil).toBe('2025-03-31T22:00:00.000Z')
  expect(obligationIn(set, '2025-03-25').keepUntil).toBe('2025-04-04T22:00:00.000Z')
})

test('where the day starts later from then on, a bucket is that of the same date', () => {
  const contract = amended([{ per: 'day', keep: 30 }], [{ per: 'day', keep: 30 }], {
    schedule: { every: 'P1D', dayStartsAt: '18:00' },
  })
  const set = setAt(contract, silent, '2025-04-02T00:00:00Z')
  expect(obligationIn(set, '2025-03-31')).toMatchObject({
    from: '2025-03-30T22:00:00.000Z',
    to: '2025-03-31T22:00:00.000Z',
    due: '2025-04-01T04:00:00.000Z',
    keepUntil: '2025-05-01T16:00:00.000Z',
  })
  expect(obligationIn(set, '2025-04-01').from).toBe('2025-04-01T16:00:00.000Z')
})

test('what an amendment left on old terms, a later one reaches while it is live', () => {
  const days = (keep: number) => [setOf({ retention: keeping([{ per: 'day', keep }]) })]
  const contract = contractOf([
    versionOf(1, '2025-03-01', { sets: days(40) }),
    versionOf(2, '2025-04-01', { amendmentPolicy: 'prospective', sets: days(60) }),
    versionOf(3, '2025-04-15', { sets: days(90) }),
  ])
  expect(obligationIn(setAt(contract, silent, '2025-04-14T00:00:00Z'), '2025-03-20').tier).toBe('dayx40')
  const after = setAt(contract, silent, '2025-04-16T00:00:00Z')
  expect(obligationIn(after, '2025-03-20')).toMatchObject({
    tier: 'dayx90',
    keepUntil: '2025-06-18T22:00:00.000Z',
  })
  // Over at 10 April: no longer live on the 15th.
  expect(obligationIn(after, '2025-03-01').tier).toBe('dayx40')
})

test('where the fiscal year ends otherwise from then on, an old one is kept as the new one that holds its last day', () => {
  const keeping5 = (fyEnd: string) => ({
    retention: keeping([{ per: 'fiscalYear', keep: 5, fyEnd, closeAfter: 'P3M' }]),
  })
  const moved = contractOf([
    versionOf(1, '2024-01-01', { sets: [setOf({ ...keeping5('12-31'), onboardedAt: '2024-01-01' })] }),
    versionOf(2, '2025-07-01', { sets: [setOf({ ...keeping5('06-30'), onboardedAt: '2024-01-01' })] }),
  ])
  const story = new Story()
  story.days('2025-01-10', '2025-01-12')
  const yearAt = (at: string, bucket: string) => obligationIn(setAt(moved, story, at), bucket)
  // Before the amendment: the end of 31 December 2029.
  expect(yearAt('2025-06-30T21:59:00Z', '2024-01-01').keepUntil).toBe('2029-12-31T23:00:00.000Z')
  // 31 December 2024 lies in the year to 30 June 2025, which is kept through 30 June 2030. Its due stays.
  expect(yearAt('2025-06-30T22:00:00Z', '2024-01-01')).toMatchObject({
    keepUntil: '2030-06-30T22:00:00.000Z',
    due: '2025-04-01T04:00:00.000Z',
  })
  // The year that had begun is kept through that of its own last day, 31 December 2025: to 30 June 2031.
  expect(yearAt('2025-07-02T00:00:00Z', '2025-01-01').keepUntil).toBe('2031-06-30T22:00:00.000Z')
  // And the first of the new ones begins with the amendment.
  expect(yearAt('2025-07-02T00:00:00Z', '2025-07-01').keepUntil).toBe('2031-06-30T22:00:00.000Z')
})

test('a set that is no longer named, and owes nothing any more, is not asked for copies of it', () => {
  const copies = [{ role: 'offsite', repository: 'vault', region: 'DK', immutableFor: 'P9D' }]
  const contract = contractOf([
    versionOf(1, '2025-03-01', { sets: [setOf({ copies, retention: keeping([{ per: 'day', keep: 2 }]) })] }),
    versionOf(2, '2025-03-10', { sets: [setOf({ id: 'other' })] }),
  ])
  const story = new Story()
  story.days('2025-03-01', '2025-03-14')
  const copiesAt = (at: string) => setAt(contract, story, at, 'filer').dimensions.copies
  expect(copiesAt('2025-03-11T12:00:00Z')).toBe('unknown')
  expect(copiesAt('2025-03-14T12:00:00Z')).toBe('not-applicable')
})
