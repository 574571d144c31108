/** Whole processes, measured from outside: wall time, processor time and memory of a command and its children. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statfsSync } from 'node:fs'

export interface Measured {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  /** The largest sum of resident memory over the command's processes, sampled every 50 ms. */
  readonly peakBytes: number
  /** The largest resident memory of one of them. */
  readonly largestBytes: number
  /** The same of those that are Node: ours, where restic runs below it. */
  readonly nodeBytes: number
  /** The most that stood in the subject's scratch, sampled likewise. */
  readonly scratchBytes: number
}

export interface Subject {
  /** By it ratios and options name the subject. */
  readonly key: string
  readonly name: string
  readonly command: readonly string[]
  /** A file system whose use is its scratch, as far as it grows during the run. */
  readonly scratch?: string
  /** Done before each run, unmeasured: empty folders, say. */
  prepare?(): void
  /** Exit statuses that mean that the work was done. */
  readonly goodExits?: readonly number[]
}

const PAGE_BYTES = 4096
const TICKS_PER_SECOND = 100

/** Runs a command once. @throws Error when it fails: a failed run has no time */
export async function measure(subject: Subject, env: NodeJS.ProcessEnv): Promise<Measured> {
  subject.prepare?.()
  // bash's `time` counts the processor time of all children that were waited for.
  const child = spawn('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@"', 'bench', ...subject.command], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const chunks: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  let [peakBytes, largestBytes, nodeBytes, scratchBytes] = [0, 0, 0, 0]
  const used = (): number => (subject.scratch === undefined ? 0 : usedBytes(subject.scratch))
  const usedBefore = used()
  const sampler = setInterval(() => {
    scratchBytes = Math.max(scratchBytes, used() - usedBefore)
    const pids = descendantsOf(child.pid ?? 0)
    const each = pids.map((pid) => residentBytes([pid]))
    largestBytes = Math.max(largestBytes, ...each)
    nodeBytes = Math.max(nodeBytes, ...pids.filter(isNode).map((pid) => residentBytes([pid])))
    peakBytes = Math.max(
      peakBytes,
      each.reduce((sum, bytes) => sum + bytes, 0),
    )
  }, 50)
  const [exit] = (await once(child, 'close')) as [number]
  clearInterval(sampler)
  const text = Buffer.concat(chunks).toString().trim()
  const times = (text.split('\n').at(-1) ?? '').split(' ').map(Number)
  const [wall, user, system] = times
  if (!(subject.goodExits ?? [0]).includes(exit) || wall === undefined) {
    throw new Error(`${subject.name} ended with ${exit}: ${text.slice(-2000)}`)
  }
  const cpuSeconds = (user ?? 0) + (system ?? 0)
  return { wallSeconds: wall, cpuSeconds, peakBytes, largestBytes, nodeBytes, scratchBytes }
}

function usedBytes(folder: string): number {
  const { blocks, bfree, bsize } = statfsSync(folder)
  return (blocks - bfree) * bsize
}

/** The processes under one, without it. */
export function descendantsOf(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = statOf(Number(name))
    if (fields !== null) parents.set(Number(name), Number(fields[1]))
  }
  const found = [root]
  for (const parent of found) for (const [pid, of] of parents) if (of === parent) found.push(pid)
  return found.slice(1)
}

function isNode(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('node')
  } catch {
    return false
  }
}

/** /proc/PID/stat after the command's name: state, parent, … */
function statOf(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(statOf(pid)?.[21] ?? 0) * PAGE_BYTES, 0)
}

/** Memory that no other process shares. */
export function privateBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)].map((match) =>
    Number(match[1]),
  )
  return kilobytes.reduce((sum, one) => sum + one, 0) * 1024
}

/** Processor time that a process used so far, its ended children left out. */
export function cpuSecondsOf(pid: number): number {
  const fields = statOf(pid)
  return (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) / TICKS_PER_SECOND
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** What rounds of several subjects came to; each round holds one run of each subject, in the subjects' order. */
export interface Comparison {
  readonly title: string
  readonly subjects: readonly Subject[]
  readonly rounds: readonly (readonly Measured[])[]
}

/** Runs the subjects in turn, `pairs` times after one unmeasured round. */
export async function compare(
  title: string,
  subjects: readonly Subject[],
  { pairs, env }: { pairs: number; env: NodeJS.ProcessEnv },
): Promise<Comparison> {
  const rounds: Measured[][] = []
  for (let round = 0; round <= pairs; round += 1) {
    const measured: Measured[] = []
    for (const subject of subjects) measured.push(await measure(subject, env))
    if (round > 0) rounds.push(measured)
    const told = measured.map(
      ({ wallSeconds, cpuSeconds }, n) =>
        `${subjects[n]?.key} ${wallSeconds.toFixed(1)} s (cpu ${cpuSeconds.toFixed(1)})`,
    )
    process.stderr.write(`${title}, round ${round} of ${pairs}: ${told.join(', ')}\n`)
  }
  return { title, subjects, rounds }
}

/** All runs of the subject with this key; none when it did not run. */
export function runsOf({ subjects, rounds }: Comparison, key: string): Measured[] {
  const column = subjects.findIndex((subject) => subject.key === key)
  return rounds.flatMap((round) => round[column] ?? [])
}

/**
 * The median over rounds of one subject's figure to another's, NaN when either did not run. Ratios hold while the
 * machine's speed drifts.
 */
export function ratioOf(
  comparison: Comparison,
  [key, other]: readonly [string, string],
  pick: (one: Measured) => number,
): number {
  const others = runsOf(comparison, other)
  return median(
    runsOf(comparison, key).flatMap((run, n) => {
      const beside = others[n]
      return beside === undefined ? [] : [pick(run) / pick(beside)]
    }),
  )
}

/** Medians, and ratios to the first subject; of the scratch the most. */
export function tableOf(comparison: Comparison): Record<string, string | number>[] {
  const first = comparison.subjects[0]?.key ?? ''
  return comparison.subjects.map(({ key, name }) => {
    const of = (pick: (one: Measured) => number): number => median(runsOf(comparison, key).map(pick))
    const ratio = (pick: (one: Measured) => number): string =>
      ratioOf(comparison, [key, first], pick).toFixed(2)
    return {
      what: name,
      'wall s': of((one) => one.wallSeconds).toFixed(2),
      'wall ratio': ratio((one) => one.wallSeconds),
      'cpu s': of((one) => one.cpuSeconds).toFixed(2),
      'cpu ratio': ratio((one) => one.cpuSeconds),
      'peak MB': Math.round(of((one) => one.peakBytes) / 1e6),
      'largest MB': Math.round(of((one) => one.largestBytes) / 1e6),
      'node MB': Math.round(of((one) => one.nodeBytes) / 1e6),
      'scratch MB': Math.round(Math.max(...runsOf(comparison, key).map((one) => one.scratchBytes)) / 1e6),
    }
  })
}

/** A table on standard output. */
export function print(title: string, rows: readonly Record<string, string | number>[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const widths = columns.map((name) => Math.max(name.length, ...rows.map((row) => String(row[name]).length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  ')
  const lines = [line(columns), ...rows.map((row) => line(columns.map((name) => String(row[name]))))]
  process.stdout.write(`\n${title}\n${lines.map((text) => `  ${text}`).join('\n')}\n`)
}
