/** The conformance cases of the contract specification: every check of every case, by its subset rule. */
import { runEvaluate } from '@bevis/shared/verify/evaluate'
import { describe, expect, test } from 'vitest'
import { CASES, differences } from './kit/compliance-case.ts'

test('there are cases', () => {
  expect(CASES.length).toBeGreaterThanOrEqual(17)
})

describe.each(CASES)('$name', ({ contractText, facts, checks }) => {
  test.each(checks)('$at $knownAt: $why', ({ at, knownAt, expect: wanted }) => {
    const answer = runEvaluate({
      contractText,
      facts,
      at: new Date(at),
      ...(knownAt !== undefined && { knownAt: new Date(knownAt) }),
    })
    expect(differences(JSON.parse(JSON.stringify(answer)), wanted, '')).toEqual([])
  })
})
