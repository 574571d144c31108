#!/usr/bin/env node
import { resolve } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { open, openToLook } from './commands/open.ts'
import type { Opened } from './commands/open.ts'
import { failureOutcome } from './commands/outcome.ts'
import type { Outcome } from './commands/outcome.ts'
import { printable } from './commands/terminal.ts'
import { CONFIG_FILE, environment } from './config.ts'
import type { Slice } from './run/check-ledger.ts'
import { VERSION } from './version.ts'

/** What every command takes. */
interface Common {
  readonly config: string
  readonly json?: true
}

/** `| head` closes the pipe when it has seen enough; that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  throw error
})

/**
 * The same signal again means that the first one was too polite. (A child of the service gets one of each kind
 * when somebody presses Ctrl-C: that is still one wish.)
 */
const stopping = new AbortController()
const seen = new Set<NodeJS.Signals>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (seen.has(signal)) process.exit(2)
    seen.add(signal)
    stopping.abort()
  })
}

/** Runs one command on an opened state, and tells how it ended. Each is loaded only when it is called. */
async function act(
  options: Common,
  work: (opened: Opened) => Outcome | Promise<Outcome>,
  openWith = open,
): Promise<void> {
  let opened: Opened | null = null
  try {
    opened = openWith(options.config)
    tell(await work(opened), options)
  } catch (error) {
    tell(failureOutcome(error), options)
  } finally {
    opened?.state.close()
  }
}

function tell({ exit, json, lines }: Outcome, { json: asJson }: { json?: boolean }): void {
  process.exitCode = exit
  const stream = exit === 2 && asJson !== true ? process.stderr : process.stdout
  const text = asJson === true ? JSON.stringify(json) : printable(lines.join('\n'))
  if (text !== '') stream.write(`${text}\n`)
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 is needed')
  return Number(text)
}

function slice(text: string): Slice {
  const [, part = 0, of = 0] = (/^([1-9]\d{0,2})\/([1-9]\d{0,2})$/.exec(text) ?? []).map(Number)
  if (part < 1 || part > of || of > 256)
    throw new InvalidArgumentError('n/t is needed, n from 1 to t, t at most 256')
  return { part, of }
}

const collect = (value: string, all: readonly string[]): string[] => [...all, value]

const program = new Command('bevis-agent')
  .description('Backs up, proves that what came back is what went in, and signs what it saw.')
  .version(`bevis-agent ${VERSION}`, '-V, --version', 'tell the version')
  .showHelpAfterError('(see bevis-agent --help)')
  .addHelpText('afterAll', '\nExit status: 0 done, 1 the answer is bad, 2 there is no answer.')
  .exitOverride()

function define(name: string, description: string, examples: readonly string[], parent = program): Command {
  return parent
    .command(name)
    .description(description)
    .option('--config <file>', 'the configuration', environment.configFile ?? CONFIG_FILE)
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', ['', 'Examples:', ...examples.map((line) => `  $ bevis-agent ${line}`)].join('\n'))
}

define('enroll', 'give this host an identity, with an invitation from the collector', [
  'enroll --token-file invitation.txt',
  'enroll --token-file - < invitation.txt',
])
  .option('--token-file <file>', 'the invitation; - reads standard input; left out: BEVIS_TOKEN')
  .action((options: Common & { tokenFile?: string }) =>
    act(options, async (opened) => (await import('./commands/enroll.ts')).enrollCommand(opened, options)),
  )

define('run', 'the service: schedules, signs of life, delivery of evidence', [
  'run --config /etc/bevis/agent.yaml',
]).action((options: Common) =>
  act(options, async (opened) => {
    const { runCommand } = await import('./commands/run.ts')
    const configFile = resolve(options.config)
    return runCommand(opened, { program: process.argv[1] ?? '', configFile, signal: stopping.signal })
  }),
)

define('backup <set>', 'back a set up now, with its witness manifest and an inventory', [
  'backup shop',
  'backup shop --init',
])
  .option('--init', 'make the repository if there is none')
  .option('--no-send', 'leave the evidence in the outbox')
  .action((set: string, options: Common & { init?: true; send: boolean }) =>
    act(options, async (opened) =>
      (await import('./commands/backup.ts')).backupCommand(opened, set, {
        ...workOptions(options),
        init: options.init === true,
      }),
    ),
  )

