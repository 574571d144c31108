/** The commands that look after the log: its checks, its keys, and the way back after an old backup. */
import type { Command } from 'commander'
import { add, group, withOpened } from './command.ts'
import type { Common } from './command.ts'

export function logCommands(program: Command): void {
  add(program, 'fsck', 'Recompute the whole log from its entries, and the derived tables from the log.', [
    'fsck',
    'fsck --log-only --json',
  ])
    .option('--log-only', 'leave the derived tables alone; comparing them keeps evidence waiting meanwhile')
    .option(
      '--write-checkpoint',
      'the separate file of the last signed head is lost, and this database is the newest: write it',
    )
    .action((options: Common & { logOnly?: boolean; writeCheckpoint?: boolean }) =>
      withOpened(options, async (opened) => (await import('./fsck.ts')).fsckCommand(opened, options)),
    )

  add(program, 'recover', 'After an old database was restored: tell what the log lost, and what came back.', [
    'recover',
    'recover --json',
    'recover --close collector.example.net/log-2   # what is missing will never come',
  ])
    .option(
      '--close <origin>',
      'sign that the log ends, and go on under this name from what is left; there is no way back',
    )
    .action((options: Common & { close?: string }) =>
      withOpened(options, async (opened) =>
        options.close === undefined
          ? (await import('./recover.ts')).recoverCommand(opened)
          : (await import('./close.ts')).closeCommand(opened, { origin: options.close }),
      ),
    )

  const key = group(program, 'key', 'The log’s key, and the one that follows it.')

  add(
    key,
    'rotate',
    'Give the log a new key, which the old one signs; heads are signed by both from then on.',
    ['key rotate --person "S. Lind"'],
  )
    .requiredOption('--person <name>', 'who decides it, for the log')
    .action((options: Common & { person: string }) =>
      withOpened(options, async (opened) => (await import('./key.ts')).keyRotateCommand(opened, options)),
    )

  add(key, 'retire', 'Sign heads with the newest key alone, once every agent has followed it.', [
    'key retire',
  ]).action((options: Common) =>
    withOpened(options, async (opened) => (await import('./key.ts')).keyRetireCommand(opened)),
  )

  add(
    program,
    'rebuild',
    'Drop the derived tables and derive them anew from the log; judge every contract cleanly beside its verdict.',
    ['rebuild'],
  ).action((options: Common) =>
    withOpened(options, async (opened) => (await import('./fsck.ts')).rebuildCommand(opened)),
  )

  add(program, 'backup <folder>', 'Copy the database, consistent, while it is used; keys are not in it.', [
    'backup /srv/backup/collector-2026-11-23',
  ]).action((folder: string, options: Common) =>
    withOpened(options, async (opened) => (await import('./backup.ts')).backupCommand(opened, folder)),
  )
}
