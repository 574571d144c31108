import type { LedgerRow } from '@bevis/shared/contract/ledger'
import { formatsOf } from '../pages/language/format.ts'
import { readLedger } from '../report/facts.ts'
import { formatLedger } from '../report/ledger-table.ts'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

export interface LedgerWish {
  readonly from?: string
  readonly to?: string
  readonly csv?: boolean
}

/** What was done for a contract, month by month, for whoever compares it with an invoice. */
export async function ledgerCommand(
  { store, now }: Opened,
  id: string,
  { from, to, csv }: LedgerWish,
): Promise<Outcome> {
  const ledger = await readLedger({ store, scope: { all: true } }, id, { from, to }, now())
  const { timezone } = ledger
  const formats = formatsOf('en', timezone)
  const size = (sizeBytes: number | null) => (sizeBytes === null ? 'not known' : formats.bytes(sizeBytes))
  const rows = ledger.rows.map((row) => [
    row.month,
    row.set === '' ? '(no set)' : row.set,
    counted(row.backups.complete, row.backups.partial, row.backups.failed),
    size(row.protectedBytes),
    size(row.storageBytes),
    String(row.inventories.complete),
    testsOf(row.restoreTests),
    testsOf(row.dataChecks),
  ])
  const head = ['MONTH', 'SET', 'BACKUPS', 'PROTECTED', 'STORED', 'INVENTORIES', 'RESTORE TESTS', 'CHECKS']
  return {
    exit: 0,
    json: ledger,
    lines:
      csv === true
        ? formatLedger(ledger).trimEnd().split('\n')
        : [
            `What agents signed for ${id}, ${ledger.customer}; months are those of ${timezone}.`,
            ...alignColumns([head, ...rows]),
            'Backups are complete/partial/failed, tests and checks passed/failed/inconclusive.',
          ],
  }
}

function testsOf({ passed, failed, inconclusive }: LedgerRow['restoreTests']): string {
  return counted(passed, failed, inconclusive)
}

function counted(...counts: number[]): string {
  return counts.join('/')
}
