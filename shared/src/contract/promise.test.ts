/** Ceilings and holds, proof, copies. */
import { describe, expect, test } from 'vitest'
import {
  Story,
  askAt,
  contractFor,
  contractOf,
  keeping,
  repositoryOf,
  setAt,
  setOf,
  versionOf,
} from './story-for-tests.ts'

const LONG = { freshFor: 'P400D', unknownAfter: 'P500D', silenceBreachAfter: 'P900D' }

describe('the ceiling', () => {
  const capped = (more = {}, versionMore = {}) =>
    contractOf([
      versionOf(1, '2024-01-01', {
        sets: [
          setOf({
            onboardedAt: '2024-01-01',
            retention: keeping([{ per: 'day', keep: 30 }], { age: 'P13M', ...more }),
            evidence: LONG,
          }),
        ],
        ...versionMore,
      }),
    ])
  const imported = () => {
    const story = new Story()
    const snapshot = story.backup('2024-03-10T21:00:00Z')
    story.inventory('2024-03-10T22:00:00Z')
    return { story, snapshot }
  }
  const ceilingAt = (story: Story, at: string, own = capped()) => {
    const set = setAt(own, story, at)
    return [set.snapshots?.[0]?.ceiling, set.dimensions.ceiling]
  }

  test('worked case 20: within, purge due, over-retained', () => {
    const { story } = imported()
    // 22:00 local on 10 March 2024 plus thirteen months: 22:00 summer time, 20:00Z.
    expect(ceilingAt(story, '2025-04-10T19:59:59Z')).toEqual(['within', 'compliant'])
    expect(ceilingAt(story, '2025-04-10T20:00:00Z')).toEqual(['purge-due', 'at-risk'])
    expect(ceilingAt(story, '2025-05-10T19:59:59Z')).toEqual(['purge-due', 'at-risk'])
    expect(ceilingAt(story, '2025-05-10T20:00:00Z')).toEqual(['over-retained', 'breached'])
  })

  test('months are clamped: 31 January plus a month is the end of February', () => {
    const own = contractOf([
      versionOf(1, '2025-01-01', {
        sets: [
          setOf({
            onboardedAt: '2025-01-01',
            retention: keeping([{ per: 'day', keep: 7 }], { age: 'P1M', purgeGrace: 'P0D' }),
            evidence: LONG,
          }),
        ],
      }),
    ])
    const story = new Story()
    story.backup('2025-01-31T21:00:00Z')
    story.inventory('2025-01-31T22:00:00Z')
    expect(ceilingAt(story, '2025-02-28T20:59:59Z', own)).toEqual(['within', 'compliant'])
    expect(ceilingAt(story, '2025-02-28T21:00:00Z', own)).toEqual(['over-retained', 'breached'])
  })

  test('snapshots of the host count whatever their paths, of other hosts never', () => {
    const story = new Story()
    story.backup('2024-03-10T21:00:00Z', { snap: { paths: ['/etc'] } })
    story.backup('2024-03-10T21:10:00Z', { snap: { host: 'srv2' } })
    story.inventory('2024-03-10T22:00:00Z')
    expect(setAt(capped(), story, '2025-06-01T00:00:00Z').snapshots).toHaveLength(1)
  })

  describe('purged', () => {
    const at = '2025-06-01T12:00:00Z'

    test('is gone from a complete inventory and pruned by the run that removed it', () => {
      const { story, snapshot } = imported()
      story.forget([snapshot], '2025-05-01T10:00:00Z')
      expect(ceilingAt(story, at)[0]).toBe('over-retained') // no inventory has shown it yet
      story.inventory('2025-05-01T11:00:00Z')
      expect(ceilingAt(story, at)).toEqual(['purged', 'compliant'])
    })

    test.each([
      ['forgotten only', { pruned: false }],
      ['pruned without success', { exitCode: 1 }],
    ])('%s still counts', (_, more) => {
      const { story, snapshot } = imported()
      story.forget([snapshot], '2025-05-01T10:00:00Z', more)
      story.inventory('2025-05-01T11:00:00Z')
      expect(ceilingAt(story, at)).toEqual(['over-retained', 'breached'])
    })

    test('or by one begun after that inventory', () => {
      const { story, snapshot } = imported()
      story.forget([snapshot], '2025-05-01T10:00:00Z', { pruned: false })
      story.forget([], '2025-05-01T10:30:00Z')
      story.inventory('2025-05-01T11:00:00Z')
      expect(ceilingAt(story, at)[0]).toBe('over-retained')
      story.forget([], '2025-05-01T12:00:00Z')
      expect(ceilingAt(story, at)).toEqual(['purged', 'compliant'])
    })
  })

  test('a snapshot under a new ID is one snapshot', () => {
    const { story, snapshot } = imported()
    const tagged = story.rename(snapshot)
    story.inventory('2025-05-01T11:00:00Z')
    expect(setAt(capped(), story, '2025-06-01T12:00:00Z').snapshots).toEqual([
      { id: tagged.id, ceiling: 'over-retained' },
    ])
  })

  test('a listing of another repository of the lineage does not show that it is gone', () => {
    const { story, snapshot } = imported()
    const home = story.repository
    story.repository = repositoryOf('second', 'vts-01')
    story.backup('2025-05-01T05:00:00Z')
    story.inventory('2025-05-01T06:00:00Z')
    story.repository = home
    story.forget([], '2025-05-02T11:00:00Z')
    expect(ceilingAt(story, '2025-06-01T12:00:00Z')).toEqual(['over-retained', 'breached'])
    story.forget([snapshot], '2025-06-02T11:00:00Z')
    expect(ceilingAt(story, '2025-06-02T11:30:00Z')).toEqual(['over-retained', 'breached'])
    story.inventory('2025-06-02T12:00:00Z')
    expect(ceilingAt(story, '2025-06-02T12:30:00Z')).toEqual(['purged', 'compliant'])
  })

  test('a run that pruned it before it came back has not purged it', () => {
    const { story, snapshot } = imported()
    story.forget([snapshot], '2025-05-20T11:00:00Z')
    story.inventory('2025-05-20T12:00:00Z')
    expect(ceilingAt(story, '2025-06-01T12:00:00Z')).toEqual(['purged', 'compliant'])
    // The storage was set back to an earlier state.
    story.contents().push(snapshot)
    story.inventory('2025-06-02T12:00:00Z')
    expect(ceilingAt(story, '2025-06-02T12:30:00Z')).toEqual(['over-retained', 'breached'])
    story.drop(snapshot)
    story.inventory('2025-06-03T12:00:00Z')
    expect(ceilingAt(story, '2025-06-03T12:30:00Z')).toEqual(['over-retained', 'breached'])
    story.forget([], '2025-06-04T12:00:00Z')
    expect(ceilingAt(story, '2025-06-04T12:30:00Z')).toEqual(['purged', 'compliant'])
  })

  test('is not promised without max or hold', () => {
    const set = setAt(contractFor({}), imported().story, '2025-06-01T12:00:00Z')
    expect(set.dimensions.ceiling).toBe('not-applicable')
    expect(set.snapshots).toBeUndefined()
  })

  describe('holds', () => {
    const hold = {
      sets: ['filer'],
      covers: { from: '2024-03-01', to: '2024-03-31' },
      authority: 'Tvist 2025-88',
    }
    const held = capped({}, { holds: [{ ...hold, start: '2025-03-01', end: '2025-06-01' }] })

    test('worked case 21: held, at risk from the release, breached a grace later', () => {
      const { story } = imported()
      expect(ceilingAt(story, '2025-05-20T00:00:00Z', held)).toEqual(['held', 'compliant'])
      expect(ceilingAt(story, '2025-05-31T21:59:59Z', held)).toEqual(['held', 'compliant'])
      expect(ceilingAt(story, '2025-05-31T22:00:00Z', held)).toEqual(['purge-due', 'at-risk'])
      expect(ceilingAt(story, '2025-06-30T21:59:59Z', held)).toEqual(['purge-due', 'at-risk'])
      expect(ceilingAt(story, '2025-06-30T22:00:00Z', held)).toEqual(['over-retained', 'breached'])
    })

    test('cover by start, days included', () => {
      const story = new Story()
      story.backup('2024-02-29T22:30:00Z') // 29 February, 23:30
      story.backup('2024-02-29T23:30:00Z') // 1 March, 00:30
      story.backup('2024-03-31T21:30:00Z') // 31 March, 23:30
      story.backup('2024-03-31T22:30:00Z') // 1 April, 00:30
      story.inventory('2024-04-01T06:00:00Z')
      const states = setAt(held, story, '2025-05-20T00:00:00Z').snapshots?.map(({ ceiling }) => ceiling)
      expect(states).toEqual(['over-retained', 'held', 'held', 'purge-due'])
    })

    test('what goes during one is a breach while it lasts', () => {
      const { story, snapshot } = imported()
      story.forget([snapshot], '2025-04-01T10:00:00Z')
      story.inventory('2025-04-01T11:00:00Z')
      expect(setAt(held, story, '2025-04-02T00:00:00Z').dimensions.ceiling).toBe('breached')
      expect(askAt(held, story, '2025-04-02T00:00:00Z').findings.map(({ code }) => code)).toContain(
        'hold-broken',
      )
      expect(setAt(held, story, '2025-06-02T00:00:00Z').dimensions.ceiling).toBe('compliant')
    })

    test('what went before one is none', () => {
      const { story, snapshot } = imported()
      story.forget([snapshot], '2025-02-01T10:00:00Z')
      story.inventory('2025-02-01T11:00:00Z')
      expect(ceilingAt(story, '2025-04-02T00:00:00Z', held)).toEqual(['purged', 'compliant'])
    })

    test('statements in the log count alike', () => {
      const { story } = imported()
      story.event('2025-03-01T10:00:00Z', 'hold-started', 'customer', hold)
      expect(ceilingAt(story, '2025-04-20T00:00:00Z')).toEqual(['held', 'compliant'])
      story.event('2025-06-01T10:00:00Z', 'hold-released', 'customer', hold)
      expect(ceilingAt(story, '2025-06-02T00:00:00Z')).toEqual(['purge-due', 'at-risk'])
      expect(ceilingAt(story, '2025-07-02T00:00:00Z')).toEqual(['over-retained', 'breached'])
      expect(ceilingAt(story, '2025-02-20T00:00:00Z')).toEqual(['within', 'compliant'])
    })

    test('a statement releases what the contract’s text holds', () => {
      const open = capped({}, { holds: [{ ...hold, start: '2025-03-01' }] })
      const { story } = imported()
      expect(ceilingAt(story, '2025-08-01T00:00:00Z', open)).toEqual(['held', 'compliant'])
      story.event('2025-06-01T10:00:00Z', 'hold-released', 'provider', hold)
      expect(ceilingAt(story, '2025-08-01T00:00:00Z', open)).toEqual(['over-retained', 'breached'])
    })

    test('one without a max: the dimension is promised', () => {
      const own = contractOf([
        versionOf(1, '2024-01-01', {
          sets: [setOf({ evidence: LONG })],
          holds: [{ ...hold, start: '2025-03-01' }],
        }),
      ])
      expect(ceilingAt(imported().story, '2025-08-01T00:00:00Z', own)).toEqual(['held', 'compliant'])
    })
  })
})

