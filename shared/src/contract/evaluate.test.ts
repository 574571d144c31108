import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PredicateOf } from '../evidence/predicates.ts'
import { predicateTypeOf } from '../evidence/predicates.ts'
import type { Answer, ObligationState, SetAnswer, Verdict } from './answer.ts'
import { evaluate, judge } from './evaluate.ts'
import { emptyIndex, addFact, indexFacts } from './facts.ts'
import type { Fact } from './known.ts'
import { Story, contractFor, instantOf, keeping } from './story-for-tests.ts'
import { worst } from './verdict.ts'

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
  test: fc.constantFrom('none', 'none', 'PASSED', 'PASSED', 'FAILED', 'INCONCLUSIVE'),
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
    if (result !== 'none' && newest !== undefined) story.test(newest, at(hour + 0.2), result)
    // Where snapshots go, each listing stands by itself: without one, no other hides what is gone.
    if (inventory === 'whole' || deleting) story.forgetBase()
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

/** What may only be missed if it is good news: leaving it out must not make anything look better than it is. */
test('leaving out any one statement that tells nothing bad never makes green what was not', () => {
  fc.assert(
    fc.property(history, fc.boolean(), instant, fc.nat(), (days, deleting, at, which) => {
      const facts = tell(days, deleting)
      const place = which % facts.length
      if (tellsBad(facts, place)) return
      const ask = (known: Fact[]) => evaluate({ contract, facts: known, at: new Date(at) })
      expect(greener(ask(facts), ask(facts.toSpliced(place, 1)), isTest(facts[place]))).toEqual([])
    }),
    { numRuns: 1000 },
  )
})

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

/** A removal, a failed test, or a listing in which something of the one before is gone. */
function tellsBad(facts: readonly Fact[], place: number): boolean {
  const fact = facts[place]
  if (fact === undefined || fact.statement.predicateType === predicateTypeOf('retention-run')) return true
  if (fact.statement.predicateType === predicateTypeOf('restore-test')) {
    return (fact.statement.predicate as PredicateOf<'restore-test'>).result === 'FAILED'
  }
  if (!isInventory(fact) || !isComplete(fact)) return false
  const earlier = facts.slice(0, place).findLast((one) => isInventory(one) && isComplete(one))
  const { base, added } = fact.statement.predicate as PredicateOf<'inventory'>
  const now = new Set(added.map(({ id }) => id))
  return base === null && idsOf(earlier).some((id) => !now.has(id))
}

function isTest(fact: Fact | undefined): boolean {
  return fact?.statement.predicateType === predicateTypeOf('restore-test')
}

function isInventory(fact: Fact | undefined): boolean {
  return fact?.statement.predicateType === predicateTypeOf('inventory')
}

function isComplete({ statement }: Fact): boolean {
  return (statement.predicate as PredicateOf<'inventory'>).complete
}

/** What a listing says by itself. */
function idsOf(fact: Fact | undefined): string[] {
  return ((fact?.statement.predicate as PredicateOf<'inventory'> | undefined)?.added ?? []).map(
    ({ id }) => id,
  )
}

/**
 * What is green in the second answer and was not in the first.
 * @param isTest what tells them apart is a test: what has to be tested, or to be gone, is known from runs and listings,
 * so without one of those proof and ceiling by themselves ask for less; the set's headline does not
 */
function greener(all: Answer, less: Answer, isTest: boolean): string[] {
  return less.sets.flatMap((set, number) => {
    const was = all.sets[number]
    if (was === undefined) return [set.id]
    const before = verdictsOf(was, isTest)
    const verdicts = [...verdictsOf(set, isTest)].flatMap(([name, verdict]) =>
      isGreen(verdict) && !isGreen(before.get(name)) ? [`${name} was ${before.get(name)}`] : [],
    )
    const earlier = new Map(was.obligations.map((one) => [`${one.tier} ${one.bucket}`, one]))
    const obligations = set.obligations.flatMap(({ tier, bucket, state, keepUntil }) => {
      const one = earlier.get(`${tier} ${bucket}`)
      // A generation's end is itself a listing: without it, the obligation lives on.
      const livesOn =
        tier === 'dayx3' && typeof one?.keepUntil === 'string' && (keepUntil ?? '9') > one.keepUntil
      return isKept(state) && !isKept(one?.state) && !livesOn ? [`${tier} ${bucket} was ${one?.state}`] : []
    })
    return [...verdicts, ...obligations]
  })
}

/** Points and retention are of the same obligations: what is not listed any more is not stale, but missing. */
function verdictsOf({ headline, dimensions }: SetAnswer, isTest: boolean): Map<string, Verdict> {
  const { points, retention, evidence, ceiling, proof, copies } = dimensions
  const named = { headline, recovery: worst([points, retention]), evidence, copies }
  return new Map(Object.entries(isTest ? { ...named, ceiling, proof } : named))
}

function isGreen(verdict: Verdict | undefined): boolean {
  return verdict === 'compliant' || verdict === 'not-applicable'
}

function isKept(state: ObligationState | undefined): boolean {
  return state === 'met' || state === 'discharged' || state === 'excused'
}

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
