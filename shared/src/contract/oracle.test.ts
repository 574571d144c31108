import fc from 'fast-check'
import { expect, test } from 'vitest'
import { danishHolidays } from './holiday.ts'
import { evaluate } from './evaluate.ts'
import { formatDay } from './local.ts'
import type { OracleContract, OracleTerms, OracleTier, World } from './oracle-for-tests.ts'
import { Oracle } from './oracle-for-tests.ts'
import { Story, contractOf, instantOf, keeping, setOf, versionOf } from './story-for-tests.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN']
const DAYS = 45
/** Over the clocks' spring, over Easter, over their autumn, over a year's end with a week 53. */
const STARTS = ['2025-03-10', '2025-04-07', '2025-10-10', '2026-12-05']

const tier = fc.oneof(
  fc.record({
    per: fc.constant('day' as const),
    keep: fc.integer({ min: 1, max: 20 }),
    countBasis: fc.constantFrom('calendar' as const, 'expected' as const),
  }),
  fc.record({
    per: fc.constant('week' as const),
    keep: fc.integer({ min: 1, max: 3 }),
    countBasis: fc.constant('calendar' as const),
    anchor: fc.integer({ min: 1, max: 7 }),
  }),
  fc.record({
    per: fc.constantFrom('week' as const, 'month' as const, 'year' as const),
    keep: fc.integer({ min: 1, max: 2 }),
    countBasis: fc.constant('calendar' as const),
  }),
  fc.record({
    per: fc.constant('hour' as const),
    keep: fc.integer({ min: 2, max: 60 }),
    countBasis: fc.constant('calendar' as const),
  }),
  fc.record({
    per: fc.constant('fiscalYear' as const),
    keep: fc.integer({ min: 1, max: 2 }),
    countBasis: fc.constant('calendar' as const),
    fyEnd: fc.constantFrom('12-31', '03-31', '02-29', '10-20'),
    closeAfter: fc.constantFrom('P10D', 'P1M'),
  }),
)
/** One tier of each unit: which of several pairs with which is told elsewhere. */
const tiers = fc.uniqueArray(tier, { minLength: 1, maxLength: 3, selector: ({ per }) => per })

const promise = fc.record({
  start: fc.constantFrom(...STARTS),
  zone: fc.constantFrom('Europe/Copenhagen', 'America/New_York', 'UTC', 'Pacific/Auckland'),
  dayStartsAt: fc.constantFrom('00:00', '18:00', '02:00'),
  business: fc.boolean(),
  lateGrace: fc.constantFrom('PT1H', 'PT6H', 'P1D'),
  max: fc.option(fc.constantFrom('P9D', 'P23D', 'P1100D')),
  restoreTest: fc.option(fc.constantFrom({ every: 'P7D', grace: 'P2D' }, { every: 'P1M', grace: 'P14D' })),
  exclusion: fc.option(fc.record({ from: fc.nat(DAYS - 5), days: fc.nat(4) })),
  first: tiers,
  amendment: fc.option(
    fc.record({
      day: fc.integer({ min: 3, max: DAYS - 3 }),
      policy: fc.constantFrom('extend-live' as const, 'prospective' as const),
      tiers,
    }),
  ),
})
type Promised = typeof promise extends fc.Arbitrary<infer T> ? T : never

const day = fc.record({
  backups: fc.array(
    fc.record({
      hour: fc.nat(23),
      how: fc.constantFrom('whole', 'whole', 'whole', 'whole', 'partial', 'by hand', 'elsewhere'),
    }),
    { maxLength: 2 },
  ),
  inventory: fc.constantFrom(0, 5, 5, 11, 22, null),
  isListed: fc.constantFrom(true, true, true, true, false),
  test: fc.constantFrom('none', 'none', 'none', 'PASSED', 'FAILED', 'FAILED'),
  tested: fc.nat(1000),
  forget: fc.constantFrom('none', 'none', 'none', 'drop', 'forget', 'prune'),
  gone: fc.nat(1000),
})
type Day = typeof day extends fc.Arbitrary<infer T> ? T : never

