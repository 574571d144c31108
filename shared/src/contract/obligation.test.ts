import { describe, expect, test } from 'vitest'
import {
  Story,
  askAt,
  contractFor,
  contractOf,
  keeping,
  obligationIn,
  setAt,
  setOf,
  versionOf,
} from './story-for-tests.ts'

const silent = new Story()

describe('fiscal years', () => {
  const contract = contractFor({
    onboardedAt: '2022-07-01',
    retention: keeping([{ per: 'fiscalYear', keep: 5, fyEnd: '06-30', closeAfter: 'P5M' }]),
    evidence: { freshFor: 'P400D', unknownAfter: 'P500D', silenceBreachAfter: 'P900D' },
  })
  const v = { effective: '2022-07-01' }
  const own = contractOf([versionOf(1, v.effective, { sets: contract.versions[0]?.sets ?? [] })])

  test('named by its first day; pending to the end of the window, due a grace later, kept for years after', () => {
    expect(obligationIn(setAt(own, silent, '2023-11-29T12:00:00Z'), '2022-07-01')).toMatchObject({
      tier: 'fiscalYearx5',
      from: '2022-06-30T22:00:00.000Z',
      to: '2023-06-30T22:00:00.000Z',
      due: '2023-12-01T05:00:00.000Z',
      keepUntil: '2028-06-30T22:00:00.000Z',
      state: 'pending',
    })
    expect(obligationIn(setAt(own, silent, '2023-12-01T02:00:00Z'), '2022-07-01').state).toBe('late')
    expect(obligationIn(setAt(own, silent, '2023-12-01T06:00:00Z'), '2022-07-01').state).toBe('unknown')
  })

  test.each([
    ['before the year ended', '2023-06-30T21:00:00Z', 'missed'],
    ['at its very end', '2023-06-30T22:00:00Z', 'met'],
    ['at the very end of the window', '2023-11-30T23:00:00Z', 'met'],
    ['after the window', '2023-11-30T23:00:01Z', 'missed'],
  ])('a snapshot taken %s', (_, time, state) => {
    const story = new Story()
    story.backup(time)
    story.inventory('2023-12-02T06:00:00Z')
    expect(obligationIn(setAt(own, story, '2023-12-02T07:00:00Z'), '2022-07-01').state).toBe(state)
  })

  test('a year that had begun before onboarding is no obligation', () => {
    expect(setAt(contract, silent, '2025-06-30T12:00:00Z').obligations).toEqual([])
  })
})

test('29 February as the end of a fiscal year is clamped', () => {
  const contract = contractOf([
    versionOf(1, '2023-03-01', {
      sets: [
        setOf({
          onboardedAt: '2023-03-01',
          retention: keeping([{ per: 'fiscalYear', keep: 1, fyEnd: '02-29', closeAfter: 'P1M' }]),
        }),
      ],
    }),
  ])
  const { obligations } = setAt(contract, silent, '2025-04-01T00:00:00Z')
  expect(obligations.map(({ bucket, to, keepUntil }) => [bucket, to, keepUntil])).toEqual([
    ['2023-03-01', '2024-02-29T23:00:00.000Z', '2025-02-28T23:00:00.000Z'],
    ['2024-03-01', '2025-02-28T23:00:00.000Z', '2026-02-28T23:00:00.000Z'],
    ['2025-03-01', '2026-02-28T23:00:00.000Z', '2027-02-28T23:00:00.000Z'],
  ])
})

