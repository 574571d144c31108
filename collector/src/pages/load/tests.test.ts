import { indexFacts } from '@bevis/shared/contract/facts'
import { Story, contractOf, setOf, versionOf } from '@bevis/shared/contract/story-for-tests'
import { sha256Hex } from '@bevis/shared/crypto'
import { expect, test } from 'vitest'
import { newestTests } from './tests.ts'

const CONTRACT = contractOf([
  versionOf(1, '2025-01-01', {
    sets: [
      setOf({ id: 'aftale-filer' }),
      setOf({ id: 'epj', selector: { repository: 'epj', hosts: ['epj'], requiredPaths: ['/srv/epj'] } }),
    ],
  }),
])

test('a set has the tests of its snapshots, whatever the agent calls it; the newest, as they were known', () => {
  const story = new Story()
  const snapshot = story.backup('2025-03-01T21:00:00Z')
  // Of this set by its name, and of another host by what it is of.
  story.test({ ...snapshot, host: 'srv9' }, '2025-03-02T04:00:00Z', 'FAILED', { set: 'aftale-filer' })
  for (const day of ['03', '04', '05'])
    story.test(snapshot, `2025-03-${day}T04:00:00Z`, 'PASSED', { set: 'filer' })
  const facts = story.facts.map((fact, place) => ({ ...fact, paeDigest: sha256Hex(String(place)) }))
  const digests = facts.slice(-3).map(({ paeDigest }) => paeDigest)
  const [first = '', second = '', third = ''] = digests
  const index = indexFacts(facts)
  expect(newestTests(CONTRACT, index, null, 2)).toEqual(new Map([['aftale-filer', [third, second]]]))
  expect(newestTests(CONTRACT, index, '2025-03-04T12:00:00Z', 6)).toEqual(
    new Map([['aftale-filer', [second, first]]]),
  )
})
