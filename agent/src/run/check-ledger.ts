/**
 * Which part of a repository's packs was read when. restic takes the packs of a slice n/t by the first byte of
 * their IDs, so the ledger is kept by first bytes: it stays true when the cycle gets another length.
 */
import { readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { instant } from '@bevis/shared/format'
import { z } from 'zod'
import { isInPart, MOST_PARTS } from '../restic/packs.ts'
import { syncFolder } from '../state.ts'
import { nameOfCopy } from './repository.ts'
import type { Copy } from './repository.ts'

/** Part `part` (from 1) of `of` of all packs, as `restic check --read-data-subset` has it. */
export interface Slice {
  readonly part: number
  readonly of: number
}

/** A slice that is hindered this often in a row lets the others go first. */
const MOST_HINDERED = 4

const turn = z.int().min(0)
const schema = z.object({
  /** Counts the runs: unlike a clock it never goes back. */
  turn,
  /** What was read in this turn or later belongs to the cycle that is under way. */
  cycleFrom: turn,
  /** When the last cycle had read every pack. */
  completedAt: instant.nullable(),
  /** The slice that could not be read last, and how often in a row. */
  hindered: z.object({ part: z.int().min(1), of: z.int().min(1), times: z.int().min(1) }).nullable(),
  /** By the first byte of a pack's ID. `read` 0: never. `queued`: the lowest is next. */
  bytes: z
    .array(z.object({ read: turn, queued: turn, readAt: instant.nullable(), isGood: z.boolean() }))
    .length(MOST_PARTS),
})

/** Values are replaced, never changed. */
export type CheckLedger = z.output<typeof schema>

export function emptyLedger(): CheckLedger {
  const never = { read: 0, queued: 0, readAt: null, isGood: true }
  return {
    turn: 0,
    cycleFrom: 1,
    completedAt: null,
    hindered: null,
    bytes: Array.from({ length: MOST_PARTS }, () => never),
  }
}

/** The slice that has waited longest; of those the first. After `of` reads every slice has had its turn. */
export function nextSlice({ bytes }: CheckLedger, of: number): Slice {
  const waited = Array.from({ length: of }, () => Infinity)
  for (const [byte, { queued }] of bytes.entries()) {
    waited[byte % of] = Math.min(waited[byte % of] ?? Infinity, queued)
  }
  return { part: waited.indexOf(Math.min(...waited)) + 1, of }
}

/** After a slice's packs were all read. `startedAt`: what came into the repository later was not among them. */
export function withRead(
  ledger: CheckLedger,
  slice: Slice,
  run: { startedAt: string; endedAt: string; isGood: boolean },
): CheckLedger {
  const now = ledger.turn + 1
  const bytes = ledger.bytes.map((entry, byte) =>
    isInPart(byte, slice) ? { read: now, queued: now, readAt: run.startedAt, isGood: run.isGood } : entry,
  )
  const isComplete = bytes.every(({ read }) => read >= ledger.cycleFrom)
  return {
    turn: now,
    cycleFrom: isComplete ? now + 1 : ledger.cycleFrom,
    completedAt: isComplete ? run.endedAt : ledger.completedAt,
    hindered: null,
    bytes,
  }
}

/** After a run that did not read its slice: it stays unread, and next, unless it is hindered for ever. */
export function withHindrance(ledger: CheckLedger, slice: Slice): CheckLedger {
  const { hindered } = ledger
  const times = hindered?.part === slice.part && hindered.of === slice.of ? hindered.times + 1 : 1
  if (times < MOST_HINDERED) return { ...ledger, hindered: { ...slice, times } }
  const now = ledger.turn + 1
  const bytes = ledger.bytes.map((entry, byte) => (isInPart(byte, slice) ? { ...entry, queued: now } : entry))
  return { ...ledger, turn: now, hindered: null, bytes }
}

/** How much of a repository's data has been read. Shares from 0 to 1. */
export interface Coverage {
  /** Of all packs: those that were read at some time. */
  readonly share: number
  /** Each of them was read at this time or later; null: none was. */
  readonly since: string | null
  /** Read in the cycle that is under way. */
  readonly cycleShare: number
  readonly completedAt: string | null
  /** Where damage was found when it was last read. */
  readonly damagedShare: number
}

export function coverageOf({ bytes, cycleFrom, completedAt }: CheckLedger): Coverage {
  const shareOf = (is: (entry: CheckLedger['bytes'][number]) => boolean): number =>
    bytes.filter(is).length / bytes.length
  return {
    share: shareOf(({ read }) => read > 0),
    since: bytes.flatMap(({ readAt }) => readAt ?? []).toSorted()[0] ?? null,
    cycleShare: shareOf(({ read }) => read >= cycleFrom),
    completedAt,
    damagedShare: shareOf(({ isGood }) => !isGood),
  }
}

/** Null when there is none that can be read: then nothing counts as read. */
export function loadCheckLedger(stateDir: string, repository: Copy): CheckLedger | null {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(stateDir, repository), 'utf8')))
  } catch {
    return null
  }
}

/** When it resolves, the ledger survives the loss of power. */
export async function saveCheckLedger(
  stateDir: string,
  repository: Copy,
  ledger: CheckLedger,
): Promise<void> {
  const file = fileOf(stateDir, repository)
  const folder = join(stateDir, 'data-checks')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const handle = await open(`${file}.part`, 'w', 0o600)
  try {
    await handle.writeFile(JSON.stringify(ledger))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(`${file}.part`, file)
  syncFolder(folder)
}

function fileOf(stateDir: string, repository: Copy): string {
  return join(stateDir, 'data-checks', `${nameOfCopy(repository)}.json`)
}
