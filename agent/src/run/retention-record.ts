/** What was shown of a set's retention and what it removed, and when its repository was last pruned. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { hex64, instant } from '@bevis/shared/format'
import { z } from 'zod'
import { writeDurably } from '../outbox/alarm.ts'
import { makePrivateFolder } from '../state.ts'

const schema = z.object({
  shownAt: instant.nullable(),
  /** What the last plan said would go: only that may be removed, by a later run. */
  shown: z.array(hex64),
  /** The start of the last pruning that succeeded; null: there was none. */
  prunedAt: instant.nullable(),
  /** What was removed, the newest first: nobody else did it. */
  removed: z.array(hex64).default([]),
})
export type RetentionRecord = z.output<typeof schema>

const NOTHING_SHOWN: RetentionRecord = { shownAt: null, shown: [], prunedAt: null, removed: [] }

/** What cannot be read was not shown. */
export function loadRetentionRecord(stateDir: string, set: string): RetentionRecord {
  try {
    return schema.parse(JSON.parse(readFileSync(fileOf(stateDir, set), 'utf8')))
  } catch {
    return NOTHING_SHOWN
  }
}

export function saveRetentionRecord(stateDir: string, set: string, record: RetentionRecord): void {
  makePrivateFolder(join(stateDir, 'retention'))
  writeDurably(fileOf(stateDir, set), JSON.stringify(record))
}

/** Of all sets: what was removed, and what a run that was killed may have removed. */
export function removedByUs(stateDir: string): ReadonlySet<string> {
  const records = setsOf(stateDir).map((set) => loadRetentionRecord(stateDir, set))
  return new Set(records.flatMap(({ shown, removed }) => [...shown, ...removed]))
}

function setsOf(stateDir: string): string[] {
  try {
    const names = readdirSync(join(stateDir, 'retention'))
    return names.flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : []))
  } catch {
    return []
  }
}

function fileOf(stateDir: string, set: string): string {
  return join(stateDir, 'retention', `${set}.json`)
}
