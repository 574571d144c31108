/** Amendments that take effect within a bucket. */
import { expect, test } from 'vitest'
import { Story, contractOf, keeping, obligationIn, setAt, setOf, versionOf } from './story-for-tests.ts'

const silent = new Story()

/** Amended on Wednesday 2 April 2025, in the middle of week 14 and a day into the month. */
function amended(before: Record<string, unknown>[], after: Record<string, unknown>[], more = {}, set = {}) {
  const sets = (min: Record<string, unknown>[], terms = {}) => [
    setOf({ retention: keeping(min), schedule: { rpo: 'P90D' }, ...terms }),
  ]
  return contractOf([
    versionOf(1, '2025-03-01', { sets: sets(before) }),
    versionOf(2, '2025-04-02', { ...more, sets: sets(after, set) }),
  ])
}

const weeks = (keep: number) => [{ per: 'week', keep }]

test('longer: the week that runs takes the new terms, and keeps its due', () => {
  const contract = amended(weeks(4), weeks(8), {}, { schedule: { rpo: 'P90D', lateGrace: 'PT12H' } })
  expect(obligationIn(setAt(contract, silent, '2025-04-01T21:59:59Z'), '2025-W14')).toMatchObject({
    tier: 'weekx4',
    keepUntil: '2025-05-04T22:00:00.000Z',
  })
  expect(obligationIn(setAt(contract, silent, '2025-04-01T22:00:00Z'), '2025-W14')).toMatchObject({
    tier: 'weekx8',
    due: '2025-04-07T04:00:00.000Z',
    keepUntil: '2025-06-01T22:00:00.000Z',
  })
  expect(obligationIn(setAt(contract, silent, '2025-04-08T00:00:00Z'), '2025-W15').due).toBe(
    '2025-04-14T10:00:00.000Z',
  )
})

test('shorter: what would have ended ends with the amendment, by the new name', () => {
  const contract = amended(weeks(8), weeks(2))
  const story = new Story()
  story.backup('2025-03-05T21:00:00Z')
  story.backup('2025-03-12T21:00:00Z')
  story.backup('2025-03-26T21:00:00Z')
  story.inventory('2025-03-31T06:00:00Z')
  story.drop(story.contents()[0]!)
  story.inventory('2025-04-01T06:00:00Z')
  const before = setAt(contract, story, '2025-04-01T21:59:59Z')
  expect(obligationIn(before, '2025-W10')).toMatchObject({ tier: 'weekx8', state: 'lost' })
  expect(before.dimensions.retention).toBe('breached')
  const after = setAt(contract, story, '2025-04-01T22:00:00Z')
  const E = '2025-04-01T22:00:00.000Z'
  expect(obligationIn(after, '2025-W10')).toMatchObject({ tier: 'weekx2', state: 'lost', keepUntil: E })
  expect(obligationIn(after, '2025-W11')).toMatchObject({ tier: 'weekx2', state: 'discharged', keepUntil: E })
  expect(obligationIn(after, '2025-W12')).toMatchObject({
    state: 'missed',
    keepUntil: '2025-04-06T22:00:00.000Z',
  })
  expect(obligationIn(after, '2025-W13')).toMatchObject({
    state: 'met',
    keepUntil: '2025-04-13T22:00:00.000Z',
  })
  expect(after.dimensions).toMatchObject({ retention: 'compliant', points: 'breached' })
  expect(after.counts).toMatchObject({ met: 1, missed: 1, lost: 0, discharged: 1, pending: 1 })
  expect(after.rate).toBe(0.5)
})

test('prospective: the week that runs stays as it was promised', () => {
  const contract = amended(weeks(4), weeks(8), { amendmentPolicy: 'prospective' })
  const set = setAt(contract, silent, '2025-04-08T00:00:00Z')
  expect(obligationIn(set, '2025-W14')).toMatchObject({
    tier: 'weekx4',
    keepUntil: '2025-05-04T22:00:00.000Z',
  })
  expect(obligationIn(set, '2025-W15')).toMatchObject({
    tier: 'weekx8',
    keepUntil: '2025-06-08T22:00:00.000Z',
  })
})