describe('proof', () => {
  const tested = (terms = {}) => contractFor({ restoreTest: terms, evidence: LONG })
  const proofAt = (own: ReturnType<typeof tested>, story: Story, at: string) =>
    setAt(own, story, at).dimensions.proof
  const begun = () => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-03')
    return story
  }

  test('within a month of the onboarding, with a fortnight’s grace', () => {
    expect(proofAt(tested(), begun(), '2025-03-31T22:00:00Z')).toBe('compliant')
    expect(proofAt(tested(), begun(), '2025-03-31T22:00:01Z')).toBe('at-risk')
    expect(proofAt(tested(), begun(), '2025-04-14T22:00:00Z')).toBe('at-risk')
    expect(proofAt(tested(), begun(), '2025-04-14T22:00:01Z')).toBe('breached')
  })

  test('a sample does not do where full tests are agreed', () => {
    const story = begun()
    story.test(story.contents()[0]!, '2025-03-20T09:00:00Z', 'PASSED')
    expect(proofAt(tested({ mode: 'full' }), story, '2025-04-10T00:00:00Z')).toBe('at-risk')
    story.test(story.contents()[0]!, '2025-03-21T09:00:00Z', 'PASSED', { mode: 'full' })
    expect(proofAt(tested({ mode: 'full' }), story, '2025-04-10T00:00:00Z')).toBe('compliant')
  })

  test('files that somebody picked neither prove the set nor clear a failure; all of them do', () => {
    const story = begun()
    const [first] = story.contents()
    const picked = { reason: 'requested' } as const
    story.test(first!, '2025-03-20T08:00:00Z', 'FAILED')
    story.test(first!, '2025-03-20T09:00:00Z', 'PASSED', picked)
    story.inventory('2025-03-20T10:00:00Z')
    expect(proofAt(tested(), story, '2025-03-20T11:00:00Z')).toBe('at-risk')
    expect(proofAt(tested(), story, '2025-04-20T00:00:00Z')).toBe('breached')
    const population = { files: 50, bytes: 1_000_000 }
    story.test(first!, '2025-03-20T12:00:00Z', 'PASSED', { ...picked, population })
    story.inventory('2025-03-20T13:00:00Z')
    expect(proofAt(tested(), story, '2025-03-20T14:00:00Z')).toBe('compliant')
    expect(proofAt(tested(), story, '2025-04-20T00:00:00Z')).toBe('compliant')
  })

  test('fullEvery runs beside it', () => {
    const own = tested({ fullEvery: 'P3M' })
    const story = begun()
    for (const month of ['03', '04', '05', '06'])
      story.test(story.contents()[0]!, `2025-${month}-20T09:00:00Z`, 'PASSED')
    expect(proofAt(own, story, '2025-05-31T22:00:00Z')).toBe('compliant')
    expect(proofAt(own, story, '2025-06-02T00:00:00Z')).toBe('at-risk')
    expect(proofAt(own, story, '2025-06-21T00:00:00Z')).toBe('breached')
    story.test(story.contents()[0]!, '2025-06-21T09:00:00Z', 'PASSED', { mode: 'full' })
    expect(proofAt(own, story, '2025-06-22T00:00:00Z')).toBe('compliant')
  })

  test('a test of another host’s snapshot proves nothing, an inconclusive one neither', () => {
    const story = begun()
    story.test(
      { ...story.contents()[0]!, host: 'srv2', id: 'b'.repeat(64) },
      '2025-03-20T09:00:00Z',
      'PASSED',
    )
    story.test(story.contents()[0]!, '2025-03-20T10:00:00Z', 'INCONCLUSIVE')
    expect(proofAt(tested(), story, '2025-04-10T00:00:00Z')).toBe('at-risk')
  })

  test('a failure lasts while its snapshot is there, or until it passes', () => {
    const story = begun()
    const [first] = story.contents()
    story.test(first!, '2025-03-04T09:00:00Z', 'FAILED')
    story.test(story.contents()[1]!, '2025-03-04T10:00:00Z', 'PASSED')
    expect(proofAt(tested(), story, '2025-03-04T12:00:00Z')).toBe('at-risk')
    story.test(first!, '2025-03-05T09:00:00Z', 'FAILED')
    expect(proofAt(tested(), story, '2025-03-05T12:00:00Z')).toBe('breached')
    story.drop(first!)
    story.inventory('2025-03-06T06:00:00Z')
    expect(proofAt(tested(), story, '2025-03-06T12:00:00Z')).toBe('compliant')
  })

  test('a test dated after its receipt counts for nothing', () => {
    const story = begun()
    story.test(story.contents()[0]!, '2025-04-01T09:00:00Z', 'PASSED', { receivedAt: '2025-03-20T09:00:00Z' })
    expect(proofAt(tested(), story, '2025-04-10T00:00:00Z')).toBe('at-risk')
  })

  describe('the ladder', () => {
    const own = contractFor({
      retention: keeping([{ per: 'day', keep: 10 }]),
      restoreTest: { every: 'P1Y', grace: 'P5D', ladder: 'P20D' },
      evidence: LONG,
    })
    const month = () => {
      const story = new Story()
      story.days('2025-03-01', '2025-03-20')
      return story
    }

    test('wants the snapshot that was the tier’s oldest owed one when the test began', () => {
      const story = month()
      expect(proofAt(own, story, '2025-03-20T22:00:00Z')).toBe('compliant')
      expect(proofAt(own, story, '2025-03-22T00:00:00Z')).toBe('at-risk')
      expect(proofAt(own, story, '2025-03-26T00:00:00Z')).toBe('breached')
      // On 21 March, 11 March is the oldest that is owed.
      story.test(story.contents()[11]!, '2025-03-21T09:00:00Z', 'PASSED')
      story.test(story.contents()[9]!, '2025-03-21T09:10:00Z', 'PASSED')
      expect(proofAt(own, story, '2025-03-26T00:00:00Z')).toBe('breached')
      story.test(story.contents()[10]!, '2025-03-21T09:20:00Z', 'PASSED')
      expect(proofAt(own, story, '2025-03-26T00:00:00Z')).toBe('compliant')
      expect(proofAt(own, story, '2025-04-11T00:00:00Z')).toBe('at-risk')
    })

    test('does not ask for what is only there, and owed by nobody', () => {
      const story = new Story()
      // Made by hand, before the first run: no run reports it.
      story.snapshot('2025-03-01T03:00:00Z')
      story.days('2025-03-02', '2025-03-20')
      const [, oldest] = story.contents()
      story.test(oldest!, '2025-03-08T09:00:00Z', 'PASSED')
      expect(proofAt(own, story, '2025-03-26T00:00:00Z')).toBe('compliant')
    })

    test('does not ask for a tier that has nothing yet', () => {
      const yearly = contractFor({
        onboardedAt: '2025-03-01',
        retention: keeping([
          { per: 'day', keep: 10 },
          { per: 'year', keep: 3 },
        ]),
        restoreTest: { every: 'P1Y', ladder: 'P20D' },
        evidence: LONG,
      })
      const story = month()
      story.test(story.contents()[0]!, '2025-03-10T09:00:00Z', 'PASSED')
      expect(proofAt(yearly, story, '2025-03-25T00:00:00Z')).toBe('compliant')
    })

    test('a tier that has begun and of which nothing is listed is not as good as tested', () => {
      const weekly = contractFor({
        schedule: { every: 'P7D' },
        retention: keeping([{ per: 'week', keep: 4 }]),
        restoreTest: { every: 'P1Y', ladder: 'P6D' },
        evidence: LONG,
      })
      const story = new Story()
      story.inventory('2025-03-03T06:00:00Z')
      expect(proofAt(weekly, story, '2025-03-06T12:00:00Z')).toBe('compliant')
      // Six days after the onboarding on the 1st; the tier's first week began on the 3rd.
      expect(proofAt(weekly, story, '2025-03-07T12:00:00Z')).toBe('at-risk')
    })
  })
})

