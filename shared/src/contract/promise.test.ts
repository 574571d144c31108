/** Proof and copies. */
import { describe, expect, test } from 'vitest'
import { Story, askAt, contractFor, keeping, repositoryOf, setAt } from './story-for-tests.ts'

const LONG = { freshFor: 'P400D', unknownAfter: 'P500D', silenceBreachAfter: 'P900D' }

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

  test('the second try of picked files takes back their own failure, and proves no more than the first', () => {
    const story = begun()
    const [first] = story.contents()
    const drawn = { seed: '07', seedFrom: 'agent' as const, strata: [], files: 1, bytes: 9 }
    const selection = { algorithm: 'requested', ...drawn }
    const retest = { reason: 'retest' as const, selection }
    story.test(first!, '2025-03-20T08:00:00Z', 'FAILED', { reason: 'requested', selection })
    story.inventory('2025-03-20T08:30:00Z')
    expect(proofAt(tested(), story, '2025-03-20T08:40:00Z')).toBe('at-risk')
    story.test(first!, '2025-03-20T09:00:00Z', 'PASSED', retest)
    story.inventory('2025-03-20T10:00:00Z')
    expect(proofAt(tested(), story, '2025-03-20T11:00:00Z')).toBe('compliant')
    // Of the set nothing was proven by it.
    expect(proofAt(tested(), story, '2025-04-20T00:00:00Z')).toBe('breached')
    // And of another failure nothing either.
    story.test(first!, '2025-03-20T12:00:00Z', 'FAILED', { mode: 'full' })
    story.test(first!, '2025-03-20T13:00:00Z', 'FAILED', { reason: 'requested', selection })
    story.test(first!, '2025-03-20T14:00:00Z', 'PASSED', retest)
    story.inventory('2025-03-20T15:00:00Z')
    expect(proofAt(tested(), story, '2025-03-20T16:00:00Z')).toBe('at-risk')
  })

  test.each([
    ['with fewer files', { files: 3 }, 'at-risk'],
    ['with fewer bytes', { bytes: 10 }, 'at-risk'],
    ['chosen in another way', { algorithm: 'by-name' }, 'at-risk'],
    ['with what the first did not list', { files: 1, bytes: 8 }, 'compliant'],
  ])('a second try of picked files, %s, after the first', (_, before, proof) => {
    const story = begun()
    const [first] = story.contents()
    const drawn = { seed: '07', seedFrom: 'agent' as const, strata: [], files: 2, bytes: 9 }
    const selection = { algorithm: 'requested', ...drawn }
    const failed = { reason: 'requested' as const, selection: { ...selection, ...before } }
    story.test(first!, '2025-03-20T08:00:00Z', 'FAILED', failed)
    story.test(first!, '2025-03-20T09:00:00Z', 'PASSED', { reason: 'retest', selection })
    story.inventory('2025-03-20T10:00:00Z')
    expect(proofAt(tested(), story, '2025-03-20T11:00:00Z')).toBe(proof)
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