/** The same history twice: as statements, and as what truly happened. */
function tell(days: readonly Day[], start: string): { story: Story; world: World } {
  const story = new Story()
  const world: World = { backups: [], inventories: [], tests: [], retentions: [] }
  const first = Date.parse(`${start}T00:00:00Z`)
  const steps = days.flatMap((one, number) => {
    const at = (hour: number, minute: number) => first + number * DAY_MS + hour * HOUR_MS + minute * 60_000
    const pick = (which: number) => story.contents()[which % Math.max(1, story.contents().length)]
    return [
      ...one.backups.map(({ hour, how }, n) => ({
        at: at(hour, n * 12),
        act: (when: number): void => {
          const time = instantOf(when)
          const snap = how === 'elsewhere' ? { paths: ['/srv/other'] } : {}
          const partial = { outcome: 'partial' as const, failed: { count: 1, paths: ['/srv/data/a'] } }
          const { id } =
            how === 'by hand'
              ? story.snapshot(time)
              : story.backup(time, { snap, ...(how === 'partial' && partial) })
          const run = how === 'by hand' ? null : { end: when + 9 * 60_000, isWhole: how !== 'partial' }
          world.backups.push({ id, start: when, run, covers: how !== 'elsewhere' })
        },
      })),
      {
        at: at(one.inventory ?? 0, 30),
        act: (when: number): void => {
          if (one.inventory === null) return
          story.inventory(instantOf(when), { complete: one.isListed })
          const ids = new Set(story.contents().map(({ id }) => id))
          world.inventories.push({ takenAt: when, ids: one.isListed ? ids : null })
        },
      },
      {
        at: at(8, 40),
        act: (when: number): void => {
          const snapshot = pick(one.tested)
          if (one.test === 'none' || snapshot === undefined) return
          const result = one.test === 'PASSED' ? 'PASSED' : 'FAILED'
          story.test(snapshot, instantOf(when), result)
          world.tests.push({ snapshot: snapshot.id, end: when + 5 * 60_000, passed: result === 'PASSED' })
        },
      },
      {
        at: at(9, 50),
        act: (when: number): void => {
          const snapshot = pick(one.gone)
          if (one.forget === 'none' || snapshot === undefined || story.contents().length < 4) return
          if (one.forget === 'drop') {
            story.drop(snapshot)
            return
          }
          const pruned = one.forget === 'prune'
          story.forget([snapshot], instantOf(when), { pruned })
          world.retentions.push({ start: when - 60_000, end: when, removed: [snapshot.id], pruned })
        },
      },
    ]
  })
  for (const { at, act } of steps.toSorted((a, b) => a.at - b.at)) act(at)
  world.backups.sort((a, b) => a.start - b.start)
  return { story, world }
}

function dayAfter(start: string, days: number): string {
  return formatDay(Date.parse(start) / DAY_MS + days)
}

function tierText({ anchor, ...rest }: OracleTier): Record<string, unknown> {
  return { ...rest, ...(anchor !== undefined && { anchor: WEEKDAYS[anchor - 1] }) }
}

const UNIT_DAYS = { hour: 1, day: 2, week: 7, month: 31, year: 366, fiscalYear: 366 }

/** A ceiling below what is promised is refused, rightly. */
function isWithinCeiling({ max, first, amendment }: Promised): boolean {
  const days = max === null ? Infinity : Number(max.slice(1, -1))
  const longest = [...first, ...(amendment?.tiers ?? [])].map(({ per, keep }) => UNIT_DAYS[per] * (keep + 1))
  return Math.max(...longest) <= days
}

/** Which fiscal year follows which, where an amendment moves its end, is told elsewhere. */
function hasOneFiscalYear({ first, amendment }: Promised): boolean {
  const ends = [...first, ...(amendment?.tiers ?? [])].flatMap((one) => ('fyEnd' in one ? [one.fyEnd] : []))
  return new Set(ends).size < 2
}

