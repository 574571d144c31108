import type { Migration, MigrationProvider } from 'kysely/migration'
import { firstTables } from './2026-11-first-tables.ts'
import { cosignatureTables } from './2026-11-log-cosignatures.ts'
import { replayOwnColumn } from './2026-11-log-replay-own.ts'
import { replayTables } from './2026-11-log-replay.ts'
import { rootKeyColumn } from './2026-11-root-keys.ts'
import { stampTables } from './2026-11-stamps.ts'
import { workTables } from './2026-11-work.ts'
import { reportTables } from './2026-11-written-reports.ts'
import { damageAlarms } from './2026-12-damage-alarms.ts'

/** How an engine calls the types that the migrations need beside text. */
export interface EngineTypes {
  readonly bytes: 'blob' | 'bytea'
  /** Whole numbers up to 2^53. */
  readonly int: 'integer' | 'bigint'
}

/** All migrations in their order. One that has been released is never changed. */
export function migrationsFor(types: EngineTypes): MigrationProvider {
  const all: Record<string, Migration> = {
    '2026-11-first-tables': firstTables(types),
    '2026-11-log-cosignatures': cosignatureTables(types),
    '2026-11-log-replay': replayTables(types),
    '2026-11-log-replay-own': replayOwnColumn,
    '2026-11-root-keys': rootKeyColumn,
    '2026-11-stamps': stampTables(types),
    '2026-11-work': workTables(types),
    '2026-11-written-reports': reportTables(types),
    '2026-12-damage-alarms': damageAlarms,
  }
  return { getMigrations: () => Promise.resolve(all) }
}
