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

const contract = contractFor({})

describe('ages of the newest inventory', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-04') // the last at 22:00Z of the 4th

  test.each([
    ['2025-03-06T00:00:00Z', 'met', 'compliant', 'compliant'],
    ['2025-03-06T00:00:01Z', 'stale', 'at-risk', 'at-risk'],
    ['2025-03-07T22:00:00Z', 'stale', 'at-risk', 'at-risk'],
    ['2025-03-07T22:00:01Z', 'unknown', 'unknown', 'at-risk'],
    ['2025-03-11T22:00:00Z', 'unknown', 'unknown', 'at-risk'],
    ['2025-03-11T22:00:01Z', 'unknown', 'unknown', 'breached'],
  ])('at %s: %s', (at, state, retention, evidence) => {
    const set = setAt(contract, story, at)
    expect(obligationIn(set, '2025-03-01').state).toBe(state)
    expect(set.dimensions).toMatchObject({ retention, evidence })
  })

  test('without any, silence runs from the onboarding', () => {
    const none = new Story()
    const evidenceAt = (at: string) => setAt(contract, none, at).dimensions.evidence
    expect(evidenceAt('2025-03-02T01:00:00Z')).toBe('compliant')
    expect(evidenceAt('2025-03-02T01:00:01Z')).toBe('at-risk')
    expect(evidenceAt('2025-03-07T23:00:01Z')).toBe('breached')
  })
})

describe('what is past', () => {
  const short = contractFor({ retention: keeping([{ per: 'day', keep: 2 }]) })

  test('is judged as it stood at its end', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-03', { without: ['2025-03-02'] })
    story.inventory('2025-03-04T06:00:00Z')
    story.drop(...story.contents())
    story.inventory('2025-03-04T22:30:00Z') // 1 March was owed until 23:00Z of the 3rd, 3 March still is
    const set = setAt(short, story, '2025-03-10T00:00:00Z')
    expect(obligationIn(set, '2025-03-01').state).toBe('discharged')
    expect(obligationIn(set, '2025-03-02').state).toBe('missed')
    expect(obligationIn(set, '2025-03-03').state).toBe('lost')
    expect(set.counts).toMatchObject({ discharged: 1, missed: 0, lost: 0 })
  })

  test('what was stale at its end is discharged, what was unknown stays', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-02')
    const set = setAt(short, story, '2025-03-10T00:00:00Z')
    expect(obligationIn(set, '2025-03-01').state).toBe('discharged') // 25 hours old
    expect(obligationIn(set, '2025-03-02').state).toBe('discharged') // 49 hours old
    expect(obligationIn(set, '2025-03-03').state).toBe('unknown')
    expect(set.rate).toBe(1)
    const sluggish = contractFor({
      retention: keeping([{ per: 'day', keep: 5 }]),
      evidence: { unknownAfter: 'PT48H' },
    })
    expect(obligationIn(setAt(sluggish, story, '2025-03-20T00:00:00Z'), '2025-03-01').state).toBe('unknown')
  })

  test('an inventory taken at its very end is too late', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-03')
    story.drop(story.contents()[0]!)
    story.inventory('2025-03-03T23:00:00Z')
    expect(obligationIn(setAt(short, story, '2025-03-05T00:00:00Z'), '2025-03-01').state).toBe('discharged')
  })
})

test('lost turns back when the snapshot is listed again, and says since when it was lost', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-05')
  const [gone] = story.contents()
  story.drop(gone!)
  story.inventory('2025-03-06T06:00:00Z')
  story.inventory('2025-03-06T10:00:00Z')
  expect(obligationIn(setAt(contract, story, '2025-03-06T11:00:00Z'), '2025-03-01')).toMatchObject({
    state: 'lost',
    since: '2025-03-06T06:00:00.000Z',
    witness: gone!.id,
  })
  story.contents().push(gone!)
  story.inventory('2025-03-06T12:00:00Z')
  expect(obligationIn(setAt(contract, story, '2025-03-06T13:00:00Z'), '2025-03-01').state).toBe('met')
})

