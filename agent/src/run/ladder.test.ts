import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { climb, loadLadder, NO_LADDER, openTurns, withAttempt, withProof } from './ladder.ts'
import type { Ladder } from './ladder.ts'
import type { OwedTier } from './owed-tiers.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const begin = Date.parse('2026-01-01T00:00:00.000Z')
const at = (ms: number): Date => new Date(begin + ms)
const id = (name: string | number): string => sha256Hex(`snapshot ${name}`)
const ids = (...names: (string | number)[]): string[] => names.map(id)

/** Tests whose turn it is, and gives the ladder after. */
function play(ladder: Ladder, listed: string[], lengthMs: number | null, now: Date) {
  const climbed = climb(ladder, listed, lengthMs, now)
  const after = climbed.turns.reduce((so, turn) => withAttempt(so, turn, now, true), climbed.ladder)
  return { turns: climbed.turns, ladder: after }
}

test('without a time each test takes one along: the oldest that never had a turn, then in the same order again', () => {
  let ladder = NO_LADDER
  const order: string[] = []
  for (let day = 0; day < 6; day += 1) {
    const played = play(ladder, ids('a', 'b', 'c'), null, at(day * DAY))
    ladder = played.ladder
    order.push(...played.turns)
  }
  expect(order).toEqual(ids('a', 'b', 'c', 'a', 'b', 'c'))
  expect(play(ladder, [], null, at(7 * DAY)).turns).toEqual([])
})

test('a hundred snapshots that are new to us are spread over the time, not tested at once', () => {
  const listed = ids(...Array.from({ length: 100 }, (_, index) => index))
  let ladder = NO_LADDER
  const counts: number[] = []
  for (let week = 0; week < 27; week += 1) {
    const played = play(ladder, listed, 90 * DAY, at(week * 7 * DAY))
    ladder = played.ladder
    counts.push(played.turns.length)
  }
  expect(Math.max(...counts)).toBeLessThanOrEqual(16)
  expect(counts.slice(0, 13).reduce((sum, one) => sum + one)).toBeGreaterThanOrEqual(90)
})

test('one that always hinders keeps its turn due, and keeps nobody else waiting', () => {
  const listed = ids('bad', 'b', 'c', 'd')
  let ladder = NO_LADDER
  const tested = new Map<string, number>()
  for (let day = 0; day < 40; day += 1) {
    const climbed = climb(ladder, listed, 8 * DAY, at(day * DAY))
    ladder = climbed.turns.reduce(
      (so, turn) => withAttempt(so, turn, at(day * DAY), turn !== id('bad')),
      climbed.ladder,
    )
    for (const turn of climbed.turns) tested.set(turn, (tested.get(turn) ?? 0) + 1)
  }
  for (const other of ids('b', 'c', 'd')) expect(tested.get(other)).toBeGreaterThanOrEqual(4)
  expect(tested.get(id('bad'))).toBeGreaterThanOrEqual(20)
})

