/**
 * Which older snapshots are restored, besides the newest: a set that always tests last night's proves nothing of
 * what a contract promises about last year's. Where a contract is known, its tiers say which are owed, and the others
 * have no turn. A tier is proven by its oldest owed snapshot, so that has its turn twice within the contract's time,
 * before all others. Of the others the least recently tested goes first, and each has its turn within the ladder's
 * time, a share of them with each test. Without a time, each test takes one along, from each tier in turn.
 *
 * The record of who had a turn is durable, and no evidence: the statements are. Losing it starts a new round.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hex64, instant, toInstant } from '@bevis/shared/format'
import { z } from 'zod'
import { writeDurably } from '../outbox/alarm.ts'
import { parseDuration } from '../quantity.ts'
import type { OwedTier } from './owed-tiers.ts'
import { makePrivateFolder } from '../state.ts'
import type { RunLogger } from './repository.ts'

const rung = z.object({
  /** When a choice first saw it: an old repository that is new to us is not late on its first day. */
  seenAt: instant,
  /** The last attempt, whatever it came to: one snapshot that hinders must not keep the others waiting. */
  triedAt: instant.nullable(),
  /** The last attempt that got to the files. */
  testedAt: instant.nullable(),
})

const schema = z.object({
  /** The last choice: from one to the next is the time that a turn has to serve. */
  chosenAt: instant.nullable(),
  snapshots: z.record(hex64, rung),
  /** By key. */
  tiers: z
    .record(
      z.string(),
      z.object({
        /** When the last test began that passed on what was the tier's oldest owed snapshot then. */
        provenAt: instant.nullable(),
        /** That one was not certain to satisfy: others may never count it. */
        isInDoubt: z.boolean().default(false),
        /** The last attempt with one of its snapshots. */
        triedAt: instant.nullable(),
      }),
    )
    .default({}),
})

/** Values are replaced, never changed. */
export type Ladder = z.output<typeof schema>

export const NO_LADDER: Ladder = { chosenAt: null, snapshots: {}, tiers: {} }

const UNPROVEN = { provenAt: null, isInDoubt: false }

export interface Climb {
  /** Whose turn it is, the longest waiting first. */
  readonly turns: readonly string[]
  readonly ladder: Ladder
}

/**
 * Chooses from `ids`, oldest snapshot first. What is not among them is forgotten. `lengthMs` null: one. `tiers` null:
 * nobody knows what is owed, so that all of them have a turn.
 */
export function climb(
  ladder: Ladder,
  ids: readonly string[],
  lengthMs: number | null,
  now: Date,
  tiers: readonly OwedTier[] | null = null,
): Climb {
  const at = toInstant(now)
  const owed = tiers && new Set(tiers.flatMap((tier) => [...tier.owed, ...tier.rungs.map(({ id }) => id)]))
  const known = ids
    .filter((id) => owed?.has(id) !== false)
    .map((id) => [id, ladder.snapshots[id] ?? { seenAt: at, triedAt: null, testedAt: null }] as const)
  // A clock that was put back gives no negative span.
  const sinceMs = ladder.chosenAt === null ? 0 : Math.max(0, now.getTime() - Date.parse(ladder.chosenAt))
  const share = lengthMs === null ? 0 : Math.max(1, Math.ceil((known.length * sinceMs) / lengthMs))
  const isLate = ({ testedAt, seenAt }: z.output<typeof rung>): boolean =>
    lengthMs !== null && now.getTime() + sinceMs - Date.parse(testedAt ?? seenAt) > lengthMs
  const standings = new Map(known)
  const triedOf = (id: string | undefined): number => {
    const standing = id === undefined ? undefined : standings.get(id)
    return standing === undefined ? -1 : triedMs(standing)
  }
  const due = (tiers ?? [])
    .filter((tier) => isDue(ladder.tiers[tier.key], tier, now))
    // One that hinders must not keep other tiers waiting; a tier's own stay in their order, as they end.
    .toSorted((one, other) => triedOf(one.rungs[0]?.id) - triedOf(other.rungs[0]?.id))
    .flatMap(({ rungs }) => rungs.flatMap(({ id }) => (standings.has(id) ? [id] : [])))
  const first = new Set(due)
  const one = lengthMs === null && first.size === 0 ? oneOf(standings, tiers, ladder) : null
  const others = known
    .filter(([id]) => !first.has(id))
    .toSorted(([, own], [, other]) => triedMs(own) - triedMs(other))
    .filter(([id, own], index) => id === one || first.size + index < share || isLate(own))
    .map(([id]) => id)
  const turns = [...first, ...others]
  const keys = new Set(tiers?.map(({ key }) => key))
  const proven = Object.entries(ladder.tiers).filter(([key]) => tiers === null || keys.has(key))
  const snapshots = Object.fromEntries(known)
  return { turns, ladder: { chosenAt: at, snapshots, tiers: Object.fromEntries(proven) } }
}