test('before its due what is gone is not lost yet', () => {
  const story = new Story()
  story.backup('2025-03-01T10:00:00Z')
  story.inventory('2025-03-01T11:00:00Z')
  story.drop(...story.contents())
  story.inventory('2025-03-01T12:00:00Z')
  const stateAt = (at: string) => obligationIn(setAt(contract, story, at), '2025-03-01').state
  expect(stateAt('2025-03-01T13:00:00Z')).toBe('pending')
  expect(stateAt('2025-03-02T01:00:00Z')).toBe('late')
  expect(stateAt('2025-03-02T05:00:00Z')).toBe('lost')
})

test('the guard speaks before the missing report; a satisfying one before both', () => {
  const guarded = contractFor({ content: {} })
  const story = new Story()
  story.days('2025-03-01', '2025-03-04')
  story.snapshot('2025-03-05T10:00:00Z')
  story.inventory('2025-03-06T06:00:00Z')
  const stateAt = (at: string) => obligationIn(setAt(guarded, story, at), '2025-03-05').state
  expect(stateAt('2025-03-06T06:30:00Z')).toBe('unknown')
  story.snapshot('2025-03-05T21:00:00Z')
  const tiny = story.contents().at(-1)!
  story.backup('2025-03-05T21:00:00Z', {
    snapshot: tiny,
    source: { files: 1, bytes: 1, filesNew: 0, filesChanged: 0, filesUnmodified: 0, addedBytes: 0 },
    endedAt: '2025-03-06T06:40:00.000Z',
  })
  story.inventory('2025-03-06T07:00:00Z')
  expect(stateAt('2025-03-06T07:30:00Z')).toBe('late')
})

describe('exclusions', () => {
  const excluding = (approvedBy: string[]) =>
    contractOf([
      versionOf(1, '2025-01-01', {
        sets: [
          setOf({
            retention: keeping([
              { per: 'day', keep: 30 },
              { per: 'week', keep: 4 },
            ]),
          }),
        ],
        exclusions: [
          { sets: ['filer'], from: '2025-03-05', to: '2025-03-06', reason: 'planned', approvedBy },
        ],
      }),
    ])
  const story = () => {
    const told = new Story()
    told.days('2025-03-01', '2025-03-10', { without: ['2025-03-05', '2025-03-06'] })
    return told
  }
  const at = '2025-03-10T11:00:00Z'

  test('worked case 27: approved by both excuses the days, both included, and not the week', () => {
    const set = setAt(excluding(['customer', 'provider']), story(), at)
    expect(set.counts).toMatchObject({ excused: 2, missed: 0 })
    expect(set.headline).toBe('compliant')
    expect(obligationIn(set, '2025-W10').state).toBe('met')
    expect(set.rate).toBe(1)
  })

  test('claimed by one alone excuses nothing', () => {
    expect(setAt(excluding(['provider']), story(), at).counts).toMatchObject({ excused: 0, missed: 2 })
  })

  test('the other’s statement completes it, from then on, as a correction', () => {
    const told = story()
    const detail = { sets: ['filer'], from: '2025-03-05', to: '2025-03-06', note: 'strejke' }
    told.event('2025-03-09T10:00:00Z', 'exclusion-approved', 'customer', detail)
    const own = excluding(['provider'])
    expect(setAt(own, told, '2025-03-09T09:00:00Z').counts.missed).toBe(2)
    expect(setAt(own, told, at).counts).toMatchObject({ excused: 2, missed: 0 })
  })

  test('two statements do without the contract’s text; other days do not match', () => {
    const told = story()
    told.both('2025-03-09T10:00:00Z', 'exclusion-approved', {
      sets: ['filer'],
      from: '2025-03-05',
      to: '2025-03-05',
    })
    told.event('2025-03-09T10:00:00Z', 'exclusion-approved', 'customer', {
      sets: ['filer'],
      from: '2025-03-06',
      to: '2025-03-06',
    })
    told.event('2025-03-09T10:00:00Z', 'exclusion-approved', 'provider', {
      sets: ['filer'],
      from: '2025-03-06',
      to: '2025-03-07',
    })
    expect(setAt(contract, told, at).counts).toMatchObject({ excused: 1, missed: 1 })
  })

  test('another contract’s statements are not ours', () => {
    const told = story()
    const detail = { sets: ['filer'], from: '2025-03-05', to: '2025-03-06' }
    for (const party of ['customer', 'provider'] as const) {
      told.event('2025-03-09T10:00:00Z', 'exclusion-approved', party, detail, { contract: 'AFT-2' })
    }
    expect(setAt(contract, told, at).counts.excused).toBe(0)
  })
})