test('whatever comes and goes: nothing that stays waits longer than the time, the least recent goes first, none twice', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 12 }),
      fc.array(fc.record({ come: fc.integer({ min: 0, max: 60 }), stay: fc.integer({ min: 1, max: 60 }) }), {
        minLength: 1,
        maxLength: 40,
      }),
      (everyHours, factor, lives) => {
        const everyMs = everyHours * HOUR
        const lengthMs = everyMs * factor
        let ladder = NO_LADDER
        const lastMs = new Map<string, number>()
        for (let run = 0; run < 90; run += 1) {
          const listed = lives.flatMap(({ come, stay }, name) =>
            come <= run && run < come + stay ? [id(name)] : [],
          )
          for (const gone of lastMs.keys()) if (!listed.includes(gone)) lastMs.delete(gone)
          for (const here of listed) if (!lastMs.has(here)) lastMs.set(here, run * everyMs)
          const triedBefore = ladder.snapshots
          const { turns, ladder: after } = play(ladder, listed, lengthMs, at(run * everyMs))
          ladder = after
          expect(new Set(turns).size).toBe(turns.length)
          expect(listed).toEqual(expect.arrayContaining([...turns]))
          expect(listed.length === 0 || turns.length > 0).toBe(true)
          expect(Object.keys(ladder.snapshots).toSorted()).toEqual(listed.toSorted())
          // The first turn is of one that waited longest.
          const triedOf = (one: string) => triedBefore[one]?.triedAt ?? ''
          const least = listed.map(triedOf).toSorted()[0]
          if (turns[0] !== undefined) expect(triedOf(turns[0])).toBe(least)
          for (const turn of turns) lastMs.set(turn, run * everyMs)
          for (const [, last] of lastMs) expect(run * everyMs - last).toBeLessThanOrEqual(lengthMs)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('what no tier owes has no turn, and last night’s do not keep last year’s waiting', () => {
  const tier = (key: string, ...names: string[]): OwedTier => ({
    key,
    name: key,
    everyMs: null,
    rungs: [],
    owed: ids(...names),
  })
  let ladder = NO_LADDER
  const order: string[] = []
  for (let day = 0; day < 8; day += 1) {
    const names = ['unowed', 'year1', 'year2', `night${day}`, `night${day + 1}`]
    const tiers = [tier('day', `night${day}`, `night${day + 1}`), tier('year', 'year1', 'year2')]
    const climbed = climb(ladder, ids(...names), null, at(day * DAY), tiers)
    ladder = climbed.turns.reduce(
      (so, turn) => withAttempt(so, turn, at(day * DAY), true, tiers),
      climbed.ladder,
    )
    order.push(...climbed.turns)
  }
  expect(order.filter((one) => ids('year1', 'year2').includes(one))).toEqual(
    ids('year1', 'year2', 'year1', 'year2'),
  )
  expect(order).not.toContain(id('unowed'))
  expect(order).toHaveLength(8)
})

test('a tier is proven by a certain snapshot, by all that are in doubt with it, and only while they are its oldest', () => {
  const one = (name: string, isCertain: boolean) => ({
    id: id(name),
    fromMs: begin,
    untilMs: begin + DAY,
    isCertain,
  })
  const tiers: OwedTier[] = [
    { key: 'day', name: 'dayx1', everyMs: DAY, rungs: [one('doubt', false), one('sure', true)], owed: [] },
  ]
  const after = (...passed: [string, number][]) =>
    withProof(
      NO_LADDER,
      tiers,
      passed.map(([name, ms]) => ({ id: id(name), beganAt: at(ms) })),
    ).tiers
  expect(after(['sure', HOUR])).toEqual({})
  expect(after(['doubt', HOUR])).toEqual({})
  expect(after(['doubt', HOUR], ['sure', DAY])).toEqual({})
  expect(after(['doubt', HOUR], ['sure', 2 * HOUR])).toEqual({
    day: { provenAt: at(HOUR).toISOString(), isInDoubt: false, triedAt: null },
  })
})

test('what proved a tier only perhaps is made up for by the next test, once one is certain', () => {
  const tierOf = (name: string, isCertain: boolean): OwedTier[] => {
    const rungs = [{ id: id(name), fromMs: begin, untilMs: begin + 9 * DAY, isCertain }]
    return [{ key: 'day', name: 'dayx9', everyMs: 9 * DAY, rungs, owed: ids('other', 'sure') }]
  }
  const perhaps = withProof(NO_LADDER, tierOf('doubt', false), [{ id: id('doubt'), beganAt: at(0) }])
  const turns = (isCertain: boolean) =>
    climb(perhaps, ids('other', 'sure'), null, at(DAY), tierOf('sure', isCertain)).turns
  expect(turns(true)).toEqual([id('sure')])
  expect(turns(false)).toEqual([id('other')])
})

test('of two tests that are half the time apart, the second proves anew', () => {
  const rungs = [{ id: id('old'), fromMs: begin, untilMs: begin + 99 * DAY, isCertain: true }]
  const tiers: OwedTier[] = [{ key: 'year', name: 'yearx1', everyMs: 14 * DAY, rungs, owed: [] }]
  const proven = withProof(NO_LADDER, tiers, [{ id: id('old'), beganAt: at(5 * 60_000) }])
  const turns = (day: number) => climb(proven, ids('new', 'old'), null, at(day * DAY), tiers).turns
  expect(turns(6)).not.toContain(id('old'))
  expect(turns(7)).toEqual([id('old')])
})

test('a clock that was put back costs no turn', () => {
  const first = play(NO_LADDER, ids('a', 'b'), 4 * DAY, at(10 * DAY))
  const second = play(first.ladder, ids('a', 'b'), 4 * DAY, at(0))
  expect([...first.turns, ...second.turns]).toEqual(ids('a', 'b'))
})

test('turns survive a restart, and a damaged record begins a new round', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'bevis-ladder-'))
  onTestFinished(() => rmSync(stateDir, { recursive: true }))
  let day = 0
  const open = () =>
    openTurns({
      stateDir,
      set: { id: 'shop', restoreTest: {} },
      now: () => at(day * DAY),
      logger: { info() {}, warn: (_, message) => expect.fail(message) },
    })
  const turn = async (): Promise<string> => {
    day += 1
    const turns = await open()
    const [one = ''] = turns.olderOf(ids('a', 'b'), id('newest'))
    turns.took(one, true, null)
    return one
  }
  expect([await turn(), await turn(), await turn()]).toEqual(ids('a', 'b', 'a'))
  const file = join(stateDir, 'ladders', 'shop.json')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40))
  expect(await loadLadder(stateDir, 'shop')).toEqual(NO_LADDER)
  expect(await turn()).toBe(id('a'))
})