describe('onboarding', () => {
  test('begins with dayStartsAt of its day; weeks and months that had begun before are not owed', () => {
    const contract = contractFor({
      onboardedAt: '2025-03-05',
      schedule: { dayStartsAt: '18:00' },
      retention: keeping([
        { per: 'day', keep: 7 },
        { per: 'week', keep: 4 },
        { per: 'month', keep: 2 },
      ]),
    })
    const { obligations } = setAt(contract, silent, '2025-04-02T12:00:00Z')
    expect(obligations.find(({ tier }) => tier === 'dayx7')).toMatchObject({
      bucket: '2025-03-05',
      from: '2025-03-05T17:00:00.000Z',
    })
    expect(obligations.find(({ tier }) => tier === 'weekx4')?.bucket).toBe('2025-W11')
    expect(obligations.find(({ tier }) => tier === 'monthx2')?.bucket).toBe('2025-04')
  })

  test('is the day of the version when left out', () => {
    const contract = contractOf([versionOf(1, '2025-03-10', { sets: [setOf({ onboardedAt: undefined })] })])
    expect(setAt(contract, silent, '2025-03-11T12:00:00Z').obligations.map(({ bucket }) => bucket)).toEqual([
      '2025-03-10',
      '2025-03-11',
    ])
  })

  test('before the first version takes effect nothing is promised', () => {
    const contract = contractOf([versionOf(1, '2025-03-10')])
    expect(askAt(contract, silent, '2025-03-09T22:59:00Z')).toMatchObject({ version: null, sets: [] })
    expect(askAt(contract, silent, '2025-03-09T23:00:00Z').version).toBe(1)
  })
})

test('closed business days and their hours are not expected', () => {
  const contract = contractFor({
    onboardedAt: '2025-04-14',
    schedule: { days: 'business', every: 'PT1H' },
    retention: keeping([
      { per: 'day', keep: 30 },
      { per: 'hour', keep: 48 },
    ]),
  })
  const { obligations } = setAt(contract, silent, '2025-04-23T00:00:00Z')
  const days = obligations.filter(({ tier }) => tier === 'dayx30').map(({ bucket }) => bucket)
  expect(days).toEqual(['2025-04-14', '2025-04-15', '2025-04-16', '2025-04-22', '2025-04-23'])
  const hours = obligations.filter(({ tier }) => tier === 'hourx48').map(({ bucket }) => bucket.slice(0, 10))
  expect([...new Set(hours)]).toEqual(['2025-04-14', '2025-04-15', '2025-04-16', '2025-04-22', '2025-04-23'])
})

test('Friday 16 May 2025, once Great Prayer Day, is expected; in 2023 its day was not', () => {
  const year = (start: string) => contractFor({ onboardedAt: start, schedule: { days: 'business' } })
  const labels = (start: string, at: string) =>
    setAt(
      contractOf([{ ...versionOf(1, '2023-01-01'), sets: year(start).versions[0]?.sets }]),
      silent,
      at,
    ).obligations.map(({ bucket }) => bucket)
  expect(labels('2025-05-15', '2025-05-17T00:00:00Z')).toContain('2025-05-16')
  expect(labels('2023-05-04', '2023-05-06T00:00:00Z')).toEqual(['2023-05-04'])
})

test('countBasis expected keeps until the end of the keep-th expected day', () => {
  const contract = contractFor({
    onboardedAt: '2025-04-16',
    schedule: { days: 'business' },
    retention: keeping([{ per: 'day', keep: 2, countBasis: 'expected' }]),
  })
  expect(obligationIn(setAt(contract, silent, '2025-04-17T00:00:00Z'), '2025-04-16').keepUntil).toBe(
    '2025-04-23T22:00:00.000Z',
  )
})

describe('an anchor', () => {
  const contract = contractFor({
    onboardedAt: '2025-03-03',
    schedule: { rpo: 'P30D' },
    retention: keeping([{ per: 'week', keep: 8, anchor: 'SAT' }]),
  })

  test.each([
    ['on the Saturday', '2025-03-08T21:00:00Z', 'met'],
    ['on Sunday local time', '2025-03-08T23:30:00Z', 'missed'],
    ['on the Friday', '2025-03-07T21:00:00Z', 'missed'],
  ])('takes a snapshot made %s accordingly', (_, time, state) => {
    const story = new Story()
    story.backup(time)
    story.inventory('2025-03-10T06:00:00Z')
    expect(obligationIn(setAt(contract, story, '2025-03-10T07:00:00Z'), '2025-W10').state).toBe(state)
  })

  test('is a day of dayStartsAt', () => {
    const evening = contractFor({
      onboardedAt: '2025-03-03',
      schedule: { rpo: 'P30D', dayStartsAt: '18:00' },
      retention: keeping([{ per: 'week', keep: 8, anchor: 'SAT' }]),
    })
    const story = new Story()
    story.backup('2025-03-09T01:00:00Z') // Sunday 02:00: still Saturday's day from 18:00
    story.inventory('2025-03-11T06:00:00Z')
    expect(obligationIn(setAt(evening, story, '2025-03-11T07:00:00Z'), '2025-W10').state).toBe('met')
  })
})

