/** Sets of several hosts, sets that share a repository, and what is one lineage under two names. */
import { describe, expect, test } from 'vitest'
import type { Fact } from './known.ts'
import {
  Story,
  contractFor,
  contractOf,
  obligationIn,
  repositoryOf,
  setAt,
  setOf,
  sourceOf,
  versionOf,
} from './story-for-tests.ts'

const one = (host: string) => new Story({ agent: `agent-${host}`, host })
const selector = { repository: 'vts-01', hosts: ['big', 'small'], requiredPaths: ['/srv/data'] }

/** Two hosts back up to one repository; the big one lists it. */
function told(files: { big: number; small: number }[]): Fact[] {
  const [big, small] = [one('big'), one('small')]
  files.forEach((of, number) => {
    const date = `2025-03-0${number + 1}`
    const late = small.backup(`${date}T20:00:00Z`, { source: sourceOf(of.small) })
    big.backup(`${date}T21:00:00Z`, { source: sourceOf(of.big) })
    big.contents().push(late)
    big.inventory(`${date}T22:00:00Z`)
  })
  return Story.together(big, small)
}

describe('the guard of several hosts', () => {
  const contract = contractFor({ selector, content: { maxDropPct: 20 } })

  test('a small one is no drop of a large one', () => {
    const facts = told([
      { big: 4000, small: 50 },
      { big: 4000, small: 50 },
    ])
    expect(setAt(contract, facts, '2025-03-02T23:00:00Z').counts).toMatchObject({ met: 2, late: 0 })
  })

  test('nor the measure by which a large one passes', () => {
    const facts = told([
      { big: 4000, small: 50 },
      { big: 60, small: 10 },
    ])
    expect(obligationIn(setAt(contract, facts, '2025-03-03T12:00:00Z'), '2025-03-02').state).toBe('late')
  })
})

test('two sets in one repository: each by its host, listed by either', () => {
  const set = (id: string) => setOf({ id, selector: { ...selector, hosts: [id] } })
  const contract = contractOf([versionOf(1, '2025-01-01', { sets: [set('big'), set('small')] })])
  const facts = told([{ big: 4000, small: 50 }]).filter(
    ({ statement: { predicate } }) => !('host' in predicate && predicate.host === 'small'),
  )
  expect(obligationIn(setAt(contract, facts, '2025-03-02T12:00:00Z', 'big'), '2025-03-01').state).toBe('met')
  // Its snapshot is there, but nobody signed for the run.
  expect(obligationIn(setAt(contract, facts, '2025-03-02T12:00:00Z', 'small'), '2025-03-01').state).toBe(
    'unknown',
  )
})

describe('a copy', () => {
  const story = new Story()
  story.days('2025-03-01', '2025-03-02')

  test('is none where it names the set’s own repository by its ID', () => {
    const contract = contractFor({
      copies: [{ role: 'offsite', repository: story.repository.id, region: 'EEA' }],
    })
    expect(setAt(contract, story, '2025-03-02T23:00:00Z').dimensions.copies).toBe('unknown')
  })

  test('nor where it followed the set’s own by a succession', () => {
    const away = repositoryOf('vault', 'vault')
    const contract = contractFor({ copies: [{ role: 'offsite', repository: 'vault', region: 'EEA' }] })
    const moved = new Story()
    moved.days('2025-03-01', '2025-03-02')
    moved.copyAll(away)
    moved.repository = away
    moved.inventory('2025-03-03T06:00:00Z')
    expect(setAt(contract, moved, '2025-03-03T07:00:00Z').dimensions.copies).toBe('compliant')
    const home = repositoryOf('vts-01', 'vts-01')
    moved.both('2025-03-03T06:30:00Z', 'repository-succession', { from: home.id, to: away.id })
    expect(setAt(contract, moved, '2025-03-03T07:00:00Z').dimensions.copies).toBe('unknown')
  })

  test('is not shown to be immutable by a probe that has not happened yet', () => {
    const away = repositoryOf('vault', 'vault')
    const contract = contractFor({
      copies: [{ role: 'offsite', repository: 'vault', region: 'EEA', immutableFor: 'P14D' }],
      evidence: { freshFor: 'P90D', unknownAfter: 'P91D' },
    })
    const told = new Story()
    told.days('2025-03-01', '2025-03-01')
    told.copyAll(away)
    told.repository = away
    told.inventory('2025-03-01T23:00:00Z')
    told.probe('2025-03-25T00:00:00Z', 'refused', away)
    told.facts.at(-1)!.receivedAt = '2025-03-02T00:00:00.000Z'
    const verdictAt = (at: string) => setAt(contract, told, at).dimensions.copies
    expect(verdictAt('2025-04-01T23:00:00Z')).toBe('compliant')
    expect(verdictAt('2025-04-01T23:00:01Z')).toBe('unknown')
  })
})
