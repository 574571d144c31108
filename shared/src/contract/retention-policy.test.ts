import { expect, test } from 'vitest'
import { indexFacts } from './facts.ts'
import { policyAsRestic } from './retention-policy.ts'
import { parseForgetPolicy } from './simulation/forget-policy.ts'
import { playForget } from './simulation/wrong-deletion.ts'
import { Story, contractOf, keeping, setOf, versionOf } from './story-for-tests.ts'

const story = new Story()
story.days('2025-03-01', '2026-02-10')
const index = indexFacts(story.facts)

test.each([
  ['--keep-daily 6', [{ per: 'day', keep: 5 }]],
  [
    '--keep-daily 31 --keep-monthly 4',
    [
      { per: 'day', keep: 30 },
      { per: 'month', keep: 3 },
    ],
  ],
  // Whatever is taken last in a week need not be of its Saturday.
  [
    '--keep-daily 35',
    [
      { per: 'day', keep: 14 },
      { per: 'week', keep: 4, anchor: 'SAT' },
    ],
  ],
  ['--keep-monthly 36', [{ per: 'fiscalYear', keep: 1, fyEnd: '06-30', closeAfter: 'P2M' }]],
])('%s removes nothing that is owed while backups run', (expected, min) => {
  const sets = [setOf({ retention: keeping(min) })]
  const contract = contractOf([versionOf(1, '2025-03-01', { sets })])
  const [set] = contract.versions[0]?.sets ?? []
  const args = set === undefined ? [] : policyAsRestic(set)
  expect(args.slice(0, 3)).toEqual(['forget', '--host srv1', "--group-by ''"])
  const policy = args.slice(3).join(' ')
  expect(policy).toBe(expected)
  const [outcome] = playForget(contract, index, parseForgetPolicy(policy), new Date('2026-02-11T00:00:00Z'))
  expect(outcome?.first).toBeNull()
})

test('in a repository that several sets of a host share, it is about this set’s own paths', () => {
  const [set] = contractOf([versionOf(1, '2025-03-01')]).versions[0]?.sets ?? []
  const args = set === undefined ? [] : policyAsRestic(set, ['/srv/data', "/srv/o'brien"])
  expect(args.join(' ')).toBe(
    String.raw`forget --host srv1 --path '/srv/data' --path '/srv/o'\''brien' --group-by '' --keep-daily 31`,
  )
})