describe('amendments', () => {
  const days = (keep: number, more = {}) => [setOf({ retention: keeping([{ per: 'day', keep }]), ...more })]
  const amended = (from: number, to: number, policy = 'extend-live', more = {}) =>
    contractOf([
      versionOf(1, '2025-03-01', { sets: days(from) }),
      versionOf(2, '2025-04-01', { amendmentPolicy: policy, sets: days(to), ...more }),
    ])

  test('extend-live lengthens what is live, strictly after the amendment', () => {
    const set = setAt(amended(30, 60), silent, '2025-04-10T00:00:00Z')
    // 1 March is kept through 31 March: it ends at the amendment's own midnight.
    expect(obligationIn(set, '2025-03-01')).toMatchObject({
      tier: 'dayx30',
      keepUntil: '2025-03-31T22:00:00.000Z',
    })
    expect(obligationIn(set, '2025-03-02')).toMatchObject({
      tier: 'dayx60',
      keepUntil: '2025-05-01T22:00:00.000Z',
      due: '2025-03-03T05:00:00.000Z',
    })
  })

  test('nothing of it counts before', () => {
    const set = setAt(amended(30, 60), silent, '2025-03-31T21:59:59Z')
    expect(obligationIn(set, '2025-03-02')).toMatchObject({
      tier: 'dayx30',
      keepUntil: '2025-04-01T22:00:00.000Z',
    })
  })

  test('a shorter promise ends what it would have ended, at the amendment and not before', () => {
    const set = setAt(amended(30, 10), silent, '2025-04-10T00:00:00Z')
    expect(obligationIn(set, '2025-03-05').keepUntil).toBe('2025-03-31T22:00:00.000Z')
    expect(obligationIn(set, '2025-03-25').keepUntil).toBe('2025-04-04T22:00:00.000Z')
  })

  test('prospective leaves old ones on old terms', () => {
    const set = setAt(amended(30, 60, 'prospective'), silent, '2025-04-10T00:00:00Z')
    expect(obligationIn(set, '2025-03-31')).toMatchObject({
      tier: 'dayx30',
      keepUntil: '2025-04-30T22:00:00.000Z',
    })
    expect(obligationIn(set, '2025-04-01').tier).toBe('dayx60')
  })

  test('an old tier without a pair keeps its terms, and so does a set that is gone', () => {
    const other = contractOf([
      versionOf(1, '2025-03-01', { sets: days(30) }),
      versionOf(2, '2025-04-01', { sets: [setOf({ retention: keeping([{ per: 'week', keep: 4 }]) })] }),
    ])
    expect(obligationIn(setAt(other, silent, '2025-04-10T00:00:00Z'), '2025-03-20')).toMatchObject({
      tier: 'dayx30',
      keepUntil: '2025-04-19T22:00:00.000Z',
    })
    const gone = contractOf([
      versionOf(1, '2025-03-01', { sets: days(30) }),
      versionOf(2, '2025-04-01', { sets: [setOf({ id: 'new' })] }),
    ])
    const set = setAt(gone, silent, '2025-04-10T00:00:00Z', 'filer')
    expect(set.obligations).toHaveLength(31)
    expect(obligationIn(set, '2025-03-31').keepUntil).toBe('2025-04-30T22:00:00.000Z')
  })

  test('a draft is not in force; a statement of each party makes it so', () => {
    const acceptances = [{ party: 'provider', person: 'S. Lind', at: '2025-03-20T10:00:00Z' }]
    const contract = amended(30, 60, 'extend-live', { acceptances })
    expect(askAt(contract, silent, '2025-04-10T00:00:00Z').version).toBe(1)
    const story = new Story()
    story.event('2025-03-25T10:00:00Z', 'version-accepted', 'customer', {}, { version: 2 })
    expect(askAt(contract, story, '2025-04-10T00:00:00Z').version).toBe(2)
  })

  test('worked case 23: lost before a shorter promise stays lost, deleted after it is none', () => {
    const contract = contractOf([
      versionOf(1, '2025-05-01', { sets: days(60, { onboardedAt: '2025-05-09' }) }),
      versionOf(2, '2025-07-01', { sets: days(30, { onboardedAt: '2025-05-09' }) }),
    ])
    const told = (deleteOn: string) => {
      const story = new Story()
      story.days('2025-05-09', deleteOn)
      story.drop(...story.contents().slice(1, 2))
      story.days(new Date(Date.parse(deleteOn) + 86_400_000).toISOString().slice(0, 10), '2025-07-02')
      return story
    }
    const early = told('2025-06-28')
    expect(setAt(contract, early, '2025-06-29T12:00:00Z').dimensions.retention).toBe('breached')
    expect(obligationIn(setAt(contract, early, '2025-07-02T12:00:00Z'), '2025-05-10').state).toBe('lost')
    const late = setAt(contract, told('2025-07-01'), '2025-07-02T12:00:00Z')
    expect(late.headline).toBe('compliant')
    expect(obligationIn(late, '2025-05-10')).toMatchObject({
      state: 'discharged',
      keepUntil: '2025-06-30T22:00:00.000Z',
    })
  })
})

