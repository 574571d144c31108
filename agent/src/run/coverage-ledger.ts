/**
 * How much of a set has been restored: each of its files by itself, so that what is told is true whatever was
 * renamed, deleted, added or left undone. A file counts when it came back identical in a test whose negative
 * control was caught, and as long as the newest snapshot has it under its name. Renamed, it is a new file.
 *
 * The rotation only decides what is restored next: in a cycle of N tests each part of the set has its turn. It
 * claims nothing; the percentage is counted.
 */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { hex64, instant, slug, toInstant } from '@bevis/shared/format'
import { z } from 'zod'
import type { Expected } from '../restore/expected.ts'
import type { Rotation, Standing } from '../restore/strata.ts'
import { makePrivateFolder, syncFolder } from '../state.ts'
import { CoverageTable, versionOf } from './coverage-table.ts'

/** A part that cannot be drawn whole this often in a row lets the others go first. */
const MOST_HINDERED = 4

/** Folders stay together up to this many times one part of the set: whole folders cost restic least. */
const PARTS_TOGETHER = 2

const MAX_HEADER_BYTES = 1024 * 1024

const count = z.int().min(0)

const headerSchema = z.object({
  coverage: z.literal(1),
  set: slug,
  salt: hex64,
  /** Counts the tests that were entered. */
  turn: count,
  /** When each turn was that some file was last restored in. */
  turns: z.array(z.tuple([count, instant])).max(100_000),
  cycle: z.object({
    /** The first turn of the cycle that is under way. */
    from: count,
    unitFiles: z.int().min(1),
    /** By part: the turn in which it was last drawn whole, 0 for never; their number is the cycle's length. */
    parts: z.array(count).min(1).max(1_000),
    hindered: z.object({ part: count, times: z.int().min(1) }).nullable(),
    /** How the last cycle ended: this many of so many files had been restored in it. */
    last: z.object({ restored: count, files: count, at: instant }).nullable(),
  }),
  /** As the last test found the set, and left it. */
  files: count,
  restored: count,
  current: count,
  inCycle: count,
  /** The day of the test that is longest ago among those that the restored files rest on. */
  since: instant.nullable(),
  at: instant,
  entries: count,
  sha256: hex64,
})
type Header = z.output<typeof headerSchema>

/** What is told of a set's coverage. */
export interface SetCoverage {
  /** Files and links in the newest snapshot. */
  readonly files: number
  /** Those of them that were restored, and identical, since `since`. */
  readonly restored: number
  /** Those of the restored that have not changed since. */
  readonly current: number
  readonly since: string | null
  /** When that was counted. */
  readonly at: string
  /** Tests of the cycle so far, of how many, and how much they restored. */
  readonly cycle: { readonly tests: number; readonly of: number; readonly restored: number }
  readonly lastCycle: { readonly restored: number; readonly files: number; readonly at: string } | null
}

/** One test of the newest snapshot, from before its draw until its result. */
export interface CoverageRun {
  readonly rotation: Rotation
  /** A pass over the snapshot's files begins: each is then asked for once. */
  restart(): void
  /** Enters a file of the snapshot, and says what is known of it. */
  standingOf(item: Expected): Standing
  /** It came back identical. */
  restored(item: Pick<Expected, 'path' | 'isResolved' | 'size' | 'ctimeNs'>): void
  /** What there is to tell now; null when the snapshot's files were not all seen. */
  finish(test: FinishedTest): Finished | null
}

export interface FinishedTest {
  readonly at: Date
  /** As the test counted them. */
  readonly files: number
  /** Its negative control was caught: what came back identical did. */
  readonly counts: boolean
  /** What it restored of the cycle: its part whole, less than that, all parts, or nothing on purpose. */
  readonly part: 'whole' | 'hindered' | 'all' | 'none'
}

export interface Finished {
  readonly coverage: SetCoverage
  /** When it resolves, the ledger survives the loss of power. To be called when the statement does. */
  save(): Promise<void>
}

/**
 * @param cycle tests in which every file is to be restored
 * @param population counts the set's files: asked only before the first test, to measure the parts by
 */
export async function openCoverage(
  stateDir: string,
  set: string,
  cycle: number,
  population: () => Promise<number>,
): Promise<CoverageRun> {
  const known = load(stateDir, set)
  const salt = known?.header.salt ?? randomBytes(32).toString('hex')
  const table = known?.table ?? new CoverageTable(salt)
  const turn = (known?.header.turn ?? 0) + 1
  const last = known?.header.cycle
  const plan =
    last?.parts.length === cycle
      ? last
      : newCycle(turn, cycle, known?.header.files ?? (await population()), last?.last ?? null)
  const part = nextPart(plan.parts)
  let now = new CoverageTable(salt, table.size)
  let seen = 0
  const identical: number[] = []
  return {
    rotation: { part, of: cycle, salt, unitFiles: plan.unitFiles },
    restart() {
      now = new CoverageTable(salt, table.size)
      seen = 0
    },
    standingOf(item) {
      seen += 1
      const key = now.keyOf(item.path)
      const entry = table.get(key)
      // A lossy name may stand for several files, and none of them is then known to have been restored.
      const restoredIn = item.isResolved ? (entry?.turn ?? 0) : 0
      const version = versionOf(item)
      const isChanged = restoredIn > 0 && entry?.version !== version
      now.put(key, { turn: restoredIn, version: isChanged ? (entry?.version ?? 0) : version, isChanged })
      if (entry === null) return 'unknown'
      return restoredIn === 0 ? 'never' : isChanged ? 'changed' : 'restored'
    },
    restored(item) {
      if (!item.isResolved) return
      const [first, second] = now.keyOf(item.path)
      identical.push(first, second, versionOf(item))
    },
    finish({ at, files, counts, part: done }) {
      if (files !== seen) return null
      for (let place = 0; counts && place < identical.length; place += 3) {
        const key = [identical[place] ?? 0, identical[place + 1] ?? 0] as const
        now.put(key, { turn, version: identical[place + 2] ?? 0, isChanged: false })
      }
      const told = toInstant(at)
      const { turns, ...sums } = summed(now, plan.from, [...(known?.header.turns ?? []), [turn, told]])
      const isPart = counts || done === 'none' ? done : 'hindered'
      const after = withTest(plan, { turn, part, done: isPart, at: told, files, ...sums })
      // The cycle that begins has restored nothing yet; what the last one did stands beside it.
      const inCycle = after.from > turn ? 0 : sums.inCycle
      const header = {
        coverage: 1 as const,
        set,
        salt,
        turn,
        turns,
        cycle: after,
        files,
        ...sums,
        inCycle,
        at: told,
      }
      return { coverage: coverageOf(header), save: () => save(stateDir, header, now) }
    },
  }
}

