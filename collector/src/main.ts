#!/usr/bin/env node
/** The collector's commands. What each does is in commands/; here they get their names, options and help. */
import { BevisError } from '@bevis/shared/error'
import { CLAUSE_IDS } from '@bevis/shared/evidence/clause'
import type { ClauseId } from '@bevis/shared/evidence/clause'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { add, finish, now, withConfig, withOpened } from './commands/command.ts'
import type { RevocationCall } from './commands/agent.ts'
import type { Common } from './commands/command.ts'
import { logCommands } from './commands/log-commands.ts'
import type { Telling } from './commands/contract.ts'
import type { Accepting, Saying } from './commands/event.ts'
import { failureOutcome, foreseen } from './commands/outcome.ts'
import type { LedgerWish } from './commands/ledger.ts'
import type { EvidenceReportWish, ServiceReportWish } from './commands/report.ts'
import { readConfig, readConfigIfAny } from './config.ts'
import type { AccountRole } from './store/schema.ts'
import { VERSION } from './version.ts'

// Whatever is written is for its owner only: database, keys, tokens, packs.
process.umask(0o077)

/** `| head` closes the pipe when it has seen enough; that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

const program = new Command('bevis-collector')
  .description('Receives, logs and judges the evidence of agents.')
  .version(VERSION)
  .showHelpAfterError('(see --help)')
  .exitOverride()

const collect = (value: string, all: string[]): string[] => [...all, value]

function readWhole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number above zero is needed')
  return Number(text)
}

const language = () => new Option('--language <code>', 'of its pages').choices(['da', 'en']).default('da')

add(program, 'init', 'Make the state folder, the log with its key, and the first account.', [
  'init --email drift@nordlys.example',
  'init --email drift@nordlys.example --password-file /root/password',
])
  .requiredOption('--email <address>', 'of the first account, a provider’s administrator')
  .option(
    '--password-file <file>',
    'its password (else BEVIS_PASSWORD, else one is made up and written to a file)',
  )
  .option('--prompt', 'ask for the password')
  .addOption(language())
  .action(
    (options: Common & { email: string; passwordFile?: string; prompt?: boolean; language: 'da' | 'en' }) =>
      withConfig(options, async (config) => {
        const { readPassword } = await import('./commands/password.ts')
        const { initCommand } = await import('./commands/init.ts')
        const { email, language: code } = options
        return initCommand(config, { email, password: await readPassword(options), language: code }, now)
      }),
  )

add(program, 'serve', 'Take evidence, judge contracts, show pages; until SIGTERM or SIGINT.', [
  'serve',
  'serve --config ./collector.yaml',
]).action(async (options: Common) => {
  const { serveCommand } = await import('./commands/serve.ts')
  const stopped = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
  const { registerPages } = await import('./pages/register.ts')
  await serveCommand(readConfig(options.config), { now, registerPages, stopped })
})

const contract = program
  .command('contract')
  .description('Contracts: what was promised, and to whom.')
  .exitOverride()

const plain = () => new Option('--plain', 'in plain words: what is promised, and what changes by version')
const draft = () =>
  new Option('--draft', 'although no version is accepted yet: it is shown, and binds nobody')
const tongue = () => new Option('--language <code>', 'of what is told').choices(['da', 'en']).default('en')

add(
  contract,
  'check <file>',
  'Tell everything that is wrong with a contract file, and what apply would say.',
  ['contract check web-shop.yaml', 'contract check web-shop.yaml --plain --language da'],
)
  .addOption(plain())
  .addOption(tongue())
  .addOption(draft())
  .action(async (file: string, options: Common & Telling & { draft?: boolean }) => {
    const { contractCheckCommand } = await import('./commands/contract.ts')
    const { withStoreIfAny } = await import('./commands/open.ts')
    const config = readConfigIfAny(options.config)
    finish(
      await withStoreIfAny(config, now, (opened) => contractCheckCommand(file, options, opened)),
      options.json === true,
    )
  })

add(
  contract,
  'apply <file>',
  'Take a contract file as the contract’s next revision; none is ever overwritten.',
  ['contract apply web-shop.yaml', 'contract apply web-shop.yaml --by "S. Lind"'],
)
  .option('--by <name>', 'who applies it, for the record (default: the user of this system)')
  .addOption(draft())
  .action((file: string, options: Common & { by?: string; draft?: boolean }) =>
    withOpened(options, async (opened) =>
      (await import('./commands/contract.ts')).contractApplyCommand(opened, file, options),
    ),
  )

add(contract, 'show <id>', 'Show a contract’s text.', [
  'contract show AFT-2025-052',
  'contract show AFT-2025-052 --revision 1',
  'contract show AFT-2025-052 --plain --language da',
])
  .option('--revision <number>', 'an earlier text', readWhole)
  .addOption(plain())
  .addOption(tongue())
  .action((id: string, options: Common & Telling & { revision?: number }) =>
    withOpened(options, async (opened) =>
      (await import('./commands/contract.ts')).contractShowCommand(opened, id, options),
    ),
  )

const party = () => new Option('--party <party>', 'whose word it is').choices(['customer', 'provider'])

add(contract, 'accept <id>', 'Log that a party accepts a version; with both, it is in force from its day.', [
  'contract accept AFT-2025-052 --number 2 --party customer --person "Liv Holm" --role direktør',
  'contract accept AFT-2025-052 --number 2 --party provider --person "S. Lind" --sha256 4f0c…',
])
  .requiredOption('--number <number>', 'of the version', readWhole)
  .addOption(party().makeOptionMandatory())
  .requiredOption('--person <name>', 'who accepts it')
  .option('--role <text>', 'what that person is')
  .option('--sha256 <digest>', 'of the text that was read; refused if there is a newer one')
  .action((id: string, options: Common & Accepting) =>
    withOpened(options, async (opened) =>
      (await import('./commands/event.ts')).acceptCommand(opened, id, options),
    ),
  )

add(contract, 'event <id> <event>', 'Log what a party approves, holds or acknowledges.', [
  `contract event AFT-1 exclusion-approved --party customer --person Liv --detail '{"sets":["shop"],"from":"2026-11-27","to":"2026-11-28"}'`,
  `contract event AFT-1 hold-started --party customer --person Liv --detail '{"sets":["shop"],"covers":{"from":"2025-05-01","to":"2025-05-31"},"authority":"Tvist 2025-88"}'`,
  'contract event AFT-1 finding-acknowledged --party provider --person Lind --detail-file seen.json',
])
  .addOption(party().makeOptionMandatory())
  .requiredOption('--person <name>', 'who says it')
  .option('--number <number>', 'of the version that it is about', readWhole)
  .option('--detail <json>', 'what it is about, by the kind of event')
  .option('--detail-file <file>', 'the same, from a file')
  .action((id: string, event: string, options: Common & Saying) =>
    withOpened(options, async (opened) =>
      (await import('./commands/event.ts')).eventCommand(opened, id, event, options),
    ),
  )

add(contract, 'signed <file>', 'Log what a party signed with a key of its own (bevis-verify party).', [
  'contract signed accepted.json',
  'contract signed accepted.json --json',
]).action((file: string, options: Common) =>
  withOpened(options, async (opened) => (await import('./commands/event.ts')).signedCommand(opened, file)),
)

add(contract, 'events <id>', 'Show what the log has of a contract: texts, acceptances, approvals, holds.', [
  'contract events AFT-2025-052',
  'contract events AFT-2025-052 --json',
]).action((id: string, options: Common) =>
  withOpened(options, async (opened) => (await import('./commands/event.ts')).eventsCommand(opened, id)),
)

add(program, 'invite', 'Let one agent enrol, once, within the hour.', [
  'invite --contract AFT-2025-052 --host web1 --token-file web1.token',
  'invite --contract AFT-2025-052 --contract AFT-2025-053 --host db --agent havfruen-db --expires PT20M',
])
  .requiredOption('--contract <id>', 'what its evidence is judged under; several if repeated', collect, [])
  .requiredOption('--host <name>', 'the host name that the agent will report')
  .option('--agent <id>', 'its name here (default: the host name)')
  .option('--expires <duration>', 'at most PT1H', 'PT1H')
  .option('--token-file <file>', 'where the token goes, a new file (default: standard output)')
  .action(
    (
      options: Common & {
        contract: string[]
        host: string
        agent?: string
        expires: string
        tokenFile?: string
      },
    ) =>
      withOpened(options, async (opened) =>
        (await import('./commands/invite.ts')).inviteCommand(opened, options),
      ),
  )

const agent = program.command('agent').description('Agents: who delivers evidence.').exitOverride()

add(agent, 'list', 'Show all agents.', ['agent list', 'agent list --json']).action((options: Common) =>
  withOpened(options, async (opened) => (await import('./commands/agent.ts')).agentListCommand(opened)),
)

add(agent, 'revoke <id>', 'Refuse what an agent signs from now on; its evidence so far stays.', [
  'agent revoke web1 --reason "stolen laptop" --person "S. Lind"',
  'agent revoke web1 --reason "stolen laptop" --person "M. Holm" --root-note web1-revoked.note',
])
  .requiredOption('--reason <text>', 'why, for the log')
  .requiredOption('--person <name>', 'who decides it, for the log')
  .option('--compromised-since <instant>', 'since when the key may have been in other hands')
  .option('--root-note <file>', 'in which the customer’s root key says so (bevis-verify root revoke)')
  .action((id: string, options: Common & Omit<RevocationCall, 'agent'>) =>
    withOpened(options, async (opened) =>
      (await import('./commands/agent.ts')).agentRevokeCommand(opened, { agent: id, ...options }),
    ),
  )

const request = program
  .command('request')
  .description('Restores of files that somebody picks; agents come for them.')
  .exitOverride()

add(request, 'add <contract>', 'Ask the agent of a set for a restore of one file, or of a folder.', [
  'request add AFT-2025-052 --set shop --path /srv/shop/orders.db --by "Liv, Havfruen Keramik"',
])
  .requiredOption('--set <id>', 'as the contract calls it')
  .requiredOption('--path <path>', 'absolute, as it is at the source')
  .option('--snapshot <id>', 'all 64 digits (default: the newest)')
  .requiredOption('--by <name>', 'who asks, for the record')
  .action((id: string, options: Common & { set: string; path: string; snapshot?: string; by: string }) =>
    withOpened(options, async (opened) =>
      (await import('./commands/request.ts')).requestAddCommand(opened, id, options),
    ),
  )

add(request, 'list <contract>', 'Show what was asked for, and what the agents answered.', [
  'request list AFT-2025-052 --json',
]).action((id: string, options: Common) =>
  withOpened(options, async (opened) =>
    (await import('./commands/request.ts')).requestListCommand(opened, id),
  ),
)

const user = program.command('user').description('Accounts: who may sign in.').exitOverride()

add(user, 'add <email>', 'Add an account.', [
  'user add vagt@nordlys.example --role provider-operator --password-out vagt.password',
  'user add liv@havfruen.example --role customer-reader --customer 33445566 --prompt',
])
  .addOption(
    new Option('--role <role>')
      .choices(['provider-admin', 'provider-operator', 'customer-admin', 'customer-reader', 'auditor'])
      .default('provider-operator'),
  )
  .option('--customer <id>', 'whose contracts it may see')
  .option('--password-file <file>', 'its password (else BEVIS_PASSWORD)')
  .option('--prompt', 'ask for the password')
  .option('--password-out <file>', 'make a password up and write it to this new file')
  .addOption(language())
  .action(
    (
      email: string,
      options: Common & {
        role: AccountRole
        customer?: string
        passwordFile?: string
        prompt?: boolean
        passwordOut?: string
        language: 'da' | 'en'
      },
    ) =>
      withOpened(options, async (opened) => {
        const { readPassword } = await import('./commands/password.ts')
        const { userAddCommand } = await import('./commands/user.ts')
        const { role, customer, passwordOut, language: code } = options
        const password = passwordOut === undefined ? await readPassword(options) : undefined
        return userAddCommand(opened, email, {
          role,
          language: code,
          password,
          ...(customer === undefined ? {} : { tenant: customer }),
          ...(passwordOut === undefined ? {} : { passwordOut }),
        })
      }),
  )

add(user, 'list', 'Show all accounts.', ['user list']).action((options: Common) =>
  withOpened(options, async (opened) => (await import('./commands/user.ts')).userListCommand(opened)),
)

add(user, 'disable <email>', 'Sign an account out, for good.', ['user disable vagt@nordlys.example']).action(
  (email: string, options: Common) =>
    withOpened(options, async (opened) =>
      (await import('./commands/user.ts')).userDisableCommand(opened, email),
    ),
)

add(program, 'evaluate <contract>', 'Judge a contract; exit 0 only if it is compliant.', [
  'evaluate AFT-2025-052',
  'evaluate AFT-2025-052 --at 2026-10-01T00:00:00Z --known-at 2026-10-01T00:00:00Z',
])
  .option('--at <instant>', 'as it stood then (default: now); later than now: if nothing more arrives')
  .option('--known-at <instant>', 'from what had been received by then (default: everything)')
  .action((id: string, options: Common & { at?: string; knownAt?: string }) =>
    withOpened(options, async (opened) =>
      (await import('./commands/evaluate.ts')).evaluateCommand(opened, id, options),
    ),
  )

const paperLanguage = () =>
  new Option('--language <code>', 'of what is written for people').choices(['da', 'en']).default('da')

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
  .addOption(paperLanguage())
  .action(
    (
      id: string,
      options: Common & {
        language: 'da' | 'en'
        from?: string
        to?: string
        clause?: ClauseId[]
        at?: string
        knownAt?: string
        out: string
        force?: boolean
      },
    ) =>
      withOpened(options, async (opened) =>
        (await import('./commands/pack.ts')).packCommand(opened, id, options),
      ),
  )

add(program, 'ledger <contract>', 'What was done, month by month and set by set, as agents signed it.', [
  'ledger AFT-2025-052 --from 2026-01 --to 2026-10',
  'ledger AFT-2025-052 --from 2026-01 --csv > ledger.csv',
])
  .option('--from <month>', 'the first month (default: the last)')
  .option('--to <month>', 'the last month (default: this month)')
  .option('--csv', 'as comma-separated values')
  .action((id: string, options: Common & LedgerWish) =>
    withOpened(options, async (opened) =>
      (await import('./commands/ledger.ts')).ledgerCommand(opened, id, options),
    ),
  )

const report = program.command('report').description('Reports for people, as PDF.').exitOverride()

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
  .addOption(paperLanguage())
  .action((id: string, options: Common & EvidenceReportWish) =>
    withOpened(options, async (opened) =>
      (await import('./commands/report.ts')).evidenceReportCommand(opened, id, options),
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
  .addOption(paperLanguage())
  .action((id: string, options: Common & ServiceReportWish) =>
    withOpened(options, async (opened) =>
      (await import('./commands/report.ts')).serviceReportCommand(opened, id, options),
    ),
  )

logCommands(program)

try {
  await program.parseAsync()
} catch (error) {
  const isHelp = error instanceof CommanderError
  // Commander has said what is wrong itself; its own help and version are no errors.
  if (isHelp) process.exitCode = error.exitCode === 0 ? 0 : 2
  else {
    if (!(foreseen(error) instanceof BevisError))
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    finish(failureOutcome(error), process.argv.includes('--json'), process.stderr)
  }
}
