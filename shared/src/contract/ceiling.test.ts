/** Ceilings and holds. */
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