/**
 * Just under half the time: whatever comes between two tests, there is one more before it is over, and of two that are
 * exactly half of it apart the second does not begin minutes too late.
 */
const DUE_AFTER = 0.45

function isDue(proof: Ladder['tiers'][string] | undefined, { everyMs, rungs }: OwedTier, now: Date): boolean {
  if (everyMs === null) return false
  if (proof === undefined || proof.provenAt === null) return true
  // What may never count is made up for as soon as there is one that does.
  if (proof.isInDoubt && rungs.some(({ isCertain }) => isCertain)) return true
  return Math.abs(now.getTime() - Date.parse(proof.provenAt)) > everyMs * DUE_AFTER
}

/** Of the tier that has waited longest, what has waited longest: last night's must not keep last year's waiting. */
function oneOf(
  known: ReadonlyMap<string, z.output<typeof rung>>,
  tiers: readonly OwedTier[] | null,
  ladder: Ladder,
): string | null {
  const all = tiers ?? [{ key: '', owed: [...known.keys()] }]
  const [waiting] = all
    .flatMap(({ key, owed }) => {
      const own = owed.flatMap((id) => {
        const standing = known.get(id)
        return standing === undefined ? [] : [{ id, ms: triedMs(standing) }]
      })
      const [least] = own.toSorted((one, other) => one.ms - other.ms)
      return least === undefined ? [] : [{ id: least.id, lastAt: ladder.tiers[key]?.triedAt ?? '' }]
    })
    .toSorted((one, other) => (one.lastAt < other.lastAt ? -1 : one.lastAt > other.lastAt ? 1 : 0))
  return waiting?.id ?? null
}

/** After an attempt. */
export function withAttempt(
  ladder: Ladder,
  id: string,
  at: Date,
  gotToFiles: boolean,
  tiers: readonly OwedTier[] = [],
): Ladder {
  const triedAt = toInstant(at)
  const before = ladder.snapshots[id] ?? { seenAt: triedAt, testedAt: null }
  const after = { seenAt: before.seenAt, triedAt, testedAt: gotToFiles ? triedAt : before.testedAt }
  const own = tiers.filter(({ owed }) => owed.includes(id))
  const tried = own.map(({ key }) => [key, { ...(ladder.tiers[key] ?? UNPROVEN), triedAt }])
  const snapshots = { ...ladder.snapshots, [id]: after }
  return { ...ladder, snapshots, tiers: { ...ladder.tiers, ...Object.fromEntries(tried) } }
}

/** A test that passed: which snapshot, and when it began. */
export interface Passed {
  readonly id: string
  readonly beganAt: Date
}

