/**
 * Which older snapshots are restored, besides the newest: a set that always tests last night's proves nothing of
 * what a contract promises about last year's. The least recently tested goes first, and every snapshot has its
 * turn within the ladder's time, a share of them with each test. Without a time, each test takes one along.
 *
 * The record of who had a turn is durable, and no evidence: the statements are. Losing it starts a new round.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hex64, instant, toInstant } from '@bevis/shared/format'
import { z } from 'zod'
import { writeDurably } from '../outbox/alarm.ts'
import { parseDuration } from '../quantity.ts'
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
})

/** Values are replaced, never changed. */
export type Ladder = z.output<typeof schema>

export const NO_LADDER: Ladder = { chosenAt: null, snapshots: {} }

export interface Climb {
  /** Whose turn it is, the longest waiting first. */
  readonly turns: readonly string[]
  readonly ladder: Ladder
}

/** Chooses from `ids`, oldest snapshot first. What is not among them is forgotten. `lengthMs` null: one. */
export function climb(ladder: Ladder, ids: readonly string[], lengthMs: number | null, now: Date): Climb {
  const at = toInstant(now)
  const known = ids.map(
    (id) => [id, ladder.snapshots[id] ?? { seenAt: at, triedAt: null, testedAt: null }] as const,
  )
  // A clock that was put back gives no negative span.
  const sinceMs = ladder.chosenAt === null ? 0 : Math.max(0, now.getTime() - Date.parse(ladder.chosenAt))
  const share = lengthMs === null ? 1 : Math.max(1, Math.ceil((ids.length * sinceMs) / lengthMs))
  const isLate = ({ testedAt, seenAt }: z.output<typeof rung>): boolean =>
    lengthMs !== null && now.getTime() + sinceMs - Date.parse(testedAt ?? seenAt) > lengthMs
  const waiting = known.toSorted(([, one], [, other]) => triedMs(one) - triedMs(other))
  const turns = waiting.filter(([, one], index) => index < share || isLate(one)).map(([id]) => id)
  return { turns, ladder: { chosenAt: at, snapshots: Object.fromEntries(known) } }
}

/** After an attempt. */
export function withAttempt(ladder: Ladder, id: string, at: Date, gotToFiles: boolean): Ladder {
  const triedAt = toInstant(at)
  const before = ladder.snapshots[id] ?? { seenAt: triedAt, testedAt: null }
  const after = { seenAt: before.seenAt, triedAt, testedAt: gotToFiles ? triedAt : before.testedAt }
  return { ...ladder, snapshots: { ...ladder.snapshots, [id]: after } }
}

function triedMs({ triedAt }: z.output<typeof rung>): number {
  return triedAt === null ? -1 : Date.parse(triedAt)
}

/** A set's ladder, on disk. */
export interface Turns {
  /** Chooses, and remembers what it chose from. */
  olderOf(ids: readonly string[]): readonly string[]
  /** After an attempt that was more than a look at single files. */
  took(id: string, gotToFiles: boolean): void
}

export async function openTurns(context: {
  readonly stateDir: string
  readonly set: { readonly id: string; readonly restoreTest: { readonly ladder?: string } }
  readonly now: () => Date
  readonly logger: RunLogger
  /** The configuration's own time goes before what a contract says. */
  readonly agreed?: { readonly ladderMs: number | null }
}): Promise<Turns> {
  const { stateDir, set, now, logger, agreed } = context
  const length = set.restoreTest.ladder
  const lengthMs = length === undefined ? (agreed?.ladderMs ?? null) : parseDuration(length)
  let ladder = await loadLadder(stateDir, set.id)
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
    olderOf(ids) {
      const chosen = climb(ladder, ids, lengthMs, now())
      keep(chosen.ladder)
      return chosen.turns
    },
    took: (id, gotToFiles) => keep(withAttempt(ladder, id, now(), gotToFiles)),
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

export function saveLadder(stateDir: string, set: string, ladder: Ladder): void {
  makePrivateFolder(join(stateDir, 'ladders'))
  writeDurably(fileOf(stateDir, set), JSON.stringify(ladder))
}

function fileOf(stateDir: string, set: string): string {
  return join(stateDir, 'ladders', `${set}.json`)
}
