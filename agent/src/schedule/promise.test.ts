import { expect, test } from 'vitest'
import type { Scheduled } from './plan.ts'
import { brokenPromises } from './promise.ts'
import type { Promised } from './promise.ts'

const now = new Date('2026-11-23T12:00:00.000Z')
const set = (cron: string | undefined, change: Partial<Scheduled> = {}): Scheduled & { paths: string[] } => ({
  id: 'shop',
  paths: ['/srv/shop'],
  repository: { url: '/repo' },
  backup: { ...(cron !== undefined && { cron }), timezone: 'Europe/Copenhagen', jitter: 'PT10M' },
  restoreTest: { cron: '0 5 * * 6', jitter: 'PT0S', files: 50 },
  inventory: { every: 'PT12H' },
  ...change,
})
const promised = (change: Partial<Promised> = {}): Promised => ({
  schedule: { every: 'P1D', lateGrace: 'PT6H', days: 'all' },
  restoreTest: { every: 'P1M', grace: 'P14D' },
  evidence: { inventoryEvery: 'PT12H', freshFor: 'PT26H' },
  selector: { requiredPaths: ['/srv/shop/dump'] },
  ...change,
})

test('a daily backup keeps a daily promise, also on the day of 25 hours', () => {
  expect(brokenPromises(set('30 2 * * *'), promised(), now)).toEqual([])
})

test('a daily backup cannot keep an RPO of one hour, and doctor says so in these words', () => {
  const schedule = { every: 'P1D', rpo: 'PT1H', lateGrace: 'PT6H', days: 'all' } as const
  expect(brokenPromises(set('30 2 * * *'), promised({ schedule }), now)).toEqual([
    '"30 2 * * *" leaves up to 25 hours between two backups: it cannot keep an RPO of 1 hour',
  ])
})

test('a weekend without a backup breaks a promise for all days, not one for business days', () => {
  const weekdays = set('30 2 * * 1-5')
  expect(brokenPromises(weekdays, promised(), now)[0]).toContain('up to 3 days')
  const schedule = { every: 'P1D', lateGrace: 'PT6H', days: 'business' } as const
  expect(brokenPromises(weekdays, promised({ schedule }), now)).toEqual([])
})

test('what is not scheduled, tested too seldom, listed too seldom or not in the paths', () => {
  const bad = set(undefined, {
    inventory: { every: 'P2D' },
    restoreTest: { cron: '0 5 1 1 *', timezone: 'UTC', jitter: 'PT0S', files: 50 },
  })
  const found = brokenPromises(
    bad,
    promised({ selector: { requiredPaths: ['/srv/other', '/srv/shop'] } }),
    now,
  )
  expect(found).toEqual([
    'no backup is scheduled, and the contract has an RPO of 1 day',
    expect.stringContaining('between two restore tests: the contract asks for one every 1 month'),
    'an inventory every 2 days is older than the 26 hours that the contract takes for fresh',
    "the contract requires /srv/other, which is in none of the set's paths",
  ])
})

test('tests that come more seldom than the ladder asks cannot keep it', () => {
  const restoreTest = { every: 'P1M', grace: 'P14D', ladder: 'P5D' }
  expect(brokenPromises(set('30 2 * * *'), promised({ restoreTest }), now)).toEqual([
    expect.stringContaining('the contract’s ladder asks for each tier’s oldest snapshot every 5 days'),
  ])
  expect(
    brokenPromises(set('30 2 * * *'), promised({ restoreTest: { ...restoreTest, ladder: 'P8D' } }), now),
  ).toEqual([])
})

test('full tests and samples are as often and as large as promised, or told', () => {
  const asked = {
    every: 'P1M',
    grace: 'P14D',
    mode: 'sample',
    sample: { files: 200 },
    fullEvery: 'P6M',
  } as const
  expect(brokenPromises(set('30 2 * * *'), promised({ restoreTest: asked }), now)).toEqual([
    'the contract asks for a restore of everything every 6 months, and restoreTest.fullEvery is not set',
    'the contract asks for samples of 200 files, and restoreTest.files is 50',
  ])
  const restoreTest = { cron: '0 5 * * 6', jitter: 'PT0S', files: 200, fullEvery: 'P28D' }
  expect(brokenPromises(set('30 2 * * *', { restoreTest }), promised({ restoreTest: asked }), now)).toEqual(
    [],
  )
  const full = { every: 'P1D', grace: 'P3D', mode: 'full' } as const
  expect(brokenPromises(set('30 2 * * *', { restoreTest }), promised({ restoreTest: full }), now)).toContain(
    'the contract asks for a restore of everything every 1 day, and restoreTest.fullEvery is 28 days',
  )
})
