/** Whoever follows the ladder's choice keeps the contract's: held against the evaluation itself. */
import {
  askAt,
  contractFor,
  contractOf,
  keeping,
  setOf,
  Story,
  versionOf,
} from '@bevis/shared/contract/story-for-tests'
import type { Contract } from '@bevis/shared/contract/schema'
import type { Snap } from '@bevis/shared/evidence/predicates'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OwnRun } from '../evidence/own-runs.ts'
import { climb, NO_LADDER, withAttempt, withProof } from './ladder.ts'
import { owedTiers } from './owed-tiers.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LONG = { freshFor: 'P5D', unknownAfter: 'P90D', silenceBreachAfter: 'P90D' }
const begin = Date.parse('2025-03-01T00:00:00.000Z')

interface Life {
  readonly contract: Contract
  /** Of a test, after the last one. */
  readonly everyDays: number
  /** So many tests in the ladder's time. */
  readonly perLadder: number
  readonly days: number
  /** On these days no backup runs, or only a part of one. */
  readonly without: readonly number[]
  readonly partial: readonly number[]
  /** Made by hand: no run reports it. */
  readonly foreign: readonly number[]
  /** Of a test on that day: it came to no result. */
  readonly hindered?: (day: number, nth: number) => boolean
  /** The day's hour in UTC, and how long a test takes. */
  readonly atHour?: number
  readonly testMinutes?: number
}

/** Day by day what an agent does, and what the evaluation says of the ladder on each noon. */
function live(life: Life): { overdue: string[]; tested: number; restored: Snap[] } {
  const { contract, everyDays, days, testMinutes = 5, atHour = 9 } = life
  const story = new Story()
  const restored: Snap[] = []
  const overdue: string[] = []
  let ladder = NO_LADDER
  let tested = 0
  /** With each test, the tiers of which anything was there. */
  const testable: string[][] = []
  for (let day = 0; day < days; day += 1) {
    const date = new Date(begin + day * DAY_MS).toISOString().slice(0, 10)
    if (life.foreign.includes(day)) story.snapshot(`${date}T02:00:00Z`)
    if (!life.without.includes(day))
      story.backup(`${date}T03:00:00Z`, life.partial.includes(day) ? { outcome: 'partial' } : {})
    story.inventory(`${date}T04:00:00Z`)
    const begunAt = begin + day * DAY_MS + atHour * HOUR_MS
    if (day % everyDays === 0) {
      story.inventory(new Date(begunAt - 60_000).toISOString())
      const listed = [...story.contents()].toSorted((one, other) => (one.time < other.time ? -1 : 1))
      const newest = listed.at(-1)
      if (newest === undefined) continue
      const now = new Date(begunAt)
      const own = story.facts.filter(
        ({ statement: { predicateType } }) => !predicateType.includes('inventory'),
      )
      const ids = listed.map(({ id }) => id)
      const tiers = owedTiers({
        set: 'filer',
        contracts: [contract],
        repository: story.repository,
        listed,
        own: own as OwnRun[],
        at: now,
        isOwn: (id) => ids.includes(id),
      })
      testable.push(tiers?.flatMap(({ name, rungs }) => (rungs.length > 0 ? [name] : [])) ?? [])
      const chosen = climb(ladder, ids.slice(0, -1), null, now, tiers)
      ladder = chosen.ladder
      const passed: { id: string; beganAt: Date }[] = []
      for (const [nth, id] of [newest.id, ...chosen.turns].entries()) {
        const snapshot = listed.find((one) => one.id === id)
        if (!snapshot) throw new Error('chosen from elsewhere')
        const beganAt = new Date(begunAt + nth * testMinutes * 60_000)
        const isHindered = life.hindered?.(day, nth) === true
        const result = isHindered ? 'INCONCLUSIVE' : 'PASSED'
        const endedAt = new Date(beganAt.getTime() + testMinutes * 60_000).toISOString()
        story.test(snapshot, beganAt.toISOString(), result, { endedAt })
        if (!isHindered) passed.push({ id, beganAt })
        const owing = tiers ?? []
        ladder = withProof(withAttempt(ladder, id, beganAt, !isHindered, owing), owing, passed)
        if (nth > 0) restored.push(snapshot)
        tested += 1
      }
    }
    const { findings } = askAt(
      contract,
      story,
      new Date(begin + (day + 1) * DAY_MS + 2 * HOUR_MS).toISOString(),
    )
    for (const { code, detail } of findings) {
      const tier = String(detail['tier'])
      const isThere = testable.slice(-life.perLadder).every((names) => names.includes(tier))
      if (code === 'ladder-overdue' && isThere) overdue.push(`${date} ${tier}`)
    }
  }
  return { overdue, tested, restored }
}

const plain = { without: [], partial: [], foreign: [] }

