/** The instants at which one state turns into the next, each on the millisecond. */
import { describe, expect, test } from 'vitest'
import {
  Story,
  askAt,
  contractFor,
  contractOf,
  keeping,
  obligationIn,
  repositoryOf,
  setAt,
  setOf,
  versionOf,
} from './story-for-tests.ts'

describe('a day without a backup', () => {
  const state = (inventories: string[], at: string) => {
    const story = new Story()
    for (const taken of inventories) story.inventory(taken)
    return obligationIn(setAt(contractFor({ onboardedAt: '2025-03-05' }), story, at), '2025-03-05').state
  }

  test.each([
    [[], '2025-03-05T22:59:59.999Z', 'pending'],
    [[], '2025-03-05T23:00:00Z', 'late'],
    [[], '2025-03-06T04:59:59.999Z', 'late'],
    [[], '2025-03-06T05:00:00Z', 'unknown'],
    [['2025-03-06T04:59:59.999Z'], '2025-03-06T05:00:00Z', 'unknown'],
    [['2025-03-06T05:00:00Z'], '2025-03-06T05:00:00Z', 'missed'],
    [['2025-03-06T05:00:00Z'], '2025-03-20T05:00:00Z', 'missed'], // silence does not take it back
    [['2025-04-04T21:59:59.999Z'], '2025-04-05T00:00:00Z', 'missed'],
    [['2025-04-04T22:00:00Z'], '2025-04-05T00:00:00Z', 'unknown'], // taken at keepUntil itself: too late
  ])('listings %s, at %s: %s', (inventories, at, expected) => {
    expect(state(inventories, at)).toBe(expected)
  })
})

test('what happened at the instant itself has happened, what was received at it is known', () => {
  const story = new Story()
  story.backup('2025-03-01T21:00:00Z')
  story.inventory('2025-03-01T22:00:00Z', { receivedAt: '2025-03-01T22:30:00Z' })
  const state = (at: string, knownAt?: string) =>
    obligationIn(askAt(contractFor({}), story, at, knownAt).sets[0]!, '2025-03-01').state
  expect(state('2025-03-01T21:59:59.999Z')).toBe('pending')
  expect(state('2025-03-01T22:00:00Z')).toBe('met')
  expect(state('2025-03-01T22:00:00Z', '2025-03-01T22:29:59.999Z')).toBe('pending')
  expect(state('2025-03-01T22:00:00Z', '2025-03-01T22:30:00Z')).toBe('met')
})

test('what is gone before its due is lost at its due, and at that instant', () => {
  const story = new Story()
  const gone = story.backup('2025-03-01T21:00:00Z')
  story.inventory('2025-03-01T22:00:00Z')
  story.drop(gone)
  story.inventory('2025-03-02T01:00:00Z')
  const set = (at: string) => setAt(contractFor({}), story, at)
  expect(obligationIn(set('2025-03-02T04:59:59.999Z'), '2025-03-01').state).toBe('late')
  expect(obligationIn(set('2025-03-02T05:00:00Z'), '2025-03-01').state).toBe('lost')
  expect(set('2025-03-02T05:00:00Z').dimensions.retention).toBe('breached')
})

describe('excused', () => {
  const moving = { sets: ['filer'], reason: 'Flytning.', approvedBy: ['customer', 'provider'] }
  const hourly = (from: string, to: string) =>
    contractOf([
      versionOf(1, from, {
        sets: [
          setOf({
            onboardedAt: from,
            schedule: { every: 'PT1H', rpo: 'P9D' },
            retention: keeping([{ per: 'hour', keep: 99 }]),
          }),
        ],
        exclusions: [{ ...moving, from: to, to }],
      }),
    ])
  const excused = (contract: ReturnType<typeof hourly>, at: string) =>
    setAt(contract, new Story(), at).obligations.flatMap(({ bucket, state }) =>
      state === 'excused' ? [bucket] : [],
    )

  test('the hours of a day are 25 in October, from midnight to midnight', () => {
    const hours = excused(hourly('2025-10-25', '2025-10-26'), '2025-10-27T06:00:00Z')
    expect(hours).toHaveLength(25)
    expect([hours[0], hours.at(-1)]).toEqual(['2025-10-26T00+02:00', '2025-10-26T23+01:00'])
  })

  test('a week is by its seven days, not by six', () => {
    const weeks = (to: string) =>
      contractOf([
        versionOf(1, '2025-03-03', {
          sets: [setOf({ onboardedAt: '2025-03-03', retention: keeping([{ per: 'week', keep: 4 }]) })],
          exclusions: [{ ...moving, from: '2025-03-10', to }],
        }),
      ])
    expect(excused(weeks('2025-03-15'), '2025-03-18T00:00:00Z')).toEqual([])
    expect(excused(weeks('2025-03-16'), '2025-03-18T00:00:00Z')).toEqual(['2025-W11'])
  })

  test('the hours of a day that starts in the evening are those from then on', () => {
    const contract = contractOf([
      versionOf(1, '2025-03-01', {
        sets: [
          setOf({
            schedule: { every: 'PT1H', dayStartsAt: '18:00', rpo: 'P9D' },
            retention: keeping([{ per: 'hour', keep: 99 }]),
          }),
        ],
        exclusions: [{ ...moving, from: '2025-03-02', to: '2025-03-02' }],
      }),
    ])
    const hours = excused(contract, '2025-03-04T12:00:00Z')
    expect([hours[0], hours.at(-1), hours.length]).toEqual(['2025-03-02T18+01:00', '2025-03-03T17+01:00', 24])
  })

  test('stays excused when it is past, is counted while it is live, and is in no rate', () => {
    const contract = contractOf([
      versionOf(1, '2025-03-03', {
        sets: [setOf({ onboardedAt: '2025-03-03', retention: keeping([{ per: 'day', keep: 2 }]) })],
        exclusions: [{ ...moving, from: '2025-03-03', to: '2025-03-03' }],
      }),
    ])
    const live = setAt(contract, new Story(), '2025-03-05T22:59:59Z')
    expect(live.counts.excused).toBe(1)
    expect(live.rate).toBeNull()
    const past = setAt(contract, new Story(), '2025-03-05T23:00:00Z')
    expect(obligationIn(past, '2025-03-03').state).toBe('excused')
    expect(past.counts).toMatchObject({ excused: 0, discharged: 0 })
  })
})