describe('copies', () => {
  const away = repositoryOf('vault', 'vault')
  const copied = (more = {}) =>
    contractFor({ copies: [{ role: 'offsite', repository: 'vault', region: 'EEA', ...more }] })
  const story = (copyThrough: number) => {
    const told = new Story()
    const home = told.repository
    told.days('2025-03-01', '2025-03-04')
    told.copyAll(away, told.contents().slice(0, copyThrough))
    told.repository = away
    told.inventory('2025-03-05T05:00:00Z')
    told.repository = home
    told.inventory('2025-03-05T06:00:00Z')
    return told
  }
  const copiesAt = (told: Story, at: string, own = copied()) => setAt(own, told, at).dimensions.copies

  test('all there', () => {
    expect(copiesAt(story(4), '2025-03-05T12:00:00Z')).toBe('compliant')
  })

  test('absent before due and lag at risk, after it breached', () => {
    // 4 March: due on the 5th at 05:00Z, with a day's lag on the 6th.
    expect(copiesAt(story(3), '2025-03-06T04:59:59Z')).toBe('at-risk')
    expect(copiesAt(story(3), '2025-03-06T05:00:00Z')).toBe('breached')
    expect(askAt(copied(), story(3), '2025-03-06T05:00:00Z').findings.map(({ code }) => code)).toContain(
      'copy-missing',
    )
  })

  test('an old inventory of the copy is at risk, then unknown; none is unknown', () => {
    expect(copiesAt(story(4), '2025-03-06T07:00:00Z')).toBe('compliant')
    expect(copiesAt(story(4), '2025-03-06T07:00:01Z')).toBe('at-risk')
    expect(copiesAt(story(4), '2025-03-08T05:00:01Z')).toBe('unknown')
    const none = new Story()
    none.days('2025-03-01', '2025-03-02')
    expect(copiesAt(none, '2025-03-02T23:00:00Z')).toBe('unknown')
  })

  test('another tree is no copy', () => {
    const told = new Story()
    const home = told.repository
    told.days('2025-03-01', '2025-03-01')
    told.copyAll(away)
    const [copy] = told.contents(away)
    copy!.tree = 'f'.repeat(64)
    told.repository = away
    told.inventory('2025-03-02T05:00:00Z')
    told.repository = home
    told.inventory('2025-03-02T06:00:00Z')
    expect(copiesAt(told, '2025-03-02T07:00:00Z')).toBe('at-risk')
  })

  test.each([
    ['refused', ['refused'], 'compliant'],
    ['allowed', ['allowed'], 'breached'],
    ['inconclusive', ['inconclusive'], 'unknown'],
    ['none', [], 'unknown'],
    ['the newest decides', ['allowed', 'refused'], 'compliant'],
    ['the newest decides, also for the worse', ['refused', 'inconclusive'], 'unknown'],
  ] as const)('immutable by a probe: %s', (_, outcomes, verdict) => {
    const told = story(4)
    outcomes.forEach((outcome, place) => told.probe(`2025-03-05T0${7 + place}:00:00Z`, outcome, away))
    expect(copiesAt(told, '2025-03-05T12:00:00Z', copied({ immutableFor: 'P14D' }))).toBe(verdict)
  })

  test('a probe serves thirty-one days', () => {
    const own = contractFor({
      copies: [{ role: 'offsite', repository: 'vault', region: 'EEA', immutableFor: 'P14D' }],
      evidence: LONG,
    })
    const told = story(4)
    told.probe('2025-03-05T07:00:00Z', 'refused', away)
    expect(copiesAt(told, '2025-04-05T06:00:00Z', own)).toBe('compliant')
    expect(copiesAt(told, '2025-04-05T06:00:01Z', own)).toBe('unknown')
  })
})
