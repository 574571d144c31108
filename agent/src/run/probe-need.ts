/** What a probe needs restored of a snapshot. */
import type { ProbeConfig } from '../config.ts'
import { orderKey } from '../restore/order.ts'
import type { Expected } from '../restore/expected.ts'
import { isWithin } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { excludedBy } from '../tree/pattern.ts'

export interface NeedRequest {
  readonly seed: string
  /** As a test reads it: what the snapshot holds. */
  readonly expected: () => AsyncIterable<readonly Expected[]>
  readonly mode: 'full' | 'sample' | 'requested'
  /** With `requested`: only these, and what is in them. */
  readonly paths: readonly BytePath[]
}

/** Of the files that a probe is for, a sample looks at this many, drawn by the seed as all files are. */
const MOST_FILES = { sample: 10, requested: 100, full: 1_000 }

/** restic compares every node with every pattern: beyond this many pairs the whole snapshot is cheaper. */
const MAX_PAIRS = 10_000_000

/** What a database has beside it, and is not whole without. */
const SIDES = { sqlite: ['-wal', '-journal'], postgres: [], command: [] } as const

export interface Need {
  /** Restored for the probe; `bytes` with what stands beside its files. */
  readonly files: number
  readonly bytes: number
  /** Null: the whole snapshot. */
  readonly includes: readonly BytePath[] | null
  /** What the probe looks at one by one, each with what stands beside it. */
  readonly targets: readonly { readonly path: BytePath; readonly sides: readonly BytePath[] }[]
  /** How many there are in all. */
  readonly matching: number
}

/** One pass over what the snapshot holds. */
export async function chooseNeed(request: NeedRequest, probe: ProbeConfig): Promise<Need> {
  const isMatch = probe.path === undefined ? () => true : excludedBy([probe.path])
  const isWanted = (path: BytePath): boolean =>
    isMatch(path) && (request.mode !== 'requested' || request.paths.some((within) => isWithin(path, within)))
  const sizes = new Map<BytePath, number>()
  const matching: BytePath[] = []
  const all = { files: 0, bytes: 0, nodes: 0 }
  for await (const batch of request.expected()) {
    for (const { isListed, kind, path, size } of batch) {
      if (!isListed) continue
      all.nodes += 1
      if (kind !== 'file') continue
      all.files += 1
      all.bytes += size
      const owner = SIDES[probe.kind].find(
        (side) => path.endsWith(side) && isWanted(path.slice(0, -side.length) as BytePath),
      )
      if (isWanted(path)) matching.push(path)
      if (isWanted(path) || owner !== undefined) sizes.set(path, size)
    }
  }
  const whole = { ...all, includes: null, targets: [], matching: matching.length }
  if (probe.kind === 'command') {
    if (matching.length === 0) return { ...whole, files: 0 }
    if (probe.path === undefined && request.mode !== 'requested') return whole
    if (matching.length * all.nodes > MAX_PAIRS) return whole
    const bytes = matching.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0)
    return { files: matching.length, bytes, includes: matching, targets: [], matching: matching.length }
  }
  const targets = matching
    .map((path) => ({ path, key: orderKey(request.seed, path) }))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1))
    .slice(0, MOST_FILES[request.mode])
    .map(({ path }) => ({ path, sides: sidesOf(path, probe.kind).filter((side) => sizes.has(side)) }))
  const includes = targets.flatMap(({ path, sides }) => [path, ...sides])
  const bytes = includes.reduce((sum, path) => sum + (sizes.get(path) ?? 0), 0)
  return { files: includes.length, bytes, includes, targets, matching: matching.length }
}

function sidesOf(path: BytePath, kind: ProbeConfig['kind']): BytePath[] {
  return SIDES[kind].map((side) => `${path}${side}` as BytePath)
}
