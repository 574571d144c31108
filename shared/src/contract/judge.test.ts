/** Going on with what has come since gives what a clean evaluation gives, whatever comes and in whatever order. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evaluate, Judge } from './evaluate.ts'
import { addFact, emptyIndex } from './facts.ts'
import type { Fact } from './known.ts'
import type { Contract } from './schema.ts'
import {
  Story,
  contractFor,
  contractOf,
  instantOf,
  keeping,
  repositoryOf,
  setOf,
  sourceOf,
  versionOf,
} from './story-for-tests.ts'

const DAYS = 14
const HOUR_MS = 3_600_000
const FIRST = Date.parse('2025-03-20T00:00:00Z') // over the night of 30 March
const away = repositoryOf('vault', 'vault')
const moved = repositoryOf('moved', 'vts-01')

type Tiers = Parameters<typeof keeping>[0]

function contractWith(tiers: Tiers, later: Tiers, age: string, more: Record<string, unknown>): Contract {
  const set = (min: Tiers) =>
    setOf({
      onboardedAt: '2025-03-20',
      selector: { repository: 'vts-01', hosts: ['srv1', 'srv2'], requiredPaths: ['/srv/data'] },
      retention: keeping(min, { age, purgeGrace: 'P1D' }),
      ...more,
    })
  return contractOf([
    versionOf(1, '2025-03-20', {
      sets: [
        set(tiers),
        {
          ...set([{ per: 'day', keep: 2 }]),
          id: 'alone',
          selector: { repository: 'vts-01', hosts: ['srv2'], requiredPaths: [] },
        },
      ],
      holds: [
        {
          sets: ['filer'],
          covers: { from: '2025-03-21', to: '2025-03-22' },
          authority: 'A',
          start: '2025-03-23',
          end: '2025-03-28',
        },
      ],
    }),
    versionOf(2, '2025-03-27', { sets: [set(later)] }),
  ])
}

const TESTS = { restoreTest: { every: 'P4D', grace: 'P2D', ladder: 'P6D' } }
const COPIES = {
  copies: [{ role: 'offsite', repository: 'vault', region: 'DK', lag: 'PT6H', immutableFor: 'P9D' }],
}
const PARTIAL = { partial: { maxFailedPct: 1, neverPaths: [] } }

const contracts: [string, Contract][] = [
  [
    'days, hours and weeks, guarded',
    contractWith(
      [
        { per: 'day', keep: 3 },
        { per: 'hour', keep: 9 },
      ],
      [
        { per: 'day', keep: 5 },
        { per: 'hour', keep: 5 },
      ],
      'P6D',
      { content: { maxDropPct: 20 }, ...TESTS, ...PARTIAL },
    ),
  ],
  [
    'generations, copies',
    contractWith(
      [
        { per: 'day', keep: 2, basis: 'generations' },
        { per: 'hour', keep: 9 },
      ],
      [
        { per: 'day', keep: 4 },
        { per: 'hour', keep: 2, basis: 'generations' },
        { per: 'week', keep: 1 },
      ],
      'P15D',
      { ...COPIES, ...PARTIAL },
    ),
  ],
]

const step = fc.record({
  host: fc.constantFrom(0, 0, 1),
  hours: fc.integer({ min: 1, max: 20 }),
  backup: fc.constantFrom('complete', 'complete', 'complete', 'half', 'partial', 'by hand', 'none'),
  inventory: fc.constantFrom('delta', 'delta', 'delta', 'whole', 'failed', 'none'),
  also: fc.constantFrom(
    ...[
      'none',
      'none',
      'none',
      'none',
      'PASSED',
      'FAILED',
      'forget',
      'prune',
      'copy',
      'probe',
      'rename',
      'again',
    ],
    ...[
      'clock',
      'clock back',
      'acknowledge',
      'exclude',
      'move',
      'release',
      'hold',
      'erase',
      'revoke',
      'ahead',
    ],
  ),
  late: fc.constantFrom(0, 0, 0, 0, 0, 1, 7, 40),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What two agents tell of one repository, and what people state; some of it comes late. */
function tell(steps: readonly Step[]): Fact[] {
  const stories = [new Story(), new Story({ agent: 'agent-2', host: 'srv2' })]
  let now = FIRST
  const delays = new Map<Fact, number>()
  const shared = stories[0]!.contents()
  steps.forEach(({ host, hours, backup, inventory, also, late }) => {
    now += hours * HOUR_MS
    const story = stories[host]!
    const before = story.facts.length
    const at = (minutes: number) => instantOf(now + minutes * 60_000)
    tellBackup(story, backup, at(0))
    if (host === 1 && story.repository.id === stories[0]!.repository.id) {
      // One repository: what the second host makes lies beside what the first one made.
      for (const snapshot of story.contents()) if (!shared.includes(snapshot)) shared.push(snapshot)
      story.drop(...story.contents())
      story.contents().push(...shared)
    }
    tellMore(story, also, at)
    if (inventory === 'whole') story.forgetBase()
    if (inventory !== 'none') story.inventory(at(30), inventory === 'failed' ? { complete: false } : {})
    for (const fact of story.facts.slice(before)) delays.set(fact, late)
  })
  return stories
    .flatMap(({ facts }) => facts)
    .map((fact) => ({
      ...fact,
      receivedAt: instantOf(Date.parse(fact.receivedAt) + (delays.get(fact) ?? 0) * HOUR_MS),
    }))
    .toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt))
}

function tellBackup(story: Story, backup: Step['backup'], at: string): void {
  const failed = { count: 1, paths: ['/srv/data/a'] }
  if (backup === 'by hand') story.snapshot(at)
  else if (backup === 'partial') story.backup(at, { outcome: 'partial', failed })
  else if (backup === 'half') story.backup(at, { source: sourceOf(2000) })
  else if (backup === 'complete') story.backup(at)
}