test('a tier that comes is owed from its first bucket that begins, one that goes is owed for those that had', () => {
  const contract = amended(
    [
      { per: 'day', keep: 30 },
      { per: 'week', keep: 4 },
    ],
    [
      { per: 'day', keep: 30 },
      { per: 'month', keep: 6 },
    ],
  )
  const { obligations } = setAt(contract, silent, '2025-05-01T12:00:00Z')
  expect(obligations.filter(({ tier }) => tier === 'monthx6').map(({ bucket }) => bucket)).toEqual([
    '2025-05',
  ])
  expect(
    obligations
      .filter(({ tier }) => tier === 'weekx4')
      .map(({ bucket }) => bucket)
      .at(-1),
  ).toBe('2025-W14')
})

test('longer, then shorter than it ever was: never an end before the amendment that brings it', () => {
  const days = (keep: number) => [setOf({ retention: keeping([{ per: 'day', keep }]) })]
  const contract = contractOf([
    versionOf(1, '2025-03-01', { sets: days(30) }),
    versionOf(2, '2025-03-20', { sets: days(60) }),
    versionOf(3, '2025-04-20', { sets: days(10) }),
  ])
  const ends = (at: string) => {
    const { tier, keepUntil } = obligationIn(setAt(contract, silent, at), '2025-03-05')
    return [tier, keepUntil]
  }
  expect(ends('2025-03-19T22:59:59Z')).toEqual(['dayx30', '2025-04-04T22:00:00.000Z'])
  expect(ends('2025-03-19T23:00:00Z')).toEqual(['dayx60', '2025-05-04T22:00:00.000Z'])
  expect(ends('2025-04-19T22:00:00Z')).toEqual(['dayx10', '2025-04-19T22:00:00.000Z'])
})

test('where the day starts in the evening, the day that runs at midnight is the old version’s', () => {
  const evening = { schedule: { dayStartsAt: '18:00', rpo: 'P90D' } }
  const contract = contractOf([
    versionOf(1, '2025-03-01', {
      sets: [setOf({ ...evening, retention: keeping([{ per: 'day', keep: 30 }]) })],
    }),
    versionOf(2, '2025-04-02', {
      amendmentPolicy: 'prospective',
      sets: [setOf({ ...evening, retention: keeping([{ per: 'day', keep: 60 }]) })],
    }),
  ])
  const set = setAt(contract, silent, '2025-04-02T17:00:00Z')
  expect(obligationIn(set, '2025-04-01').tier).toBe('dayx30')
  expect(obligationIn(set, '2025-04-02')).toMatchObject({ tier: 'dayx60', from: '2025-04-02T16:00:00.000Z' })
})

test('fewer generations: what has them already ends with the amendment; more: what has ended stays ended', () => {
  const keep = (no: number) => [
    setOf({ retention: keeping([{ per: 'day', keep: no, basis: 'generations' }]) }),
  ]
  const fromTo = (before: number, after: number) =>
    contractOf([
      versionOf(1, '2025-03-01', { sets: keep(before) }),
      versionOf(2, '2025-03-06', { sets: keep(after) }),
    ])
  const story = new Story()
  story.days('2025-03-01', '2025-03-05')
  const stands = (contract: ReturnType<typeof fromTo>, at: string, day: string) => {
    const { tier, state, keepUntil } = obligationIn(setAt(contract, story, at), day)
    return [tier, state, keepUntil]
  }
  const E = '2025-03-05T23:00:00.000Z'
  expect(stands(fromTo(5, 2), '2025-03-05T22:59:59Z', '2025-03-01')).toEqual(['dayx5', 'met', null])
  expect(stands(fromTo(5, 2), E, '2025-03-01')).toEqual(['dayx2', 'discharged', E])
  expect(stands(fromTo(5, 2), E, '2025-03-03')).toEqual(['dayx2', 'discharged', E])
  expect(stands(fromTo(5, 2), E, '2025-03-04')).toEqual(['dayx2', 'met', null])
  expect(stands(fromTo(2, 4), E, '2025-03-03')).toEqual(['dayx2', 'discharged', '2025-03-05T22:00:00.000Z'])
  expect(stands(fromTo(2, 4), E, '2025-03-04')).toEqual(['dayx4', 'met', null])
})
