/** The commands about contracts: their texts, what parties say of them, and how they are judged. */
import { Option } from 'commander'
import type { Command } from 'commander'
import { readConfigIfAny } from '../config.ts'
import { add, finish, group, now, withOpened } from './command.ts'
import type { Common } from './command.ts'
import type { Telling } from './contract.ts'
import type { Accepting, Saying } from './event.ts'
import { languageOption, readWhole } from './option.ts'

export function contractCommands(program: Command): void {
  const contract = group(program, 'contract', 'Contracts: what was promised, and to whom.')

  const plain = () => new Option('--plain', 'in plain words: what is promised, and what changes by version')
  const draft = () =>
    new Option('--draft', 'although no version is accepted yet: it is shown, and binds nobody')
  const tongue = () => languageOption('of what is told', 'en')

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
      const { contractCheckCommand } = await import('./contract.ts')
      const { withStoreIfAny } = await import('./open.ts')
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
    .addOption(tongue())
    .action((file: string, options: Common & Telling & { by?: string; draft?: boolean }) =>
      withOpened(options, async (opened) =>
        (await import('./contract.ts')).contractApplyCommand(opened, file, options),
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
        (await import('./contract.ts')).contractShowCommand(opened, id, options),
      ),
    )

  const party = () => new Option('--party <party>', 'whose word it is').choices(['customer', 'provider'])

  add(
    contract,
    'accept <id>',
    'Log that a party accepts a version; with both, it is in force from its day.',
    [
      'contract accept AFT-2025-052 --number 2 --party customer --person "Liv Holm" --role direktør',
      'contract accept AFT-2025-052 --number 2 --party provider --person "S. Lind" --sha256 4f0c…',
    ],
  )
    .requiredOption('--number <number>', 'of the version', readWhole)
    .addOption(party().makeOptionMandatory())
    .requiredOption('--person <name>', 'who accepts it')
    .option('--role <text>', 'what that person is')
    .option('--sha256 <digest>', 'of the text that was read; refused if there is a newer one')
    .action((id: string, options: Common & Accepting) =>
      withOpened(options, async (opened) => (await import('./event.ts')).acceptCommand(opened, id, options)),
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
        (await import('./event.ts')).eventCommand(opened, id, event, options),
      ),
    )

  add(contract, 'signed <file>', 'Log what a party signed with a key of its own (bevis-verify party).', [
    'contract signed accepted.json',
    'contract signed accepted.json --json',
  ]).action((file: string, options: Common) =>
    withOpened(options, async (opened) => (await import('./event.ts')).signedCommand(opened, file)),
  )

  add(contract, 'events <id>', 'Show what the log has of a contract: texts, acceptances, approvals, holds.', [
    'contract events AFT-2025-052',
    'contract events AFT-2025-052 --json',
  ]).action((id: string, options: Common) =>
    withOpened(options, async (opened) => (await import('./event.ts')).eventsCommand(opened, id)),
  )

  add(program, 'evaluate <contract>', 'Judge a contract; exit 0 only if it is compliant.', [
    'evaluate AFT-2025-052',
    'evaluate AFT-2025-052 --at 2026-10-01T00:00:00Z --known-at 2026-10-01T00:00:00Z',
  ])
    .option(
      '--at <instant>',
      'as it stood then (default: now); up to ten years later than now: if nothing more arrives',
    )
    .option('--known-at <instant>', 'from what had been received by then (default: everything)')
    .action((id: string, options: Common & { at?: string; knownAt?: string }) =>
      withOpened(options, async (opened) =>
        (await import('./evaluate.ts')).evaluateCommand(opened, id, options),
      ),
    )
}