describe('the age of the newest recovery point', () => {
  const weekly = (more = {}) =>
    contractFor({
      onboardedAt: '2025-03-03',
      schedule: { every: 'P1D', ...more },
      retention: keeping([{ per: 'week', keep: 4 }]),
    })
  const pointsAt = (story: Story, at: string, own = weekly()) => setAt(own, story, at).dimensions.points

  test('without any it runs from the onboarding', () => {
    const story = new Story()
    expect(pointsAt(story, '2025-03-04T05:00:00Z')).toBe('compliant')
    expect(pointsAt(story, '2025-03-04T05:00:01Z')).toBe('unknown')
    story.inventory('2025-03-04T06:00:00Z')
    expect(pointsAt(story, '2025-03-04T07:00:00Z')).toBe('breached')
  })

  test('what only the guard holds keeps it at risk, what nobody reported unknown', () => {
    const guarded = contractFor({
      onboardedAt: '2025-03-03',
      content: { minFiles: 10 },
      retention: keeping([{ per: 'week', keep: 4 }]),
    })
    const story = new Story()
    story.backup('2025-03-03T21:00:00Z')
    story.snapshot('2025-03-04T21:00:00Z')
    story.inventory('2025-03-05T06:00:00Z')
    expect(pointsAt(story, '2025-03-05T07:00:00Z', guarded)).toBe('unknown')
    story.backup('2025-03-05T08:00:00Z', {
      source: {
        files: 9,
        bytes: 9_000_000_000,
        filesNew: 0,
        filesChanged: 0,
        filesUnmodified: 9,
        addedBytes: 0,
      },
    })
    story.inventory('2025-03-05T10:00:00Z')
    expect(pointsAt(story, '2025-03-05T11:00:00Z', guarded)).toBe('at-risk')
    // The day after, they would be too old themselves.
    story.inventory('2025-03-06T16:00:00Z')
    expect(pointsAt(story, '2025-03-06T17:00:00Z', guarded)).toBe('breached')
  })

  test('closed days are left out: Thursday’s evening serves until Tuesday’s night after Easter', () => {
    const business = contractFor({
      onboardedAt: '2025-04-14',
      schedule: { days: 'business' },
      retention: keeping([{ per: 'month', keep: 4 }]),
    })
    const story = new Story()
    story.backup('2025-04-16T19:00:00Z') // Wednesday 21:00; three hours of it are left
    story.inventory('2025-04-16T20:00:00Z')
    story.inventory('2025-04-21T20:00:00Z')
    // 27 more hours: all of Tuesday and until 03:00 of Wednesday.
    expect(pointsAt(story, '2025-04-23T01:00:00Z', business)).toBe('compliant')
    expect(pointsAt(story, '2025-04-23T01:00:01Z', business)).toBe('unknown')
  })

  test('excused days are left out', () => {
    const story = new Story()
    story.backup('2025-03-04T21:00:00Z')
    story.inventory('2025-03-04T22:00:00Z')
    story.both('2025-03-04T23:30:00Z', 'exclusion-approved', {
      sets: ['filer'],
      from: '2025-03-05',
      to: '2025-03-06',
    })
    story.inventory('2025-03-07T22:00:00Z')
    // Two hours of the 4th, then 28 from the 7th on.
    expect(pointsAt(story, '2025-03-08T03:00:00Z')).toBe('compliant')
    expect(pointsAt(story, '2025-03-08T03:00:01Z')).toBe('unknown')
  })
})