define('test <set>', 'restore a sample, compare it with what went in, and say whether it holds', [
  'test shop',
  'test shop --full',
  'test shop --snapshot 3f2a… --file /srv/shop/dump/orders.sql',
  'test shop --requested',
])
  .option('--snapshot <id>', 'the snapshot to test; left out: the newest, and an older one')
  .option('--full', 'every file, not a sample')
  .option(
    '--full-if-due',
    'every file if restoreTest.fullEvery asks for it by now, else a sample: as scheduled',
  )
  .option('--file <path>', 'this file too; may be given several times', collect, [])
  .option('--requested', 'the files that the collector asked for, and nothing else')
  .option('--no-send', 'leave the evidence in the outbox')
  .action(
    (
      set: string,
      options: Common & {
        snapshot?: string
        full?: true
        fullIfDue?: true
        file: string[]
        requested?: true
        send: boolean
      },
    ) =>
      act(options, async (opened) => {
        const { requestedTestCommand, testCommand } = await import('./commands/test.ts')
        if (options.requested) return requestedTestCommand(opened, set, workOptions(options))
        return testCommand(opened, set, {
          ...workOptions(options),
          snapshot: options.snapshot ?? null,
          full: options.full === true,
          fullIfDue: options.fullIfDue === true,
          files: options.file,
        })
      }),
  )

define('check <set>', 'read the next part of the repository byte by byte, and say whether it is sound', [
  'check shop',
  'check shop --slice 3/28',
  'check shop --slice 1/1   # all of it',
])
  .option('--slice <n/t>', 'the n-th of t parts, t up to 256; left out: what has waited longest', slice)
  .option('--no-send', 'leave the evidence in the outbox')
  .action((set: string, options: Common & { slice?: Slice; send: boolean }) =>
    act(options, async (opened) =>
      (await import('./commands/check.ts')).checkCommand(opened, set, {
        ...workOptions(options),
        slice: options.slice ?? null,
      }),
    ),
  )

define(
  'probe-deletion <set>',
  'try to delete a snapshot made for it, which append-only storage must refuse',
  ['probe-deletion shop'],
)
  .option('--no-send', 'leave the evidence in the outbox')
  .action((set: string, options: Common & { send: boolean }) =>
    act(options, async (opened) =>
      (await import('./commands/probe-deletion.ts')).probeDeletionCommand(opened, set, workOptions(options)),
    ),
  )

define('retention <set>', 'show what the contract no longer owes, and why; remove it with --apply', [
  'retention shop',
  'retention shop --apply',
  'retention shop --release-hold --reason "the mass change was the migration of 3 May"',
])
  .option('--apply', 'remove what an earlier run has shown, and prune when it is time')
  .option('--contract <file>', 'the contract’s text; left out: contractFile of the set')
  .option('--release-hold', 'retention goes on, after somebody has looked')
  .option('--reason <text>', 'why the hold is released; it is signed')
  .option('--no-send', 'leave the evidence in the outbox')
  .action(
    (
      set: string,
      options: Common & {
        apply?: true
        contract?: string
        releaseHold?: true
        reason?: string
        send: boolean
      },
    ) =>
      act(options, async (opened) => {
        const { releaseHoldCommand, retentionCommand } = await import('./commands/retention.ts')
        if (options.releaseHold) return releaseHoldCommand(opened, set, { reason: options.reason ?? null })
        return retentionCommand(opened, set, {
          ...workOptions(options),
          apply: options.apply === true,
          contract: options.contract ?? null,
        })
      }),
  )

define('drill <set>', 'restore a whole set as in an emergency, into an empty folder, against the clock', [
  'drill shop --target /srv/restored',
  'drill shop --target /srv/restored --snapshot 3f2a…',
])
  .requiredOption('--target <folder>', 'an empty folder, or one to be made; what is restored stays there')
  .option('--snapshot <id>', 'the snapshot to restore; left out: the newest')
  .option('--no-send', 'leave the evidence in the outbox')
  .action((set: string, options: Common & { target: string; snapshot?: string; send: boolean }) =>
    act(options, async (opened) =>
      (await import('./commands/drill.ts')).drillCommand(opened, set, {
        ...workOptions(options),
        target: resolve(options.target),
        snapshot: options.snapshot ?? null,
      }),
    ),
  )