test('a ladder of twenty days over days, weeks and months, tested weekly, is never overdue', () => {
  const contract = contractFor({
    retention: keeping([
      { per: 'day', keep: 10 },
      { per: 'week', keep: 6 },
      { per: 'month', keep: 12 },
    ]),
    restoreTest: { every: 'P1Y', grace: 'P0D', ladder: 'P20D' },
    evidence: LONG,
  })
  const { overdue, tested, restored } = live({ ...plain, contract, everyDays: 7, perLadder: 2, days: 120 })
  expect(overdue).toEqual([])
  // Eighteen nights' own, and each tier's oldest every second time at most.
  expect(tested).toBeLessThanOrEqual(18 + 3 * 9)
  // What no tier owes any more has no turn.
  const oldest = restored.map(({ time }) => Date.parse(time))
  expect(new Set(oldest).size).toBeGreaterThan(5)
})

test('a test that always runs across the end of a day proves the tier of days all the same', () => {
  const contract = contractFor({
    retention: keeping([{ per: 'day', keep: 10 }]),
    restoreTest: { every: 'P1Y', grace: 'P0D', ladder: 'P20D' },
    evidence: LONG,
  })
  // Midnight in Copenhagen is 23:00Z, in summer 22:00Z: it passes while the newest is tested.
  for (const atHour of [21.5, 22.5])
    expect(
      live({ ...plain, contract, everyDays: 5, perLadder: 4, days: 60, atHour, testMinutes: 45 }).overdue,
    ).toEqual([])
})

test('a later version’s tiers count from that version on', () => {
  const restoreTest = { every: 'P1Y', grace: 'P0D', ladder: 'P20D' }
  const contract = contractOf([
    versionOf(1, '2025-01-01', {
      sets: [setOf({ retention: keeping([{ per: 'day', keep: 30 }]), restoreTest, evidence: LONG })],
    }),
    versionOf(2, '2025-04-10', {
      sets: [
        setOf({
          retention: keeping([
            { per: 'day', keep: 14 },
            { per: 'week', keep: 8 },
          ]),
          restoreTest,
          evidence: LONG,
        }),
      ],
    }),
  ])
  expect(live({ ...plain, contract, everyDays: 6, perLadder: 3, days: 100 }).overdue).toEqual([])
})

test('what was made by hand before the first run neither proves nor hides a tier', () => {
  // The first run is on 3 April, the next test on the 6th.
  const contract = contractFor({
    retention: keeping([{ per: 'month', keep: 12 }]),
    restoreTest: { every: 'P1Y', grace: 'P0D', ladder: 'P10D' },
    evidence: LONG,
  })
  const foreign = [0, 1, 2, 3, 31]
  const without = [...Array(33).keys()]
  const { overdue } = live({ contract, everyDays: 4, perLadder: 2, days: 80, without, partial: [], foreign })
  expect(overdue.at(0)).toBe('2025-03-10 monthx12')
  expect(overdue.at(-1)).toBe('2025-04-05 monthx12')
})

test('a snapshot that always hinders leaves its tier due, and says so', () => {
  const contract = contractFor({
    retention: keeping([{ per: 'day', keep: 10 }]),
    restoreTest: { every: 'P1Y', grace: 'P0D', ladder: 'P20D' },
    evidence: LONG,
  })
  const never = live({
    ...plain,
    contract,
    everyDays: 5,
    perLadder: 4,
    days: 60,
    hindered: (_, nth) => nth > 0,
  })
  expect(never.overdue.length).toBeGreaterThan(20)
  // Every third time something comes between: the next one makes up for it.
  const seldom = live({
    ...plain,
    contract,
    everyDays: 3,
    perLadder: 6,
    days: 60,
    hindered: (day) => day % 9 === 0,
  })
  expect(seldom.overdue).toEqual([])
})

const tier = fc.oneof(
  fc.record({ per: fc.constant('day'), keep: fc.integer({ min: 3, max: 20 }) }),
  fc.record({ per: fc.constant('week'), keep: fc.integer({ min: 1, max: 8 }) }),
  fc.record({
    per: fc.constant('week'),
    keep: fc.integer({ min: 1, max: 8 }),
    anchor: fc.constantFrom('SUN', 'WED'),
  }),
  fc.record({ per: fc.constant('month'), keep: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    per: fc.constantFrom('day', 'week'),
    keep: fc.integer({ min: 1, max: 6 }),
    basis: fc.constant('generations'),
  }),
)
const someDays = fc.uniqueArray(fc.integer({ min: 0, max: 79 }), { maxLength: 12 })

test('whatever is promised, missed, partial or made by hand: with tests often enough no tier is overdue', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(tier, { minLength: 1, maxLength: 4, selector: ({ per }) => per }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 2, max: 4 }),
      someDays,
      someDays,
      someDays,
      fc.integer({ min: 5, max: 23 }),
      (tiers, everyDays, factor, without, partial, foreign, atHour) => {
        const contract = contractFor({
          retention: keeping(tiers),
          restoreTest: { every: 'P1Y', grace: 'P0D', ladder: `P${everyDays * factor}D` },
          evidence: LONG,
        })
        const life = { contract, everyDays, perLadder: factor, days: 80, without, partial, foreign, atHour }
        expect(live(life).overdue).toEqual([])
      },
    ),
    { numRuns: 40 },
  )
})
