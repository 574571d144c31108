import { liesIn } from './cover.ts'
import type { ContractSet } from './schema.ts'
import type { BackupRun } from './told.ts'

/** True for a complete run, and for a partial one that the contract lets pass. */
export function isWhole(run: BackupRun, partial: ContractSet['partial']): boolean {
  if (run.outcome === 'complete') return run.exitCode === 0
  if (run.outcome !== 'partial' || partial === 'reject') return false
  const { failed, source } = run
  if (failed === undefined || source === undefined) return false
  if (failed.count * 100 > partial.maxFailedPct * source.files) return false
  if (partial.neverPaths.length === 0) return true
  // The list is capped: what it leaves out may lie anywhere.
  if (failed.paths.length < failed.count) return false
  return !failed.paths.some((path) =>
    partial.neverPaths.some((never) => liesIn(path, never) || liesIn(never, path)),
  )
}