test('a copy’s newest listing ages as the set’s own does', () => {
  const contract = contractFor({ copies: [{ role: 'offsite', repository: 'vts-off', region: 'DK' }] })
  const story = new Story()
  story.days('2025-03-01', '2025-03-01')
  const offsite = repositoryOf('off', 'vts-off')
  story.copyAll(offsite)
  story.repository = offsite
  story.inventory('2025-03-02T04:00:00Z')
  const copiesAt = (at: string) => setAt(contract, story, at).dimensions.copies
  expect(copiesAt('2025-03-03T06:00:00Z')).toBe('compliant')
  expect(copiesAt('2025-03-03T06:00:00.001Z')).toBe('at-risk')
  expect(copiesAt('2025-03-05T04:00:00Z')).toBe('at-risk')
  expect(copiesAt('2025-03-05T04:00:00.001Z')).toBe('unknown')
})

describe('restore tests', () => {
  const contract = contractFor({ restoreTest: { every: 'P1M', grace: 'P14D' } })
  const proofAt = (story: Story, at: string) => setAt(contract, story, at).dimensions.proof

  test('one has happened when it has ended', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-31')
    story.test(story.contents()[0]!, '2025-03-31T22:01:00Z', 'PASSED') // five minutes
    expect(proofAt(story, '2025-03-31T22:05:59.999Z')).toBe('at-risk')
    expect(proofAt(story, '2025-03-31T22:06:00Z')).toBe('compliant')
  })

  test('one that missed the damage put in its way is void, whatever it says', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-04-02')
    for (const negativeControl of ['missed', 'not-run'] as const) {
      story.test(story.contents()[0]!, '2025-04-02T08:00:00Z', 'PASSED', { negativeControl })
    }
    expect(proofAt(story, '2025-04-02T23:00:00Z')).toBe('at-risk')
    story.test(story.contents()[0]!, '2025-04-02T09:00:00Z', 'PASSED')
    expect(proofAt(story, '2025-04-02T23:00:00Z')).toBe('compliant')
  })

  test('a retest that is told late: refuted as known before, and not as known since', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-02')
    const [first] = story.contents()
    story.test(first!, '2025-03-03T01:00:00Z', 'FAILED')
    story.test(first!, '2025-03-03T02:00:00Z', 'FAILED')
    story.inventory('2025-03-03T06:00:00Z')
    story.test(first!, '2025-03-03T08:00:00Z', 'PASSED', { receivedAt: '2025-03-05T00:00:00Z' })
    const state = (at: string, knownAt?: string) =>
      obligationIn(askAt(contract, story, at, knownAt).sets[0]!, '2025-03-01').state
    expect(state('2025-03-03T07:00:00Z')).toBe('missed')
    expect(state('2025-03-03T09:00:00Z', '2025-03-04T23:59:59Z')).toBe('missed')
    expect(state('2025-03-03T09:00:00Z', '2025-03-05T00:00:00Z')).toBe('met')
  })
})

test('what a revoked key lists loses nothing; the epoch after it does', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-02')
  story.event('2025-03-03T05:00:00Z', 'key-revoked', 'provider', { agent: 'agent-1', epoch: 1 })
  story.drop(...story.contents())
  story.inventory('2025-03-03T06:00:00Z')
  const stateAt = (at: string) => obligationIn(setAt(contractFor({}), story, at), '2025-03-01').state
  expect(stateAt('2025-03-03T07:00:00Z')).toBe('met')
  story.newEpoch()
  story.forgetBase()
  story.inventory('2025-03-03T08:00:00Z')
  expect(stateAt('2025-03-03T08:00:00Z')).toBe('lost')
})
