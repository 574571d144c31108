/** Rules that seldom decide, each alone. */
import { expect, test } from 'vitest'
import {
  Story,
  contractFor,
  contractOf,
  keeping,
  obligationIn,
  repositoryOf,
  setAt,
  setOf,
  sourceOf,
  versionOf,
} from './story-for-tests.ts'

const HOUR_MS = 3_600_000
const LONG = { freshFor: 'P90D', unknownAfter: 'P91D', silenceBreachAfter: 'P92D' }

test('a restore test by a clock too far off proves nothing, and is told', () => {
  const contract = contractFor({ restoreTest: { every: 'P10D', grace: 'P1D' }, evidence: LONG })
  const story = new Story()
  story.days('2025-03-01', '2025-03-02')
  story.heartbeat('2025-03-08T10:00:00Z', 2 * HOUR_MS)
  story.test(story.contents()[0]!, '2025-03-08T12:00:00Z', 'PASSED', { receivedAt: '2025-03-08T12:10:00Z' })
  expect(setAt(contract, story, '2025-03-14T00:00:00Z').dimensions.proof).toBe('breached')
  const right = new Story()
  right.days('2025-03-01', '2025-03-02')
  right.test(right.contents()[0]!, '2025-03-08T12:00:00Z', 'PASSED')
  expect(setAt(contract, right, '2025-03-14T00:00:00Z').dimensions.proof).toBe('compliant')
})

test('a hold of the contract’s text ends at midnight of its last day, and is over before it', () => {
  const held = contractOf([
    versionOf(1, '2025-01-01', {
      sets: [
        setOf({
          retention: keeping([{ per: 'day', keep: 2 }], { age: 'P4D', purgeGrace: 'P2D' }),
          evidence: LONG,
        }),
      ],
      holds: [
        {
          sets: ['filer'],
          covers: { from: '2025-03-01', to: '2025-03-01' },
          authority: 'A',
          start: '2025-03-02',
          end: '2025-03-20',
        },
      ],
    }),
  ])
  const story = new Story()
  story.days('2025-03-01', '2025-03-02')
  const ceilingAt = (at: string) => setAt(held, story, at).snapshots?.[0]?.ceiling
  expect(ceilingAt('2025-03-19T22:59:59Z')).toBe('held')
  // Released at midnight (23:00Z): two days to purge from then.
  expect(ceilingAt('2025-03-19T23:00:00Z')).toBe('purge-due')
  expect(ceilingAt('2025-03-21T22:59:59Z')).toBe('purge-due')
  expect(ceilingAt('2025-03-21T23:00:00Z')).toBe('over-retained')
})

test('a pruning that claims to begin later than it was told shows nothing purged', () => {
  const contract = contractFor({
    retention: keeping([{ per: 'day', keep: 2 }], { age: 'P4D', purgeGrace: 'P2D' }),
    evidence: LONG,
  })
  const story = new Story()
  story.days('2025-03-01', '2025-03-03')
  story.forget([], '2025-03-20T12:00:00Z', { receivedAt: '2025-03-04T05:00:00Z' })
  story.drop(story.contents()[0]!)
  story.inventory('2025-03-04T06:00:00Z')
  const ceilings = setAt(contract, story, '2025-03-21T00:00:00Z').snapshots?.map(({ ceiling }) => ceiling)
  expect(ceilings?.[0]).toBe('over-retained')
})

test('a rewritten snapshot in a successor wants both approvals: the erasure’s and the succession’s', () => {
  const moved = repositoryOf('moved', 'vts-01')
  const told = (events: ('repository-succession' | 'erasure-approved')[]) => {
    const story = new Story()
    story.days('2025-03-01', '2025-03-01')
    const [first] = story.contents()
    const from = story.repository.id
    for (const event of events) {
      const detail = event === 'erasure-approved' ? { original: first!.id } : { from, to: moved.id }
      story.both('2025-03-02T05:00:00Z', event, detail)
    }
    story.copyAll(moved)
    story.contents(moved)[0]!.tree = 'e'.repeat(64)
    story.repository = moved
    story.inventory('2025-03-02T07:00:00Z')
    return obligationIn(setAt(contractFor({}), story, '2025-03-02T08:00:00Z'), '2025-03-01').state
  }
  expect(told([])).toBe('lost')
  expect(told(['repository-succession'])).toBe('lost')
  expect(told(['erasure-approved'])).toBe('lost')
  expect(told(['repository-succession', 'erasure-approved'])).toBe('met')
})

test('a run that found nothing to read waits for somebody’s word, whatever else was agreed', () => {
  const story = new Story()
  const empty = story.backup('2025-03-01T21:00:00Z', { source: sourceOf(0) })
  story.inventory('2025-03-01T22:00:00Z')
  story.inventory('2025-03-02T06:00:00Z')
  const state = () => obligationIn(setAt(contractFor({}), story, '2025-03-02T09:00:00Z'), '2025-03-01').state
  expect(state()).toBe('late')
  story.event('2025-03-02T08:00:00Z', 'finding-acknowledged', 'customer', { snapshot: empty.id })
  expect(state()).toBe('met')
})

test('53 weeks: 2026 ends with week 53, which is owed and kept like any other', () => {
  const contract = contractOf([
    versionOf(1, '2026-12-01', {
      sets: [
        setOf({ onboardedAt: '2026-12-01', retention: keeping([{ per: 'week', keep: 1, anchor: 'SAT' }]) }),
      ],
    }),
  ])
  const story = new Story()
  story.backup('2027-01-02T21:00:00Z') // the Saturday of week 53
  story.inventory('2027-01-04T06:00:00Z')
  expect(obligationIn(setAt(contract, story, '2027-01-04T07:00:00Z'), '2026-W53')).toMatchObject({
    state: 'met',
    from: '2026-12-27T23:00:00.000Z',
    to: '2027-01-03T23:00:00.000Z',
    keepUntil: '2027-01-10T23:00:00.000Z',
  })
})