type Cycle = Header['cycle']

function newCycle(from: number, of: number, files: number, last: Cycle['last']): Cycle {
  const unitFiles = Math.max(1, Math.ceil((files * PARTS_TOGETHER) / of))
  return { from, unitFiles, parts: Array.from({ length: of }, () => 0), hindered: null, last }
}

/** The one that has waited longest; of those the first. */
function nextPart(parts: readonly number[]): number {
  return parts.indexOf(Math.min(...parts))
}

interface CycleTest {
  readonly turn: number
  readonly part: number
  readonly done: FinishedTest['part']
  readonly at: string
  readonly files: number
  readonly inCycle: number
}

function withTest(cycle: Cycle, { turn, part, done, at, files, inCycle }: CycleTest): Cycle {
  if (done === 'none') return cycle
  if (done === 'hindered') {
    const times = (cycle.hindered?.part === part ? cycle.hindered.times : 0) + 1
    if (times < MOST_HINDERED) return { ...cycle, hindered: { part, times } }
  }
  const parts = cycle.parts.map((last, index) => (done === 'all' || index === part ? turn : last))
  const after = { ...cycle, parts, hindered: null }
  if (!parts.every((last) => last >= cycle.from)) return after
  return newCycle(turn + 1, parts.length, files, { restored: inCycle, files, at })
}

/** Counted over the files that the snapshot has, and only over those. */
function summed(
  table: CoverageTable,
  from: number,
  turns: readonly (readonly [number, string])[],
): Pick<Header, 'restored' | 'current' | 'inCycle' | 'since' | 'turns'> {
  const used = new Set<number>()
  const sums = { restored: 0, current: 0, inCycle: 0 }
  for (const { turn, isChanged } of table.entries()) {
    if (turn === 0) continue
    used.add(turn)
    sums.restored += 1
    if (!isChanged) sums.current += 1
    if (turn >= from) sums.inCycle += 1
  }
  const kept = turns.filter(([turn]) => used.has(turn)).map(([turn, at]): [number, string] => [turn, at])
  const since = kept.map(([, at]) => at).toSorted()[0] ?? null
  return { ...sums, since, turns: kept }
}

function coverageOf(header: Omit<Header, 'entries' | 'sha256'>): SetCoverage {
  const { files, restored, current, since, at, inCycle, cycle } = header
  const tests = cycle.parts.filter((turn) => turn >= cycle.from).length
  return {
    files,
    restored,
    current,
    since,
    at,
    cycle: { tests, of: cycle.parts.length, restored: inCycle },
    lastCycle: cycle.last,
  }
}

/** What the last test left; null before the first, and when nothing of it can be trusted. */
export function readCoverage(stateDir: string, set: string): SetCoverage | null {
  try {
    const handle = openSync(fileOf(stateDir, set), 'r')
    try {
      const bytes = Buffer.alloc(MAX_HEADER_BYTES)
      const length = readSync(handle, bytes, 0, bytes.length, 0)
      return coverageOf(headerOf(bytes.subarray(0, length)).header)
    } finally {
      closeSync(handle)
    }
  } catch {
    return null
  }
}

/** Null when there is none that can be trusted: then no file counts as restored. */
function load(stateDir: string, set: string): { header: Header; table: CoverageTable } | null {
  try {
    const bytes = readFileSync(fileOf(stateDir, set))
    const { header, end } = headerOf(bytes)
    const body = bytes.subarray(end)
    if (header.set !== set || digestOf(body) !== header.sha256) return null
    const table = CoverageTable.fromBytes(header.salt, body)
    return table.size === header.entries ? { header, table } : null
  } catch {
    return null
  }
}

function headerOf(bytes: Buffer): { header: Header; end: number } {
  const end = bytes.indexOf(0x0a) + 1
  return { header: headerSchema.parse(JSON.parse(bytes.toString('utf8', 0, end))), end }
}

async function save(
  stateDir: string,
  header: Omit<Header, 'entries' | 'sha256'>,
  table: CoverageTable,
): Promise<void> {
  const folder = join(stateDir, 'coverage')
  makePrivateFolder(folder)
  const body = table.toBytes()
  const whole: Header = { ...header, entries: table.size, sha256: digestOf(body) }
  const file = fileOf(stateDir, header.set)
  const handle = await open(`${file}.part`, 'w', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(whole)}\n`)
    await handle.writeFile(body)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.part`, file)
  syncFolder(folder)
}

function digestOf(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}

function fileOf(stateDir: string, set: string): string {
  return join(stateDir, 'coverage', `${set}.ledger`)
}
