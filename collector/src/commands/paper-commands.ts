/** The commands that write what leaves the house: evidence packs, ledgers, reports. */
import { CLAUSE_IDS } from '@bevis/shared/evidence/clause'
import { Option } from 'commander'
import type { Command } from 'commander'
import { add, group, withOpened } from './command.ts'
import type { Common } from './command.ts'
import type { LedgerWish } from './ledger.ts'
import { languageOption } from './option.ts'
import type { PackOptions } from './pack.ts'
import type { EvidenceReportWish, ServiceReportWish } from './report.ts'

export function paperCommands(program: Command): void {
  const language = () => languageOption('of what is written for people', 'da')

  add(program, 'pack <contract>', 'Write a contract’s evidence pack, to be checked anywhere without us.', [
    'pack AFT-2025-052 --out pack.zip',
    'pack AFT-2025-052 --from 2026-01-01 --to 2026-10-01 --out pack.zip',
    'pack AFT-2025-052 --clause iso27001-8.13 --clause gdpr-32 --out pack.zip',
  ])
    .option('--from <instant>', 'start of the period (default: a year before its end)')
    .option('--to <instant>', 'end of the period (default: now)')
    .addOption(
      new Option('--clause <id...>', 'mark what may support these; all else is in the pack too').choices(
        CLAUSE_IDS,
      ),
    )
    .option('--at <instant>', 'the verdict as it stood then (default: now)')
    .option('--known-at <instant>', 'the verdict from what had been received by then (default: now)')
    .requiredOption('--out <file>', 'the zip to write, a new file')
    .option('--force', 'replace the file if it is there')
    .addOption(language())
    .action((id: string, options: Common & PackOptions) =>
      withOpened(options, async (opened) => (await import('./pack.ts')).packCommand(opened, id, options)),
    )

  add(program, 'ledger <contract>', 'What was done, month by month and set by set, as agents signed it.', [
    'ledger AFT-2025-052 --from 2026-01 --to 2026-10',
    'ledger AFT-2025-052 --from 2026-01 --csv > ledger.csv',
  ])
    .option('--from <month>', 'the first month (default: the last)')
    .option('--to <month>', 'the last month (default: this month)')
    .option('--csv', 'as comma-separated values')
    .action((id: string, options: Common & LedgerWish) =>
      withOpened(options, async (opened) => (await import('./ledger.ts')).ledgerCommand(opened, id, options)),
    )

  const report = group(program, 'report', 'Reports for people, as PDF.')

  add(
    report,
    'evidence <contract>',
    'Write what an auditor samples first; a pack has it together with the evidence.',
    [
      'report evidence AFT-2025-052 --out report.pdf',
      'report evidence AFT-2025-052 --from 2026-01-01 --to 2026-10-01 --language en --out report.pdf',
    ],
  )
    .option('--from <instant>', 'start of the period (default: a year before its end)')
    .option('--to <instant>', 'end of the period (default: now)')
    .option('--at <instant>', 'the verdict as it stood then (default: now)')
    .option('--known-at <instant>', 'the verdict from what had been received by then (default: now)')
    .requiredOption('--out <file>', 'the PDF to write, a new file')
    .addOption(language())
    .action((id: string, options: Common & EvidenceReportWish) =>
      withOpened(options, async (opened) =>
        (await import('./report.ts')).evidenceReportCommand(opened, id, options),
      ),
    )

  add(report, 'service <contract>', 'Write the monthly service report; with --issue, for good and logged.', [
    'report service AFT-2025-052 --month 2026-10 --out october.pdf',
    'report service AFT-2025-014 --unit kontor-ribe --language en --out ribe.pdf',
    'report service AFT-2025-052 --month 2026-10 --issue --person "S. Lind"',
  ])
    .option('--month <month>', 'the month (default: the one before this)')
    .option('--unit <id>', 'only the sets of this business unit')
    .option('--out <file>', 'the PDF to write, a new file')
    .option('--issue', 'issue it: it is kept as it is, and the log says so')
    .option('--person <name>', 'who issues it, for the log')
    .addOption(language())
    .action((id: string, options: Common & ServiceReportWish) =>
      withOpened(options, async (opened) =>
        (await import('./report.ts')).serviceReportCommand(opened, id, options),
      ),
    )
}
