/** The conformance cases of the contract specification: every check of every case, by its subset rule. */
import { evaluate } from '@bevis/shared/contract/evaluate'
import { Evaluation } from '@bevis/shared/contract/evaluation'
import { parseContract } from '@bevis/shared/contract/parse'
import { readFact, runEvaluate } from '@bevis/shared/verify/evaluate'
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

  test('facts one by one, and forgotten, come to the same answer', () => {
    const { contract } = parseContract(contractText, { draft: true })
    if (contract === undefined) throw new Error('no contract')
    const lines = facts.split('\n').filter((line) => line.trim() !== '')
    const read = lines
      .map((line, n) => readFact(line, n + 1))
      .toSorted((a, b) => Date.parse(a.receivedAt) - Date.parse(b.receivedAt))
    for (const { at, knownAt } of checks) {
      const instants = { at: new Date(at), knownAt: new Date(knownAt ?? '2099-01-01T00:00:00.000Z') }
      const evaluation = new Evaluation(contract, instants)
      for (const fact of read) evaluation.add(fact)
      expect(evaluation.answer()).toEqual(evaluate({ contract, facts: read, ...instants }))
    }
  })
})