describe('generations', () => {
  const contract = contractFor({
    schedule: { rpo: 'P30D' },
    retention: keeping([{ per: 'day', keep: 3, basis: 'generations' }]),
  })

  test('are kept until a complete inventory lists that many later ones', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-10', { without: ['2025-03-03', '2025-03-04'] })
    const before = setAt(contract, story, '2025-03-06T12:00:00Z')
    expect(obligationIn(before, '2025-03-01')).toMatchObject({ state: 'met', keepUntil: null })
    // 2, 5 and 6 March are the three later ones; the last is listed at 22:00Z of the 6th.
    const after = setAt(contract, story, '2025-03-07T12:00:00Z')
    expect(obligationIn(after, '2025-03-01')).toMatchObject({
      state: 'discharged',
      keepUntil: '2025-03-06T22:00:00.000Z',
    })
    expect(obligationIn(after, '2025-03-02')).toMatchObject({ state: 'met', keepUntil: null })
    expect(obligationIn(after, '2025-03-03')).toMatchObject({ state: 'missed', keepUntil: null })
  })

  test('a snapshot that satisfies nothing is no generation', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-02')
    story.backup('2025-03-03T21:00:00Z', { outcome: 'partial' })
    story.days('2025-03-04', '2025-03-04')
    expect(obligationIn(setAt(contract, story, '2025-03-04T23:00:00Z'), '2025-03-01').keepUntil).toBeNull()
  })

  test('lost while live, whenever that is', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-02')
    story.drop(...story.contents().slice(0, 1))
    story.inventory('2025-03-20T06:00:00Z')
    expect(obligationIn(setAt(contract, story, '2025-03-20T07:00:00Z'), '2025-03-01').state).toBe('lost')
  })
})

test('a promise in another zone', () => {
  const contract = contractFor({}, { timezone: 'America/New_York', holidays: 'none' })
  const story = new Story()
  story.backup('2025-03-02T04:30:00Z') // 23:30 on 1 March in New York
  story.inventory('2025-03-02T12:00:00Z')
  const set = setAt(contract, story, '2025-03-02T13:00:00Z')
  expect(obligationIn(set, '2025-03-01')).toMatchObject({
    state: 'met',
    from: '2025-03-01T05:00:00.000Z',
    due: '2025-03-02T11:00:00.000Z',
    keepUntil: '2025-04-01T04:00:00.000Z',
  })
})
