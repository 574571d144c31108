/** The commands about accounts: who may sign in. */
import { Option } from 'commander'
import type { Command } from 'commander'
import { ACCOUNT_ROLES } from '../store/schema.ts'
import type { AccountRole } from '../store/schema.ts'
import { add, group, withOpened } from './command.ts'
import type { Common } from './command.ts'
import { languageOption } from './option.ts'

export function userCommands(program: Command): void {
  const user = group(program, 'user', 'Accounts: who may sign in.')

  add(user, 'add <email>', 'Add an account.', [
    'user add vagt@nordlys.example --role provider-operator --password-out vagt.password',
    'user add liv@havfruen.example --role customer-reader --customer 33445566 --prompt',
  ])
    .addOption(new Option('--role <role>').choices(ACCOUNT_ROLES).default('provider-operator'))
    .option('--customer <id>', 'whose contracts it may see')
    .option('--password-file <file>', 'its password (else BEVIS_PASSWORD)')
    .option('--prompt', 'ask for the password')
    .option('--password-out <file>', 'make a password up and write it to this new file')
    .addOption(languageOption('of its pages', 'da'))
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
          const { readPassword } = await import('./password.ts')
          const { userAddCommand } = await import('./user.ts')
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
    withOpened(options, async (opened) => (await import('./user.ts')).userListCommand(opened)),
  )

  add(user, 'disable <email>', 'Sign an account out, for good.', [
    'user disable vagt@nordlys.example',
  ]).action((email: string, options: Common) =>
    withOpened(options, async (opened) => (await import('./user.ts')).userDisableCommand(opened, email)),
  )
}
