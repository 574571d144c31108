import { COUNTED_STATES } from '@bevis/shared/contract/answer'
import type { FindingAnswer, ObligationState, SetAnswer } from '@bevis/shared/contract/answer'
import { describe, expect, test } from 'vitest'
import { sayDimensions, sayHeadline, worstOf } from './dimensions.ts'

const NEVER = { tested: false, passed: false, listed: false, firstDue: '2026-12-23' }
const PROVEN = { tested: true, passed: true, listed: true, firstDue: '2026-12-23' }

function setOf(counts: Partial<Record<ObligationState, number>>): SetAnswer {
  const none = Object.fromEntries(COUNTED_STATES.map((state) => [state, 0])) as SetAnswer['counts']
  return {
    id: 'shop',
    headline: 'compliant',
    dimensions: {
      points: 'compliant',
      retention: 'compliant',
      ceiling: 'compliant',
      proof: 'compliant',
      copies: 'not-applicable',
      evidence: 'compliant',
    },
    counts: { ...none, ...counts },
    rate: null,
    obligations: [],
    snapshots: [],
  }
}

const refuted: FindingAnswer = {
  code: 'refuted',
  set: 'shop',
  at: '2026-11-23T09:00:00.000Z',
  detail: {},
  evidence: [],
}

describe('what is said of a dimension', () => {
  test('without any evidence nothing is called compliant', () => {
    const said = sayDimensions(setOf({ pending: 1 }), [], NEVER)
    expect(Object.values(said).map(({ state }) => state)).not.toContain('compliant')
    expect(said.retention.state).toBe('not-owed')
    expect(said.ceiling.state).toBe('not-owed')
    expect(said.proof).toEqual({ state: 'not-due', text: 'proofNone', date: '2026-12-23' })
    expect(said.copies.state).toBe('not-applicable')
  })

  test('an inventory that never came is not one that is too old', () => {
    const late = setOf({ unknown: 1 })
    late.dimensions.evidence = 'at-risk'
    expect(sayDimensions(late, [], NEVER).evidence).toEqual({ state: 'at-risk', text: 'evidenceNever' })
    expect(sayDimensions(late, [], PROVEN).evidence).toEqual({ state: 'at-risk', text: null })
  })

  test('where a point was missed, something was owed and nothing is kept', () => {
    const said = sayDimensions(setOf({ missed: 1 }), [], NEVER)
    expect(said.retention).toEqual({ state: 'not-kept', text: 'retentionUnseen' })
  })

  test('a test that did not pass is no pass', () => {
    const said = sayDimensions(setOf({ met: 1 }), [], { ...NEVER, tested: true })
    expect(said.proof.text).toBe('proofNonePassed')
  })

  test('with its only snapshot refuted no backup has been taken that counts', () => {
    const said = sayDimensions(setOf({ pending: 1 }), [refuted], { ...PROVEN, passed: false })
    expect(said.points).toEqual({ state: 'not-owed', text: 'pointsNoneRefuted' })
    expect(sayDimensions(setOf({ met: 3 }), [refuted], PROVEN).points.text).toBe('pointsRefuted')
    const other = { ...refuted, set: 'mail' }
    expect(sayDimensions(setOf({ met: 3 }), [other], PROVEN).points.text).toBe(null)
  })

  test('a hold that was broken is not told as something that is kept too long', () => {
    const set = setOf({ met: 1 })
    set.dimensions.ceiling = 'breached'
    const held = { ...refuted, code: 'hold-broken' }
    expect(sayDimensions(set, [held], PROVEN).ceiling).toEqual({ state: 'breached', text: 'ceilingHeld' })
    expect(sayDimensions(set, [{ ...held, set: 'mail' }], PROVEN).ceiling.text).toBe(null)
  })

  test('what was shown is said in the verdict’s own words, and a bad verdict always', () => {
    const said = sayDimensions(
      { ...setOf({ met: 3 }), snapshots: [{ id: 'a', ceiling: 'within' }] },
      [],
      PROVEN,
    )
    expect(Object.values(said).every(({ text }) => text === null)).toBe(true)
    const late = setOf({ late: 1 })
    late.dimensions.points = 'at-risk'
    expect(sayDimensions(late, [], NEVER).points).toEqual({ state: 'at-risk', text: null })
  })

  test('over several sets the judged one is told', () => {
    const none = sayDimensions(setOf({ pending: 1 }), [], NEVER)
    const kept = sayDimensions(setOf({ met: 1 }), [], PROVEN)
    expect(worstOf([none, kept]).points).toBe('compliant')
    expect(sayHeadline('compliant', [none, none])).toBe('not-owed')
    expect(sayHeadline('compliant', [none, kept])).toBe('compliant')
    expect(sayHeadline('breached', [none])).toBe('breached')
    expect(worstOf([none, none]).points).toBe('not-owed')
  })
})
