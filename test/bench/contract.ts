/**
 * What a contract's evaluation costs as its history grows: an hourly contract over 36, 360 and 3600 days. The first
 * evaluation reads everything; each statement after it should cost what it touches, whatever came before, in time and in
 * memory. The lists of an answer are put together when somebody asks for them.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Judge } from '@bevis/shared/contract/evaluate'
import { addFact, emptyIndex } from '@bevis/shared/contract/facts'
import type { Fact } from '@bevis/shared/contract/known'
import { Story, contractFor, keeping } from '@bevis/shared/contract/story-for-tests'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const FIRST = Date.parse('2025-01-01T00:00:00Z')
const DAYS = 36
const FIVE_YEARS = 1826
/** Statements that come after the first evaluation, one evaluation after each. */
const MORE = 300

const contract = contractFor({
  onboardedAt: '2025-01-01',
  schedule: { every: 'PT1H', lateGrace: 'PT1H', rpo: 'PT2H' },
  content: { maxDropPct: 20 },
  retention: keeping(
    [
      { per: 'hour', keep: 48 },
      { per: 'day', keep: 35 },
      { per: 'month', keep: 6 },
    ],
    { age: 'P8M', purgeGrace: 'P14D' },
  ),
  restoreTest: { every: 'P1M' },
  evidence: { freshFor: 'PT3H', unknownAfter: 'PT12H' },
})

export function benchContract({ scales, keepAll }: { scales: readonly number[]; keepAll: boolean }): void {
  for (const scale of scales) measure(`x${scale}`, scale * DAYS, keepAll)
  measure('5 years', FIVE_YEARS, keepAll)
}

function measure(name: string, days: number, keepAll: boolean): void {
  const facts = tell(days, keepAll)
  const before = heapBytes()
  const index = emptyIndex()
  const folding = timed(() => {
    for (const fact of facts.slice(0, -MORE)) addFact(index, fact)
  })
  const judge = new Judge(contract, index)
  const last = facts.at(-MORE - 1)
  const first = timed(() => judge.judge(new Date(last?.receivedAt ?? FIRST)))
  let allocated = -getHeapStatistics().total_allocated_bytes
  const times = facts.slice(-MORE).map((fact) => {
    addFact(index, fact)
    return timed(() => judge.judge(new Date(fact.receivedAt)))
  })
  allocated += getHeapStatistics().total_allocated_bytes
  const newest = judge.judge(new Date(facts.at(-1)?.receivedAt ?? FIRST))
  let obligations = 0
  const listing = timed(() => {
    obligations = newest.sets.reduce((sum, set) => sum + set.obligations.length, 0)
  })
  const heap = heapBytes() - before
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(2)
  process.stdout.write(
    [
      `${name.padEnd(7)}${String(facts.length).padStart(7)} statements`,
      `folded in ${folding.toFixed(0)} ms`,
      `first evaluation ${first.toFixed(0)} ms`,
      `one more statement p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ${(allocated / MORE / 1024).toFixed(0)} KB allocated`,
      `read anew ${judge.beginnings - 1} times`,
      `all ${obligations} obligations listed in ${listing.toFixed(1)} ms`,
      `heap ${(heap / 1e6).toFixed(0)} MB, ${(heap / facts.length / 1024).toFixed(1)} KB a statement\n`,
    ].join(', '),
  )
}

/** Each hour a backup and an inventory; each day what is owed no more goes, unless everything is kept. */
function tell(days: number, keepAll: boolean): Fact[] {
  const story = new Story()
  for (let hour = 0; hour < days * 24; hour++) {
    const at = (minute: number) => new Date(FIRST + hour * HOUR_MS + minute * 60_000).toISOString()
    const snapshot = story.backup(at(5))
    if (hour % 24 === 3 && !keepAll) {
      const go = story.contents().filter(({ time }) => isOver(time, FIRST + hour * HOUR_MS))
      if (go.length > 0) story.forget(go, at(20))
    }
    if (hour % 480 === 9) story.test(snapshot, at(25), 'PASSED')
    story.inventory(at(40))
  }
  return story.facts
}

function isOver(time: string, now: number): boolean {
  const ageMs = now - Date.parse(time)
  if (time.slice(11, 13) !== '12') return ageMs > 50 * HOUR_MS
  return ageMs > (time.slice(8, 10) === '15' ? 215 : 37) * DAY_MS
}

function timed(work: () => unknown): number {
  const begun = performance.now()
  work()
  return performance.now() - begun
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect === 'function') collect()
  return process.memoryUsage().heapUsed
}
