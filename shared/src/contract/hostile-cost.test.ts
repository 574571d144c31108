/** One agent's statements, however they are made, cost about what they are long: none makes a collector stand still. */
import { expect, test } from 'vitest'
import { sha256Hex } from '../crypto.ts'
import { inventoryDelta } from '../evidence/inventory.ts'
import { evaluate } from './evaluate.ts'
import type { Fact } from './known.ts'
import type { Contract } from './schema.ts'
import { Story, contractFor, instantOf, sourceOf } from './story-for-tests.ts'

const FIRST = Date.parse('2025-03-01T00:00:00Z')
const MINUTE_MS = 60_000

/** What it takes beside a tenth of it, in milliseconds of this machine; what is quadratic takes a hundred times. */
function growth(play: (count: number) => void, count: number): { small: number; large: number } {
  const timed = (many: number): number => {
    const begun = performance.now()
    play(many)
    return performance.now() - begun
  }
  timed(count / 10) // so that both are compiled
  return { small: timed(count / 10), large: timed(count) }
}

function judge(contract: Contract, facts: readonly Fact[]): void {
  void evaluate({ contract, facts, at: new Date('2025-06-01T00:00:00Z') }).sets[0]?.obligations.length
}

function snapshotsOf(story: Story, count: number, original: (place: number) => string): void {
  for (let place = 0; place < count; place += 1) {
    story.snapshot(instantOf(FIRST + place * 1000), {
      id: sha256Hex(`snapshot ${place}`),
      tree: sha256Hex(`tree ${place}`),
      original: sha256Hex(`snapshot ${original(place)}`),
    })
  }
  story.inventory('2025-03-03T00:00:00Z')
}

test.each([
  ['each made from the one before', (place: number) => String(place - 1)],
  ['all made from one', () => '0'],
  ['made from each other in a ring', (place: number) => String((place + 1) % 9000)],
])('a listing of thousands of snapshots, %s', (_, original) => {
  const told = new Map<number, readonly Fact[]>()
  for (const count of [900, 9000]) {
    const story = new Story()
    snapshotsOf(story, count, original)
    told.set(count, story.facts)
  }
  const { small, large } = growth((count) => judge(contractFor({}), told.get(count) ?? []), 9000)
  expect(large).toBeLessThan(35 * (small + 10))
})

test('listings that go back to others of long ago, in turn', () => {
  const told = new Map<number, readonly Fact[]>()
  for (const count of [1000, 10_000]) {
    const story = new Story()
    const lists: { digest: string; count: number }[] = []
    let base: { digest: string; ids: Set<string> } | null = null
    const at = (place: number): string => instantOf(FIRST + place * MINUTE_MS)
    for (let place = 0; place < count; place += 1) {
      // A list of a hundred, of which one goes and one comes.
      story.snapshot(at(place))
      story.drop(...story.contents().slice(0, -100))
      const delta = inventoryDelta(base, story.contents())
      story.inventory(at(place), delta)
      base = { digest: delta.digest, ids: new Set(story.contents().map(({ id }) => id)) }
      lists.push({ digest: delta.digest, count: delta.count })
    }
    for (let place = 0; place < count; place += 1) {
      const list = lists[(place * 3571) % count]
      if (list === undefined) throw new RangeError('there is a list')
      story.inventory(at(count + place), { ...list, base: list.digest, added: [], removed: [] })
    }
    told.set(count, story.facts)
  }
  const { small, large } = growth((count) => judge(contractFor({}), told.get(count) ?? []), 10_000)
  expect(large).toBeLessThan(35 * (small + 10))
})

test('a backup that is refuted and proven again and again, under all that it holds back', () => {
  const contract = contractFor({ content: {} })
  const told = new Map<number, readonly Fact[]>()
  for (const count of [1600, 16_000]) {
    const story = new Story()
    for (let place = 0; place < 100; place += 1) {
      story.backup(instantOf(FIRST + place * MINUTE_MS), { source: sourceOf(place === 0 ? 4200 : 10) })
    }
    const listed = FIRST + 100 * MINUTE_MS
    story.inventory(instantOf(listed))
    const [first] = story.contents()
    if (first === undefined) throw new RangeError('there is a backup')
    for (let place = 0; place < count; place += 1) {
      story.test(first, instantOf(listed + place * MINUTE_MS), place % 4 < 2 ? 'FAILED' : 'PASSED')
    }
    told.set(count, story.facts)
  }
  const { small, large } = growth((count) => judge(contract, told.get(count) ?? []), 16_000)
  expect(large).toBeLessThan(35 * (small + 10))
})
