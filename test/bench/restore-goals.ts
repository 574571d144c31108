/** What a restore test has to keep to, and how far it does: each row is one goal on one set and place. */
import { median, ratioOf, runsOf } from './measure.ts'
import type { Comparison, Measured } from './measure.ts'

interface Measurement {
  readonly set: string
  readonly place: string
  readonly comparison: Comparison
}

const CPU = (one: Measured): number => one.cpuSeconds
const WALL = (one: Measured): number => one.wallSeconds

/** At most so much of another subject's wall time. */
const RATIOS: readonly {
  what: string
  pair: readonly [string, string]
  most: Record<string, number>
}[] = [
  {
    what: 'full test / restore --verify into memory',
    pair: ['full', 'verify'],
    most: { a: 1.15, b: 0.85, c: 1.15 },
  },
  {
    what: 'full test / restore --verify onto disk',
    pair: ['full', 'disk'],
    most: { a: 0.45, c: 0.45 },
  },
  {
    what: 'full test / check --read-data and hashing the source',
    pair: ['full', 'limit'],
    most: { a: 2.8, b: 1.4, c: 2.1 },
  },
  { what: 'full test / borgmatic’s spot check', pair: ['full', 'spot'], most: { d: 0.1 } },
  {
    what: 'our hashing / xargs -P2 sha256sum',
    pair: ['threads', 'xargs'],
    most: { a: 0.7 },
  },
]

const LIMITS: readonly { what: string; key: string; of: (runs: Measured[]) => number; most: number }[] = [
  { what: '1 % sample, seconds', key: 'sample', of: (runs) => median(runs.map(WALL)), most: 2.5 },
  {
    what: 'full test, the agent’s memory, MB',
    key: 'full',
    of: (runs) => median(runs.map((one) => one.nodeBytes)) / 1e6,
    most: 250,
  },
  {
    what: 'full test, scratch at most, MB',
    key: 'full',
    of: (runs) => Math.max(...runs.map((one) => one.scratchBytes)) / 1e6,
    most: 64,
  },
]

/** Goals whose subjects did not run are left out. */
export function goalsOf({ set, place, comparison }: Measurement): Record<string, string>[] {
  const told = (what: string, most: number, value: number, cpu?: number): Record<string, string>[] =>
    Number.isFinite(value)
      ? [
          {
            goal: what,
            set,
            place,
            'at most': `${most}`,
            measured: value.toFixed(2),
            'by cpu': cpu === undefined ? '' : cpu.toFixed(2),
            kept: value <= most ? 'yes' : 'no',
          },
        ]
      : []
  const ratios = RATIOS.flatMap(({ what, pair, most }) => {
    const limit = most[set]
    if (limit === undefined) return []
    return told(what, limit, ratioOf(comparison, pair, WALL), ratioOf(comparison, pair, CPU))
  })
  const limits = LIMITS.flatMap(({ what, key, of, most }) => {
    const runs = runsOf(comparison, key)
    return set === 'a' && runs.length > 0 ? told(what, most, of(runs)) : []
  })
  return [...ratios, ...limits]
}
