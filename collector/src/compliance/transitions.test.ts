import type { Answer, ObligationState, Verdict } from '@bevis/shared/contract/answer'
import { expect, test } from 'vitest'
import { changesBetween, keptOf } from './transitions.ts'

const instant = '2026-11-23T00:00:00.000Z'

function answerOf(
  headline: Verdict,
  states: Record<string, ObligationState>,
  keepUntil: string | null = null,
): Answer {
  const rest = { from: instant, to: instant, due: instant, keepUntil }
  return {
    contract: 'AFT-1',
    version: 1,
    at: instant,
    knownAt: null,
    headline,
    findings: [],
    corrections: [],
    sets: [
      {
        id: 'shop',
        headline,
        dimensions: {
          points: headline,
          retention: 'compliant',
          ceiling: 'not-applicable',
          proof: 'compliant',
          copies: 'not-applicable',
          evidence: 'compliant',
        },
        counts: {
          pending: 0,
          late: 0,
          met: 0,
          stale: 0,
          missed: 0,
          lost: 0,
          unknown: 0,
          excused: 0,
          discharged: 0,
        },
        rate: null,
        obligations: Object.entries(states).map(([bucket, state]) => ({
          tier: 'dayx14',
          bucket,
          state,
          ...rest,
        })),
      },
    ],
  }
}

const told = (before: Answer | null, after: Answer) =>
  changesBetween(before && keptOf(before), keptOf(after), after).map(
    ({ subject, from, to }) => `${subject}: ${from ?? 'new'} -> ${to}`,
  )

test('nothing changed is nothing told', () => {
  const answer = answerOf('compliant', { '2026-11-22': 'met', '2026-11-23': 'pending' })
  expect(told(answer, answer)).toEqual([])
})

test('the first evaluation tells verdicts, and no obligations of the time before it', () => {
  expect(told(null, answerOf('breached', { '2026-11-20': 'missed' }))).toEqual([
    'headline: new -> breached',
    'points: new -> breached',
    'retention: new -> compliant',
    'ceiling: new -> not-applicable',
    'proof: new -> compliant',
    'copies: new -> not-applicable',
    'evidence: new -> compliant',
  ])
})

test('trouble and its end are told, the ordinary way of a point is not', () => {
  const before = answerOf('compliant', { a: 'pending', b: 'late', c: 'met', d: 'met' })
  const after = answerOf('breached', {
    a: 'met',
    b: 'missed',
    c: 'discharged',
    d: 'lost',
    e: 'pending',
    f: 'late',
  })
  expect(told(before, after)).toEqual([
    'headline: compliant -> breached',
    'points: compliant -> breached',
    'dayx14/b: late -> missed',
    'dayx14/d: met -> lost',
    'dayx14/f: new -> late',
  ])
  expect(told(after, before)).toContain('dayx14/b: missed -> late')
})

test('what is settled is told by its last state, and found anew when late evidence turns it', () => {
  const live = answerOf('at-risk', { a: 'stale', b: 'met', c: 'missed' })
  const over = answerOf('compliant', { a: 'discharged', b: 'discharged', c: 'missed' }, instant)
  expect(keptOf(over).sets[0]?.obligations.map(({ bucket }) => bucket)).toEqual(['c'])
  expect(told(live, over)).toContain('dayx14/a: stale -> discharged')
  expect(told(live, over).some((line) => /\/[bc]:/.test(line))).toBe(false)
  const corrected = answerOf('compliant', { a: 'lost', b: 'discharged', c: 'discharged' }, instant)
  expect(told(over, corrected)).toEqual(['dayx14/a: discharged -> lost', 'dayx14/c: missed -> discharged'])
})
