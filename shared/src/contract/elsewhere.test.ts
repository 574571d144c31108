/** Contracts in zones that do what Denmark's does not. */
import { expect, test } from 'vitest'
import type { SetAnswer } from './answer.ts'
import {
  Story,
  contractFor,
  contractOf,
  keeping,
  obligationIn,
  setAt,
  setOf,
  versionOf,
} from './story-for-tests.ts'

const silent = new Story()

function daily(timezone: string, keep: number, from: string, more: Record<string, unknown> = {}) {
  const terms = { onboardedAt: from, retention: keeping([{ per: 'day', keep }]), ...more }
  return contractOf([versionOf(1, from, { sets: [setOf(terms)] })], { timezone, holidays: 'none' })
}

function stretchOf(set: SetAnswer, bucket: string): [string, string] {
  const { from, to } = obligationIn(set, bucket)
  return [from, to]
}

test('New York: 9 March 2025 has 23 hours, and 2 November 25', () => {
  const spring = setAt(daily('America/New_York', 30, '2025-03-08'), silent, '2025-03-12T00:00:00Z')
  expect(stretchOf(spring, '2025-03-09')).toEqual(['2025-03-09T05:00:00.000Z', '2025-03-10T04:00:00.000Z'])
  const autumn = setAt(daily('America/New_York', 30, '2025-11-01'), silent, '2025-11-04T00:00:00Z')
  expect(stretchOf(autumn, '2025-11-02')).toEqual(['2025-11-02T04:00:00.000Z', '2025-11-03T05:00:00.000Z'])
  expect(obligationIn(autumn, '2025-11-01').due).toBe('2025-11-02T10:00:00.000Z')
})

test('Kathmandu: hours and days begin a quarter before UTC’s', () => {
  const contract = contractFor(
    { schedule: { every: 'PT1H', lateGrace: 'PT1H' }, retention: keeping([{ per: 'hour', keep: 2 }]) },
    { timezone: 'Asia/Kathmandu', holidays: 'none' },
  )
  const set = setAt(contract, silent, '2025-03-05T06:00:00Z')
  expect(obligationIn(set, '2025-03-05T10+05:45')).toMatchObject({
    from: '2025-03-05T04:15:00.000Z',
    to: '2025-03-05T05:15:00.000Z',
    keepUntil: '2025-03-05T07:15:00.000Z',
  })
  expect(set.obligations[0]?.from).toBe('2025-02-28T18:15:00.000Z')
})

test('Apia: 30 December 2011 is no day, neither owed nor counted', () => {
  const contract = daily('Pacific/Apia', 3, '2011-12-28')
  const set = setAt(contract, silent, '2012-01-03T00:00:00Z')
  expect(set.obligations.map(({ bucket }) => bucket).slice(0, 4)).toEqual([
    '2011-12-28',
    '2011-12-29',
    '2011-12-31',
    '2012-01-01',
  ])
  // Three days after the 28th: the 29th, the 31st and 1 January, which ends at 10:00Z.
  expect(obligationIn(set, '2011-12-28').keepUntil).toBe('2012-01-01T10:00:00.000Z')
  const evening = daily('Pacific/Apia', 3, '2011-12-28', { schedule: { dayStartsAt: '18:00' } })
  const shifted = setAt(evening, silent, '2012-01-03T00:00:00Z')
  expect(shifted.obligations.map(({ bucket }) => bucket)).not.toContain('2011-12-30')
  expect(stretchOf(shifted, '2011-12-29')).toEqual(['2011-12-30T04:00:00.000Z', '2011-12-31T04:00:00.000Z'])
})

test('Cairo: a day whose midnight is skipped begins an hour late, and so does an amendment', () => {
  const sets = (keep: number) => [
    setOf({ onboardedAt: '2025-04-20', retention: keeping([{ per: 'day', keep }]) }),
  ]
  const contract = contractOf(
    [versionOf(1, '2025-04-20', { sets: sets(5) }), versionOf(2, '2025-04-25', { sets: sets(9) })],
    { timezone: 'Africa/Cairo', holidays: 'none' },
  )
  const set = setAt(contract, silent, '2025-04-26T12:00:00Z')
  expect(obligationIn(set, '2025-04-25')).toMatchObject({
    tier: 'dayx9',
    from: '2025-04-24T22:00:00.000Z',
    to: '2025-04-25T21:00:00.000Z',
  })
  expect(obligationIn(set, '2025-04-24')).toMatchObject({ tier: 'dayx9', to: '2025-04-24T22:00:00.000Z' })
  // The amendment's own midnight is skipped too: it begins at 22:00Z.
  expect(obligationIn(setAt(contract, silent, '2025-04-24T21:59:59Z'), '2025-04-24').tier).toBe('dayx5')
  const autumn = setAt(daily('Africa/Cairo', 30, '2025-10-29'), silent, '2025-11-02T00:00:00Z')
  expect(stretchOf(autumn, '2025-10-30')).toEqual(['2025-10-29T21:00:00.000Z', '2025-10-30T22:00:00.000Z'])
})

test('Lord Howe: the half hour of its change is owed by itself', () => {
  const contract = contractFor(
    {
      onboardedAt: '2025-10-05',
      schedule: { every: 'PT1H', lateGrace: 'PT1H' },
      retention: keeping([{ per: 'hour', keep: 3 }]),
    },
    { timezone: 'Australia/Lord_Howe', holidays: 'none' },
  )
  const story = new Story()
  story.backup('2025-10-04T15:40:00Z') // 02:40+11:00
  story.inventory('2025-10-04T15:55:00Z')
  expect(obligationIn(setAt(contract, story, '2025-10-04T16:00:00Z'), '2025-10-05T02:30+11:00').state).toBe(
    'met',
  )
})