/** The same promise twice, likewise. */
function promised(one: Promised): { contract: ReturnType<typeof contractOf>; plain: OracleContract } {
  const { start, zone, dayStartsAt, business, lateGrace, max, restoreTest, exclusion, first, amendment } = one
  const terms: OracleTerms[] = [
    { effectiveFrom: start, policy: 'extend-live', tiers: first },
    ...(amendment === null
      ? []
      : [
          {
            effectiveFrom: dayAfter(start, amendment.day),
            policy: amendment.policy,
            tiers: amendment.tiers,
          },
        ]),
  ]
  const exclusions =
    exclusion === null
      ? []
      : [{ from: dayAfter(start, exclusion.from), to: dayAfter(start, exclusion.from + exclusion.days) }]
  const versions = terms.map((version, place) =>
    versionOf(place + 1, version.effectiveFrom, {
      amendmentPolicy: version.policy,
      exclusions: exclusions.map((days) => ({
        ...days,
        sets: ['filer'],
        reason: 'aftalt',
        approvedBy: ['customer', 'provider'],
      })),
      sets: [
        setOf({
          onboardedAt: start,
          schedule: {
            every: 'P1D',
            rpo: 'P1D',
            dayStartsAt,
            days: business ? 'business' : 'all',
            lateGrace,
          },
          retention: keeping(
            version.tiers.map(tierText),
            max === null ? undefined : { age: max, purgeGrace: 'P5D' },
          ),
          ...(restoreTest !== null && { restoreTest }),
        }),
      ],
    }),
  )
  const closed = new Set([2025, 2026, 2027].flatMap((year) => [...danishHolidays(year)].map(formatDay)))
  return {
    contract: contractOf(versions, { timezone: zone }),
    plain: {
      zone,
      dayStartsAt,
      business,
      closed,
      lateGrace,
      every: 'P1D',
      onboardedAt: start,
      maxAge: max,
      purgeGrace: 'P5D',
      test: restoreTest,
      exclusions,
      versions: terms,
    },
  }
}

test('the engine says what a plain reading of the specification says', () => {
  fc.assert(
    fc.property(
      promise,
      fc.array(day, { minLength: DAYS, maxLength: DAYS }),
      fc.integer({ min: 0, max: (DAYS + 12) * 24 * 60 }),
      (one, days, minute) => {
        fc.pre(isWithinCeiling(one) && hasOneFiscalYear(one))
        const { contract, plain } = promised(one)
        const { story, world } = tell(days, one.start)
        const at = Date.parse(`${one.start}T00:00:00Z`) + minute * 60_000
        const known = story.facts.filter(({ receivedAt }) => Date.parse(receivedAt) <= at)
        const [set] = evaluate({ contract, facts: known, at: new Date(at) }).sets
        const oracle = new Oracle(plain, seenBy(world, at), at)
        const expected = oracle.obligations()
        const line = (tier: string, from: number, due: number, until: number, state: string) =>
          [tier, instantOf(from), instantOf(due), instantOf(until), state].join(' ')
        const ours = (set?.obligations ?? []).map(({ tier: name, from, due, keepUntil, state }) =>
          line(name, Date.parse(from), Date.parse(due), Date.parse(keepUntil ?? ''), state),
        )
        expect(ours.toSorted()).toEqual(
          expected.map((o) => line(o.tier, o.from, o.due, o.keepUntil, o.state)).toSorted(),
        )
        if (set !== undefined) expect(set.dimensions).toMatchObject(oracle.dimensions(expected))
      },
    ),
    { numRuns: 100 },
  )
})

/** What had been received: five seconds after it ended. */
function seenBy({ backups, inventories, tests, retentions }: World, at: number): World {
  const was = (end: number) => end + 5_000 <= at
  return {
    backups: backups.map((one) => ({ ...one, run: one.run !== null && was(one.run.end) ? one.run : null })),
    inventories: inventories.filter(({ takenAt }) => was(takenAt)),
    tests: tests.filter(({ end }) => was(end)),
    retentions: retentions.filter(({ end }) => was(end)),
  }
}
