/** A verdict says until when it holds: nothing turns worse by itself before the deadline that it tells. */
import { expect, test } from 'vitest'
import { Story, contractFor, setAt } from './story-for-tests.ts'

const HOUR_MS = 3_600_000
const BADNESS = ['not-applicable', 'compliant', 'at-risk', 'unknown', 'breached']

test.each([
  ['one backup, then silence', {}],
  [
    'with a copy that is listed no more',
    { copies: [{ role: 'offsite', repository: 'vault', region: 'DK' }] },
  ],
])('%s', (_, more) => {
  const contract = contractFor(more)
  const story = new Story()
  story.days('2025-03-01', '2025-03-02')
  const own = story.repository
  story.copyAll({ ...own, id: 'c'.repeat(64), lineage: 'vault' })
  story.repository = { ...own, id: 'c'.repeat(64), lineage: 'vault' }
  story.inventory('2025-03-02T23:30:00Z')
  let told = setAt(contract, story, '2025-03-02T23:31:00Z')
  let turned = 0
  for (let at = Date.parse('2025-03-03T00:31:00Z'); at < Date.parse('2025-03-12T00:00:00Z'); at += HOUR_MS) {
    const instant = new Date(at).toISOString()
    const set = setAt(contract, story, instant)
    const worse = Object.entries(set.dimensions).filter(
      ([name, verdict]) =>
        BADNESS.indexOf(verdict) > BADNESS.indexOf(told.dimensions[name as keyof typeof told.dimensions]),
    )
    const { nextDeadline } = told
    if (worse.length > 0) {
      turned += 1
      expect(nextDeadline === undefined || nextDeadline >= instant ? [instant, worse] : 'told').toBe('told')
    }
    told = set
  }
  expect(turned).toBeGreaterThan(3)
})
