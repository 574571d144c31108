/** The ledger as comma-separated values: one line for each month and set, sizes in bytes. */
import { formatCsvLine } from '@bevis/shared/csv'
import type { Ledger, LedgerRow } from '@bevis/shared/contract/ledger'
import type { Cell } from '@bevis/shared/csv'

const COLUMNS: readonly (readonly [name: string, of: (row: LedgerRow) => Cell])[] = [
  ['month', ({ month }) => month],
  ['set', ({ set }) => set],
  ['unit', ({ unit }) => unit],
  ['repository', ({ repository }) => repository],
  ['backups_complete', ({ backups }) => backups.complete],
  ['backups_partial', ({ backups }) => backups.partial],
  ['backups_failed', ({ backups }) => backups.failed],
  ['added_bytes', ({ addedBytes }) => addedBytes],
  ['protected_files', ({ protectedFiles }) => protectedFiles],
  ['protected_bytes', ({ protectedBytes }) => protectedBytes],
  ['tests_passed', ({ restoreTests }) => restoreTests.passed],
  ['tests_failed', ({ restoreTests }) => restoreTests.failed],
  ['tests_inconclusive', ({ restoreTests }) => restoreTests.inconclusive],
  ['restored_files', ({ restoredFiles }) => restoredFiles],
  ['restored_bytes', ({ restoredBytes }) => restoredBytes],
  ['inventories_complete', ({ inventories }) => inventories.complete],
  ['inventories_incomplete', ({ inventories }) => inventories.incomplete],
  ['stored_snapshots', ({ storedSnapshots }) => storedSnapshots],
  ['storage_bytes', ({ storageBytes }) => storageBytes],
  ['checks_passed', ({ dataChecks }) => dataChecks.passed],
  ['checks_failed', ({ dataChecks }) => dataChecks.failed],
  ['checks_inconclusive', ({ dataChecks }) => dataChecks.inconclusive],
  ['checked_bytes', ({ checkedBytes }) => checkedBytes],
  ['retention_runs', ({ retentionRuns }) => retentionRuns],
  ['removed_snapshots', ({ removedSnapshots }) => removedSnapshots],
  ['deletion_probes', ({ deletionProbes }) => deletionProbes],
]

export function formatLedger({ contract, rows }: Ledger): string {
  const head = formatCsvLine(['contract', ...COLUMNS.map(([name]) => name)])
  return head + rows.map((row) => formatCsvLine([contract, ...COLUMNS.map(([, of]) => of(row))])).join('')
}
