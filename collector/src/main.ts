#!/usr/bin/env node
/** The collector's program: its commands, each loaded when it is called, and how it ends. */
import { BevisError } from '@bevis/shared/error'
import { Command, CommanderError } from 'commander'
import { agentCommands } from './commands/agent-commands.ts'
import { add, finish, now, withConfig } from './commands/command.ts'
import type { Common } from './commands/command.ts'
import { contractCommands } from './commands/contract-commands.ts'
import { logCommands } from './commands/log-commands.ts'
import { languageOption } from './commands/option.ts'
import { failureOutcome, foreseen } from './commands/outcome.ts'
import { paperCommands } from './commands/paper-commands.ts'
import { userCommands } from './commands/user-commands.ts'
import { readConfig } from './config.ts'
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
  .version(`bevis-collector ${VERSION}`)
  .showHelpAfterError('(see --help)')
  .addHelpText('afterAll', '\nExit status: 0 done, 1 the answer is bad, 2 there is no answer.')
  .exitOverride()

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
  .addOption(languageOption('of its pages', 'da'))
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

contractCommands(program)
agentCommands(program)
userCommands(program)
paperCommands(program)
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
