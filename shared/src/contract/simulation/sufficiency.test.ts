import { expect, test } from 'vitest'
import { judge } from '../evaluate.ts'
import { indexFacts } from '../facts.ts'
import { Story, contractOf, keeping, setOf, versionOf } from '../story-for-tests.ts'
import { reviewSufficiency } from './sufficiency.ts'

const at = new Date('2025-04-20T12:00:00Z')

function review(story: Story, set: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const contract = contractOf([versionOf(1, '2025-03-01', { sets: [setOf(set)] })], more)
  const index = indexFacts(story.facts)
  return reviewSufficiency(contract, index, judge({ contract, index, at }))[0]
}

function days(): Story {
  const story = new Story()
  story.days('2025-03-01', '2025-04-19')
  return story
}

test('how far back each tier reaches now: when its oldest point was taken, not where its bucket begins', () => {
  const story = days()
  const retention = keeping([
    { per: 'day', keep: 7 },
    { per: 'month', keep: 6 },
    { per: 'year', keep: 2 },
  ])
  expect(review(story, { retention })?.reach).toEqual([
    { tier: 'dayx7', oldest: '2025-04-13T21:00:00.000Z' },
    // The month's witness is its newest.
    { tier: 'monthx6', oldest: '2025-03-31T21:00:00.000Z' },
    { tier: 'yearx2', oldest: null },
  ])
})

test('restores that were asked for, and the oldest that came back', () => {
  const story = days()
  const [first, second, third] = story.contents()
  if (!first || !second || !third) throw new Error('no snapshots')
  expect(review(story)).toMatchObject({ asked: { count: 0, oldest: null }, proven: null, recovery: null })
  story.test(second, '2025-04-10T21:00:00Z', 'PASSED', {
    reason: 'drill',
    mode: 'full',
    rto: { measuredSeconds: 420, agreedSeconds: 3600 },
  })
  story.test(first, '2025-04-11T21:00:00Z', 'FAILED', { reason: 'requested' })
  story.test(third, '2025-04-18T21:00:00Z', 'PASSED')
  const timed = { restoreTest: { every: 'P1M', rto: 'P1D' } }
  expect(review(story, timed)).toMatchObject({
    asked: { count: 2, oldest: { snapshot: second.id, days: 39 } },
    proven: { snapshot: third.id, days: 46 },
    // What is agreed is the contract's word, not the test's.
    recovery: { seconds: 420, isFull: true, agreed: 'P1D' },
  })
})

test('what the contract’s own regimes ask, and whether its text promises it', () => {
  const regimes = ['gdpr', 'dora', 'bogforingsloven']
  const books = { per: 'fiscalYear', keep: 5, fyEnd: '12-31', closeAfter: 'P5M' }
  const set = {
    personalData: 'ordinary',
    retention: keeping([{ per: 'day', keep: 30 }, books]),
    restoreTest: { every: 'P3M', fullEvery: 'P1Y' },
  }
  expect(review(days(), set, { regimes })?.demands).toEqual([
    { demand: 'books-five-years', regimes: ['bogforingsloven'], isPromised: true },
    { demand: 'ceiling-for-personal-data', regimes: ['gdpr'], isPromised: false },
    { demand: 'recovery-time', regimes: ['dora', 'gdpr'], isPromised: false },
    { demand: 'offsite-copy', regimes: ['dora'], isPromised: false },
    { demand: 'restore-tests', regimes: ['dora'], isPromised: true },
    { demand: 'full-restore-yearly', regimes: ['dora'], isPromised: true },
  ])
  expect(review(days())?.demands).toEqual([])
})