define('inventory [set]', 'list what the repository holds, completely, and sign the list', [
  'inventory',
  'inventory shop',
])
  .option('--no-send', 'leave the evidence in the outbox')
  .action((set: string | undefined, options: Common & { send: boolean }) =>
    act(options, async (opened) =>
      (await import('./commands/inventory.ts')).inventoryCommand(opened, set ?? null, workOptions(options)),
    ),
  )

define('explain <path>', 'all that is known here of a file: snapshots, witnesses, tests', [
  'explain /srv/shop/dump/orders.sql',
  'explain /srv/shop/dump/orders.sql --snapshot 3f2a…',
])
  .option('--snapshot <id>', 'only this one')
  .action((path: string, options: Common & { snapshot?: string }) =>
    act(options, async (opened) =>
      (await import('./commands/explain.ts')).explainCommand(opened, path, {
        snapshot: options.snapshot ?? null,
      }),
    ),
  )

define('status', 'how the agent is: what ran, what comes next, what waits, what is wrong', [
  'status',
  'status --json',
]).action((options: Common) =>
  act(options, async (opened) => (await import('./commands/status.ts')).statusCommand(opened)),
)

define('doctor', 'look for what would go wrong later', ['doctor', 'doctor --contract AFT-2025-052.yaml'])
  .option('--contract <file>', 'a contract to hold the schedules against')
  .action((options: Common & { contract?: string }) =>
    act(
      options,
      async (opened) =>
        (await import('./commands/doctor.ts')).doctorCommand(opened, {
          contract: options.contract ?? null,
          signal: stopping.signal,
        }),
      openToLook,
    ),
  )

const key = program.command('key').description('the key that signs what this agent states')
define(
  'rotate',
  'make a new key; the old one authorises it, and everything from now on is signed by the new',
  ['key rotate', 'key rotate --reason "yearly"'],
  key,
)
  .option('--reason <text>', 'why, for the log')
  .action((options: Common & { reason?: string }) =>
    act(options, async (opened) => (await import('./commands/key.ts')).keyRotateCommand(opened, options)),
  )

define(
  'endorse <file>',
  'hand on that the customer’s root key has signed this agent’s key (bevis-verify root sign)',
  ['key endorse web1.note', 'key endorse web1.note --json'],
  key,
).action((file: string, options: Common) =>
  act(options, async (opened) => (await import('./commands/key.ts')).keyEndorseCommand(opened, file)),
)

define('retire', 'end this agent’s service for good; what it stated so far stays', [
  'retire --reason "the server was sold"',
])
  .requiredOption('--reason <text>', 'why, for the log')
  .action((options: Common & { reason: string }) =>
    act(options, async (opened) => (await import('./commands/key.ts')).retireCommand(opened, options)),
  )

const evidence = program.command('evidence').description('what this agent stated')
define(
  'list',
  'the newest statements, and whether the log has them',
  ['evidence list', 'evidence list --refused'],
  evidence,
)
  .option('--limit <n>', 'how many', wholeNumber, 20)
  .option('--refused', 'only what the collector refused')
  .action((options: Common & { limit: number; refused?: true }) =>
    act(options, async (opened) =>
      (await import('./commands/evidence.ts')).evidenceListCommand(opened, options),
    ),
  )
define(
  'show <statement>',
  'one statement, decoded, with its proof',
  ['evidence show 1/42', 'evidence show 9f86d081'],
  evidence,
).action((statement: string, options: Common) =>
  act(options, async (opened) =>
    (await import('./commands/evidence.ts')).evidenceShowCommand(opened, statement),
  ),
)

define('send', 'send what waits now', ['evidence send'], evidence).action((options: Common) =>
  act(options, async (opened) => (await import('./commands/send.ts')).sendCommand(opened, stopping.signal)),
)

function workOptions({ send, json }: { send: boolean; json?: true }) {
  return { signal: stopping.signal, send, json: json === true }
}

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2
  else tell(failureOutcome(error instanceof Error ? error : new BevisError('INTERNAL', String(error))), {})
}
