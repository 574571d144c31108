/** Listings as changes upon a base: what cannot be folded proves neither presence nor loss. */
import { describe, expect, test } from 'vitest'
import { Story, askAt, contractFor, obligationIn, repositoryOf, setAt } from './story-for-tests.ts'

const contract = contractFor({})
const wrong = 'f'.repeat(64)

function state(story: Story | Story[], at: string, bucket: string, knownAt?: string) {
  const facts = Array.isArray(story) ? Story.together(...story) : Story.together(story)
  return obligationIn(askAt(contract, facts, at, knownAt).sets[0]!, bucket).state
}

test('a removal that does not fold to its digest loses nothing; the listing before it ages', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-02')
  story.drop(story.contents()[0]!)
  story.inventory('2025-03-03T06:00:00Z', { digest: wrong })
  expect(state(story, '2025-03-03T23:59:00Z', '2025-03-01')).toBe('met')
  expect(state(story, '2025-03-04T00:00:00.001Z', '2025-03-01')).toBe('stale')
  expect(state(story, '2025-03-05T22:00:00.001Z', '2025-03-01')).toBe('unknown')
  const { findings } = askAt(contract, story, '2025-03-03T07:00:00Z')
  expect(findings).toContainEqual(expect.objectContaining({ code: 'broken-inventory' }))
})

test('nor does it show anything: what only it lists is not there', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-01')
  story.backup('2025-03-02T21:00:00Z')
  story.inventory('2025-03-02T22:00:00Z', { digest: wrong })
  expect(state(story, '2025-03-02T22:30:00Z', '2025-03-02')).toBe('pending')
  expect(state(story, '2025-03-03T05:00:00Z', '2025-03-02')).toBe('unknown')
})

test('what builds on a broken one is broken too, until a listing builds on one that holds', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-01')
  const good = story.facts.at(-1)!.statement.predicate as { digest: string }
  story.backup('2025-03-02T21:00:00Z')
  story.inventory('2025-03-02T22:00:00Z', { digest: wrong })
  story.inventory('2025-03-03T06:00:00Z', { base: wrong })
  expect(state(story, '2025-03-03T06:30:00Z', '2025-03-02')).toBe('unknown')
  story.inventory('2025-03-03T07:00:00Z', { base: good.digest, added: [story.contents()[1]!] })
  expect(state(story, '2025-03-03T07:00:00Z', '2025-03-02')).toBe('met')
})

test('a missing base: lost in transit, then sent again', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-01')
  story.backup('2025-03-02T21:00:00Z')
  story.inventory('2025-03-02T22:00:00Z', { receivedAt: '2025-03-09T08:00:00Z' })
  story.backup('2025-03-03T21:00:00Z')
  story.inventory('2025-03-03T22:00:00Z')
  const [at, before] = ['2025-03-04T05:00:00Z', '2025-03-09T07:59:59Z']
  expect(['2025-03-01', '2025-03-02', '2025-03-03'].map((day) => state(story, at, day, before))).toEqual([
    'stale',
    'unknown',
    'unknown',
  ])
  expect(['2025-03-01', '2025-03-02', '2025-03-03'].map((day) => state(story, at, day))).toEqual([
    'met',
    'met',
    'met',
  ])
})

test('a whole list that does not give its digest is none', () => {
  const story = new Story()
  story.backup('2025-03-01T21:00:00Z')
  story.inventory('2025-03-02T06:00:00Z', { digest: wrong })
  expect(state(story, '2025-03-02T06:00:00Z', '2025-03-01')).toBe('unknown')
  story.forgetBase()
  story.inventory('2025-03-02T07:00:00Z')
  expect(state(story, '2025-03-02T07:00:00Z', '2025-03-01')).toBe('met')
})

test('an older listing that arrives later is not the newest', () => {
  const story = new Story()
  const gone = story.backup('2025-03-01T21:00:00Z')
  story.inventory('2025-03-01T22:00:00Z', { receivedAt: '2025-03-03T08:00:00Z' })
  story.drop(gone)
  story.inventory('2025-03-02T06:00:00Z', { base: null, added: [] })
  expect(state(story, '2025-03-02T07:00:00Z', '2025-03-01', '2025-03-02T07:00:00Z')).toBe('missed')
  expect(state(story, '2025-03-02T07:00:00Z', '2025-03-01')).toBe('lost')
})

describe('two agents with one repository', () => {
  const shared = contractFor({
    selector: { repository: 'vts-01', hosts: ['srv1'], requiredPaths: ['/srv/data'] },
  })
  const make = () => {
    const one = new Story({ agent: 'agent-1', host: 'srv1' })
    const two = new Story({ agent: 'agent-2', host: 'srv2' })
    const mine = one.backup('2025-03-01T21:00:00Z')
    one.inventory('2025-03-01T22:00:00Z')
    two.contents().push(mine)
    two.backup('2025-03-01T22:30:00Z')
    return { one, two, mine }
  }
  const at = (stories: Story[], instant: string) => setAt(shared, Story.together(...stories), instant)

  test('the newest listing counts, whoever took it', () => {
    const { one, two } = make()
    two.inventory('2025-03-03T06:00:00Z')
    const set = at([one, two], '2025-03-03T20:00:00Z')
    expect(obligationIn(set, '2025-03-01').state).toBe('met')
    expect(obligationIn(set, '2025-03-02').state).toBe('missed')
    expect(set.dimensions.evidence).toBe('compliant')
  })

  test('one may build upon the other’s', () => {
    const { one, two } = make()
    const { digest } = one.facts.at(-1)!.statement.predicate as { digest: string }
    two.inventory('2025-03-02T06:00:00Z', { base: digest, added: [two.contents()[1]!] })
    expect(obligationIn(at([one, two], '2025-03-02T06:00:00Z'), '2025-03-01').state).toBe('met')
  })

  test('what the other removed is lost for this one', () => {
    const { one, two, mine } = make()
    two.drop(mine)
    two.inventory('2025-03-02T06:00:00Z')
    expect(obligationIn(at([one, two], '2025-03-02T06:00:00Z'), '2025-03-01').state).toBe('lost')
  })

  test('what the other’s clock or key spoils does not speak for the repository', () => {
    const { one, two, mine } = make()
    two.heartbeat('2025-03-02T05:00:00Z', 2 * 3_600_000)
    two.drop(mine)
    two.inventory('2025-03-02T06:00:00Z')
    expect(obligationIn(at([one, two], '2025-03-02T06:00:00Z'), '2025-03-01').state).toBe('met')
  })
})

test('another lineage’s listing is no news of this one', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-01')
  story.repository = repositoryOf('elsewhere', 'vts-09')
  story.inventory('2025-03-03T06:00:00Z')
  expect(state(story, '2025-03-03T07:00:00Z', '2025-03-01')).toBe('stale')
})
