import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'

/** Clocks of servers are set right by less than this without anybody's notice. */
const STEP_MS = 5 * 60_000

/** The log's newest statement, dated after now: the clock was ahead when it came, or is behind today. */
export interface DatedAhead {
  readonly statement: number
  /** What comes before this instant is dated like it, since dates never go back in the log. */
  readonly until: string
}

/** Null where the log's dates are as they should be. */
export async function findDatedAhead(db: Kysely<Schema>, now: Date): Promise<DatedAhead | null> {
  const newest = await db
    .selectFrom('statement')
    .select(['id', 'received_at'])
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (newest === undefined || !isAhead(newest.received_at, now)) return null
  return { statement: newest.id, until: newest.received_at }
}

/** True for a date of receipt that says nothing of when something came. */
export function isAhead(receivedAt: string, now: Date): boolean {
  return Date.parse(receivedAt) > now.getTime() + STEP_MS
}
