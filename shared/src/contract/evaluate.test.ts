import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Answer } from './answer.ts'
import { evaluate, judge } from './evaluate.ts'
import { emptyIndex, addFact, indexFacts } from './facts.ts'
import type { Fact } from './known.ts'
import { Story, contractFor, instantOf, keeping } from './story-for-tests.ts'

const DAYS = 12
const HOUR_MS = 3_600_000
const FIRST = Date.parse('2025-03-20T00:00:00Z') // over the night of 30 March

const contract = contractFor({
  onboardedAt: '2025-03-20',
  retention: keeping(
    [
      { per: 'day', keep: 5 },
      { per: 'week', keep: 1 },
      { per: 'day', keep: 3, basis: 'generations' },
    ],
    { age: 'P14D', purgeGrace: 'P1D' },
  ),
  partial: { maxFailedPct: 1, neverPaths: [] },
  restoreTest: { every: 'P4D', grace: 'P2D', ladder: 'P6D' },
})

const day = fc.record({
  backup: fc.constantFrom('complete', 'complete', 'complete', 'partial', 'bad', 'failed', 'by hand', 'none'),
  hour: fc.integer({ min: 0, max: 22 }),
  inventory: fc.constantFrom('delta', 'delta', 'whole', 'failed', 'none'),
  test: fc.constantFrom('none', 'none', 'PASSED'),
  forget: fc.boolean(),
})
type Day = typeof day extends fc.Arbitrary<infer T> ? T : never

/** A history that stays true: what happens, happens in order, and clocks are right. */
function tell(days: readonly Day[], deleting: boolean): Fact[] {
  const story = new Story()
  days.forEach(({ backup, hour, inventory, test: result, forget }, number) => {
    const at = (hours: number) => instantOf(FIRST + (number * 24 + hours) * HOUR_MS)
    if (deleting && forget && story.contents().length > 3) {
      story.forget(story.contents().slice(0, 1), at(hour - 0.4))
    }
    if (backup === 'by hand') story.snapshot(at(hour))
    else if (backup === 'failed') story.facts.push(...failedRun(story, at(hour)))
    else if (backup !== 'none') {
      const failed = { count: backup === 'bad' ? 400 : 1, paths: ['/srv/data/a'] }
      story.backup(at(hour), backup === 'complete' ? {} : { outcome: 'partial', failed })
    }
    const newest = story.contents().at(-1)
    if (result === 'PASSED' && newest !== undefined) story.test(newest, at(hour + 0.2), result)
    if (inventory === 'whole') story.forgetBase()
    if (inventory === 'failed') story.inventory(at(hour + 0.5), { complete: false })
    else if (inventory !== 'none') story.inventory(at(hour + 0.5))
  })
  return story.facts
}

function failedRun(story: Story, at: string): Fact[] {
  const before = story.facts.length
  story.backup(at, { outcome: 'failed', exitCode: 1 })
  story.drop(story.contents().at(-1)!)
  return story.facts.splice(before)
}

const history = fc.array(day, { minLength: DAYS, maxLength: DAYS })
const instant = fc.integer({ min: FIRST, max: FIRST + (DAYS + 6) * 24 * HOUR_MS })

function without(answer: Answer): Answer {
  return { ...answer, corrections: [], knownAt: null }
}

test('the order of arrival does not matter for what is known', () => {
  fc.assert(
    fc.property(history, instant, fc.array(fc.nat(200)), (days, at, delays) => {
      const facts = tell(days, true)
      const late = facts
        .map((fact, place) => ({
          ...fact,
          receivedAt: instantOf(
            Date.parse(fact.receivedAt) + (delays[place % Math.max(1, delays.length)] ?? 0) * HOUR_MS,
          ),
        }))
        .toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt))
      const ask = (known: Fact[]) =>
        without(evaluate({ contract, facts: known, at: new Date(at), knownAt: new Date('2026-01-01') }))
      expect(ask(late)).toEqual(ask(facts))
    }),
    { numRuns: 150 },
  )
})

test('of two inventories of one instant it does not matter which came first', () => {
  const days = (gone: boolean) => {
    const story = new Story()
    const other = new Story({ agent: 'agent-2' })
    story.days('2025-03-20', '2025-03-22')
    other.contents().push(...story.contents())
    if (gone) other.drop(story.contents()[1]!)
    other.inventory('2025-03-23T06:00:00Z')
    story.inventory('2025-03-23T06:00:00Z')
    return [...story.facts, ...other.facts]
  }
  const ask = (facts: Fact[]) => without(evaluate({ contract, facts, at: new Date('2025-03-23T07:00:00Z') }))
  const facts = days(true)
  expect(ask([...facts.slice(0, -2), ...facts.slice(-2).toReversed()])).toEqual(ask(facts))
  expect(ask(facts)).not.toEqual(ask(days(false)))
})

