import { expect, test } from 'vitest'
import { mostObligations } from './extent.ts'
import { Story, contractOf, keeping, setAt, setOf, versionOf } from './story-for-tests.ts'

test('no fewer than are made, and not many more, through all versions', () => {
  const sets = [
    setOf({
      onboardedAt: undefined,
      retention: keeping([
        { per: 'hour', keep: 24 },
        { per: 'day', keep: 30 },
        { per: 'month', keep: 12 },
        { per: 'year', keep: 2 },
      ]),
    }),
  ]
  const contract = contractOf([
    versionOf(1, '2025-01-01', { sets }),
    versionOf(2, '2025-03-15', { sets, amendmentPolicy: 'prospective' }),
  ])
  const at = '2025-06-01T00:00:00Z'
  const made = setAt(contract, new Story(), at).obligations.length
  const most = mostObligations(contract, new Date(at))
  expect(most).toBeGreaterThanOrEqual(made)
  expect(most).toBeLessThan(made * 1.05)
})