/** After the tests of one run: those tiers are proven of which one that is certain passed, and all that are in doubt. */
export function withProof(ladder: Ladder, tiers: readonly OwedTier[], passed: readonly Passed[]): Ladder {
  const proven = tiers.flatMap(({ key, rungs }) => {
    const began = (isCertain: boolean): number[] =>
      rungs
        .filter((one) => one.isCertain === isCertain)
        .map(({ id, fromMs, untilMs }) => {
          const ms = passed.find((one) => one.id === id)?.beganAt.getTime() ?? Number.NaN
          return fromMs <= ms && ms < untilMs ? ms : Number.NaN
        })
    const [certain, doubtful] = [began(true), began(false)]
    const isProven = [...certain, ...doubtful].some(Number.isFinite) && doubtful.every(Number.isFinite)
    const isCertain = certain.length === 0 || certain.some(Number.isFinite)
    if (!isProven || !isCertain) return []
    const provenAt = toInstant(new Date(Math.min(...[...certain, ...doubtful].filter(Number.isFinite))))
    const triedAt = ladder.tiers[key]?.triedAt ?? null
    return [[key, { provenAt, isInDoubt: certain.length === 0, triedAt }]]
  })
  return { ...ladder, tiers: { ...ladder.tiers, ...Object.fromEntries(proven) } }
}

function triedMs({ triedAt }: z.output<typeof rung>): number {
  return triedAt === null ? -1 : Date.parse(triedAt)
}

/** A set's ladder, on disk. */
export interface Turns {
  /** Chooses from the set's snapshots, oldest first, without the newest; and remembers what it chose from. */
  olderOf(ids: readonly string[], newest: string): readonly string[]
  /** After an attempt that was more than a look at single files; `passedAt`: when the test that passed began. */
  took(id: string, gotToFiles: boolean, passedAt: Date | null): void
}

export async function openTurns(context: {
  readonly stateDir: string
  readonly set: { readonly id: string; readonly restoreTest: { readonly ladder?: string } }
  readonly now: () => Date
  readonly logger: RunLogger
  /** The configuration's own time goes before what a contract says. */
  readonly agreed?: { readonly ladderMs: number | null }
  /** What contracts owe of the snapshots that can be tested here; null where no contract is known. */
  readonly tiersOf?: (isOwn: (id: string) => boolean) => readonly OwedTier[] | null
}): Promise<Turns> {
  const { stateDir, set, now, logger, agreed } = context
  const length = set.restoreTest.ladder
  const lengthMs = length === undefined ? (agreed?.ladderMs ?? null) : parseDuration(length)
  let ladder = await loadLadder(stateDir, set.id)
  let tiers: readonly OwedTier[] | null = null
  const passed: Passed[] = []
  const keep = (next: Ladder): void => {
    ladder = next
    try {
      saveLadder(stateDir, set.id, ladder)
    } catch (err) {
      logger.warn(
        { set: set.id, err },
        'whose turn it was could not be kept; the next test may choose the same',
      )
    }
  }
  return {
    olderOf(ids, newest) {
      const own = new Set([...ids, newest])
      try {
        tiers = context.tiersOf?.((id) => own.has(id)) ?? null
      } catch (err) {
        // All of them have a turn then: more than is owed, and never less.
        logger.warn({ set: set.id, err }, 'which snapshots the contract owes could not be told')
      }
      const chosen = climb(ladder, ids, lengthMs, now(), tiers)
      keep(chosen.ladder)
      return chosen.turns
    },
    took(id, gotToFiles, passedAt) {
      if (passedAt !== null) passed.push({ id, beganAt: passedAt })
      const owing = tiers ?? []
      keep(withProof(withAttempt(ladder, id, now(), gotToFiles, owing), owing, passed))
    },
  }
}

/** An empty one when there is none that can be read. */
export async function loadLadder(stateDir: string, set: string): Promise<Ladder> {
  try {
    return schema.parse(JSON.parse(await readFile(fileOf(stateDir, set), 'utf8')))
  } catch {
    return NO_LADDER
  }
}

function saveLadder(stateDir: string, set: string, ladder: Ladder): void {
  makePrivateFolder(join(stateDir, 'ladders'))
  writeDurably(fileOf(stateDir, set), JSON.stringify(ladder))
}

function fileOf(stateDir: string, set: string): string {
  return join(stateDir, 'ladders', `${set}.json`)
}