test('folding facts one by one gives what a clean fold gives', () => {
  fc.assert(
    fc.property(history, instant, (days, at) => {
      const facts = tell(days, true)
      const index = emptyIndex()
      for (const [place, fact] of facts.entries()) {
        addFact(index, fact)
        if (place % 7 !== 0) continue
        const clean = indexFacts(facts.slice(0, place + 1))
        expect(judge({ contract, index, at: new Date(at) })).toEqual(
          judge({ contract, index: clean, at: new Date(at) }),
        )
      }
    }),
    { numRuns: 50 },
  )
})

test('leaving out any one statement never makes a contract compliant, nor an obligation met', () => {
  fc.assert(
    fc.property(history, instant, fc.nat(), (days, at, which) => {
      const facts = tell(days, false)
      const place = which % facts.length
      const all = evaluate({ contract, facts, at: new Date(at) })
      const less = evaluate({
        contract,
        facts: facts.filter((_, index) => index !== place),
        at: new Date(at),
      })
      expect(improvements(all, less)).toEqual([])
    }),
    { numRuns: 400 },
  )
})

function improvements(all: Answer, less: Answer): string[] {
  const states = new Map(
    all.sets.flatMap((set) =>
      set.obligations.map((one) => [`${set.id} ${one.tier} ${one.bucket}`, one.state] as const),
    ),
  )
  const isKept = (state: string | undefined) => state === 'met' || state === 'discharged'
  const improved = less.sets.flatMap((set) =>
    set.obligations
      // A generation's end is itself an inventory: without it, the obligation ends later.
      .filter(({ tier }) => tier !== 'dayx3')
      .filter(
        ({ tier, bucket, state }) => isKept(state) && !isKept(states.get(`${set.id} ${tier} ${bucket}`)),
      )
      .map(({ tier, bucket, state }) => `${tier} ${bucket} became ${state}`),
  )
  return less.headline === 'compliant' && all.headline !== 'compliant' ? ['headline', ...improved] : improved
}

test('a failed test counts before any listing has its snapshot, until a later one no longer has it', () => {
  const story = new Story()
  story.backup('2025-03-20T02:00:00Z')
  const [snapshot] = story.contents()
  if (snapshot === undefined) throw new Error('the backup left no snapshot')
  story.test(snapshot, '2025-03-20T03:00:00Z', 'FAILED')
  const proof = (at: string) =>
    evaluate({ contract, facts: story.facts, at: new Date(at) }).sets[0]?.dimensions.proof
  expect(proof('2025-03-20T04:00:00Z')).toBe('at-risk')
  story.inventory('2025-03-20T05:00:00Z')
  expect(proof('2025-03-20T06:00:00Z')).toBe('at-risk')
  story.drop(snapshot)
  story.inventory('2025-03-20T07:00:00Z')
  expect(proof('2025-03-20T08:00:00Z')).toBe('compliant')
})

test('an evaluation leaves what it is given as it was', () => {
  const facts = tell(
    Array.from({ length: DAYS }, (_, number) => ({
      backup: 'complete',
      hour: number,
      inventory: 'delta',
      test: 'PASSED',
      forget: true,
    })),
    true,
  )
  const before = structuredClone(facts)
  const frozen = structuredClone(contract)
  const first = evaluate({ contract, facts, at: new Date('2025-03-31T12:00:00Z') })
  expect(evaluate({ contract, facts, at: new Date('2025-03-31T12:00:00Z') })).toEqual(first)
  expect(facts).toEqual(before)
  expect(contract).toEqual(frozen)
})

test('the headline is the worst of the sets, each the worst of its dimensions', () => {
  fc.assert(
    fc.property(history, instant, (days, at) => {
      const order = ['not-applicable', 'compliant', 'at-risk', 'unknown', 'breached']
      const rank = (verdict: string) => order.indexOf(verdict)
      const answer = evaluate({ contract, facts: tell(days, true), at: new Date(at) })
      for (const { headline, dimensions, counts, obligations } of answer.sets) {
        expect(rank(headline)).toBe(Math.max(...Object.values(dimensions).map(rank)))
        const live = obligations.filter(({ keepUntil }) => keepUntil === null || Date.parse(keepUntil) > at)
        const counted = Object.entries(counts).filter(([state]) => state !== 'discharged')
        expect(counted.reduce((sum, [, count]) => sum + count, 0)).toBe(live.length)
      }
      expect(rank(answer.headline)).toBe(Math.max(...answer.sets.map(({ headline }) => rank(headline))))
    }),
    { numRuns: 50 },
  )
})