function tellMore(story: Story, also: Step['also'], at: (minutes: number) => string): void {
  const [oldest] = story.contents()
  const newest = story.contents().at(-1)
  const day = { sets: ['filer'], from: '2025-03-24', to: '2025-03-25' }
  const held = { sets: ['filer'], covers: { from: '2025-03-23', to: '2025-03-26' }, authority: 'B' }
  if (also === 'clock') story.heartbeat(at(12), 20 * 60_000)
  if (also === 'clock back') story.heartbeat(at(12), 0)
  if (also === 'exclude') story.both(at(12), 'exclusion-approved', day)
  if (also === 'hold') story.event(at(12), 'hold-started', 'customer', held)
  if (also === 'release') story.event(at(12), 'hold-released', 'customer', held)
  if (also === 'revoke') story.event(at(12), 'key-revoked', 'provider', { agent: 'agent-2', epoch: 1 })
  if (also === 'probe') story.probe(at(12), 'refused', away)
  if (also === 'ahead') story.inventory(at(14), { receivedAt: at(10) })
  if (oldest === undefined || newest === undefined) return
  if (also === 'PASSED' || also === 'FAILED') story.test(oldest, at(12), also)
  if (also === 'forget') story.forget([oldest], at(12), { pruned: false })
  if (also === 'prune') story.forget([oldest], at(12))
  if (also === 'rename') story.rename(oldest)
  if (also === 'again') story.backup(newest.time, { snapshot: newest })
  if (also === 'acknowledge') story.event(at(12), 'finding-acknowledged', 'customer', { snapshot: newest.id })
  if (also === 'erase') {
    story.both(at(12), 'erasure-approved', { original: oldest.id })
    story.rename(oldest, { tree: 'e'.repeat(64) })
  }
  if (also === 'copy') {
    const own = story.repository
    story.copyAll(away)
    story.repository = away
    story.inventory(at(14))
    story.repository = own
  }
  if (also === 'move' && story.agent === 'agent-1' && story.repository.id !== moved.id) {
    story.both(at(12), 'repository-succession', { from: story.repository.id, to: moved.id })
    story.copyAll(moved)
    story.repository = moved
  }
}

test.each(contracts)('%s', (_, contract) => {
  let [judged, begun] = [0, 0]
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 8, maxLength: DAYS * 3 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 3, maxLength: 12 }),
      (steps, waits) => {
        const facts = tell(steps)
        const index = emptyIndex()
        const judge = new Judge(contract, index)
        let at = FIRST
        let taken = 0
        for (const hours of waits) {
          at += hours * HOUR_MS
          for (; taken < facts.length && Date.parse(facts[taken]!.receivedAt) <= at; taken++) {
            addFact(index, facts[taken]!)
          }
          const known = facts.slice(0, taken)
          expect(judge.judge(new Date(at))).toEqual({
            ...evaluate({ contract, facts: known, at: new Date(at) }),
            knownAt: null,
          })
          judged += 1
        }
        begun += judge.beginnings
      },
    ),
    { numRuns: 150 },
  )
  // Not by beginning anew each time.
  expect(begun).toBeLessThan(judged * 0.7)
})

test('a month day by day is read once, with all of it known from the first day on', () => {
  const story = new Story()
  for (let day = 0; day < 30; day++) {
    const at = (hour: number) => instantOf(FIRST + (day * 24 + hour) * HOUR_MS)
    const snapshot = story.backup(at(2))
    story.inventory(at(3))
    if (day % 4 === 0) story.test(snapshot, at(5), 'PASSED')
    if (day > 9) story.forget(story.contents().slice(0, 1), at(7))
  }
  const contract = contractOf([
    versionOf(1, '2025-03-20', { sets: [setOf({ ...TESTS, onboardedAt: '2025-03-20' })] }),
  ])
  const index = emptyIndex()
  for (const fact of story.facts) addFact(index, fact)
  const judge = new Judge(contract, index)
  for (let day = 1; day <= 30; day++) {
    const at = new Date(FIRST + day * 24 * HOUR_MS)
    const clean = new Judge(contract, index).judge(at)
    expect(judge.judge(at)).toEqual(clean)
  }
  expect(judge.beginnings).toBe(1)
})

test('a failed test that comes late, between one that failed and one that passed', () => {
  const contract = contractFor({
    content: { maxDropPct: 20 },
    retention: keeping([{ per: 'day', keep: 1 }]),
  })
  const story = new Story()
  const other = new Story({ agent: 'agent-2' })
  const whole = story.backup('2025-03-01T21:00:00Z')
  story.inventory('2025-03-01T22:00:00Z')
  story.backup('2025-03-02T21:00:00Z', { source: sourceOf(3000) }) // held back, as long as `whole` is its measure
  story.inventory('2025-03-02T22:00:00Z')
  story.test(whole, '2025-03-03T08:00:00Z', 'FAILED')
  story.inventory('2025-03-03T22:00:00Z')
  story.test(whole, '2025-03-04T08:00:00Z', 'PASSED')
  story.inventory('2025-03-04T22:00:00Z')
  other.test(whole, '2025-03-03T20:00:00Z', 'FAILED', { receivedAt: '2025-03-06T08:00:00Z' })
  const facts = Story.together(story, other)
  const index = emptyIndex()
  const judge = new Judge(contract, index)
  for (const fact of facts.slice(0, -1)) addFact(index, fact)
  judge.judge(new Date('2025-03-05T00:00:00Z'))
  for (const fact of facts.slice(-1)) addFact(index, fact)
  const at = new Date('2025-03-07T00:00:00Z')
  expect(judge.judge(at)).toEqual(evaluate({ contract, facts, at }))
})