describe('what was known', () => {
  test('a correction names what late evidence changed', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-04')
    story.backup('2025-03-05T21:00:00Z', { receivedAt: '2025-03-09T08:00:00Z' })
    story.inventory('2025-03-06T06:00:00Z', { receivedAt: '2025-03-09T08:00:01Z' })
    const at = '2025-03-06T11:00:00Z'
    expect(askAt(contract, story, at).corrections).toEqual([
      {
        set: 'filer',
        tier: 'dayx30',
        bucket: '2025-03-01',
        was: 'stale',
        is: 'met',
        at: '2025-03-06T11:00:00.000Z',
        receivedAt: '2025-03-09T08:00:01.000Z',
      },
      ...['02', '03', '04'].map((day) =>
        expect.objectContaining({ bucket: `2025-03-${day}`, was: 'stale', is: 'met' }),
      ),
      expect.objectContaining({ bucket: '2025-03-05', was: 'unknown', is: 'met' }),
    ])
    expect(askAt(contract, story, at, at).corrections).toEqual([])
  })

  test('a missed day is excused late by both', () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-06', { without: ['2025-03-05'] })
    const at = '2025-03-06T11:00:00Z'
    story.both('2025-03-06T10:00:00Z', 'exclusion-approved', {
      sets: ['filer'],
      from: '2025-03-05',
      to: '2025-03-05',
    })
    for (const fact of story.facts.slice(-2)) fact.receivedAt = '2025-03-20T10:00:00.000Z'
    expect(askAt(contract, story, at).corrections).toEqual([
      expect.objectContaining({ bucket: '2025-03-05', was: 'missed', is: 'excused' }),
    ])
  })
})

test('findings name the statements they stand on', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-06', { without: ['2025-03-05'] })
  const answer = askAt(contract, story, '2025-03-06T11:00:00Z')
  expect(answer.findings.map(({ code }) => code)).toEqual(['missed', 'recovery-point-age'])
  expect(answer.findings[0]).toMatchObject({
    code: 'missed',
    set: 'filer',
    at: '2025-03-06T06:00:00.000Z',
    detail: { tier: 'dayx30', bucket: '2025-03-05', row: 8 },
  })
  expect(answer.findings[0]?.evidence[0]).toMatch(/^[0-9a-f]{64}$/)
})

test('what is kept for less than its grace is judged at its end, and does not stay late for ever', () => {
  const hourly = contractFor({
    schedule: { every: 'PT1H', lateGrace: 'PT6H' },
    retention: keeping([{ per: 'hour', keep: 1 }]),
  })
  const story = new Story()
  story.inventory('2025-03-01T11:30:00Z')
  const at = (instant: string) => obligationIn(setAt(hourly, story, instant), '2025-03-01T10+01:00')
  expect(at('2025-03-01T10:59:59Z')).toMatchObject({ state: 'late', keepUntil: '2025-03-01T11:00:00.000Z' })
  expect(at('2025-03-01T12:00:00Z').state).toBe('unknown')
})

test('excused days are the set’s own: from the hour at which its day starts', () => {
  const night = (date: string) =>
    contractOf([
      versionOf(1, '2025-01-01', {
        sets: [setOf({ schedule: { every: 'P1D', dayStartsAt: '18:00' } })],
        exclusions: [
          { sets: ['filer'], from: date, to: date, reason: 'r', approvedBy: ['customer', 'provider'] },
        ],
      }),
    ])
  const stateOf = (date: string) =>
    obligationIn(setAt(night(date), new Story(), '2025-03-08T00:00:00Z'), '2025-03-05').state
  expect(stateOf('2025-03-05')).toBe('excused')
  expect(stateOf('2025-03-06')).toBe('unknown')
})

test('of several that are gone, the one that stood to the last says since when it is lost', () => {
  const story = new Story()
  const [first] = [story.backup('2025-03-01T05:00:00Z'), story.backup('2025-03-01T21:00:00Z')]
  story.inventory('2025-03-02T06:00:00Z')
  story.drop(story.contents().at(-1)!)
  story.inventory('2025-03-03T06:00:00Z')
  story.drop(first)
  story.inventory('2025-03-04T06:00:00Z')
  expect(obligationIn(setAt(contract, story, '2025-03-04T07:00:00Z'), '2025-03-01')).toMatchObject({
    state: 'lost',
    witness: first.id,
    since: '2025-03-04T06:00:00.000Z',
  })
})
