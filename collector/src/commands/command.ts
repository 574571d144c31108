/** What all of the collector's commands have in common: their options, how they answer, and what they work on. */
import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import type { CollectorConfig } from '../config.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

export const now = (): Date => new Date()

/** Options that every command has. */
export interface Common {
  readonly config?: string
  readonly json?: boolean
}

/** Adds a name that only holds commands. */
export function group(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).exitOverride()
}

/** Adds a command with the options that all have, and examples below its help. */
export function add(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--config <file>', 'configuration (default: /etc/bevis/collector.yaml)')
    .option('--json', 'answer as JSON')
    .addHelpText(
      'after',
      ['', 'Examples:', ...examples.map((line) => `  $ bevis-collector ${line}`)].join('\n'),
    )
    .exitOverride()
}

/** An answer goes to standard output, also a bad one; why there is none, to standard error, but for JSON. */
export function finish(
  { exit, json, lines }: Outcome,
  asJson: boolean,
  stream: NodeJS.WriteStream = process.stdout,
): void {
  const text = asJson ? JSON.stringify(json) : lines.join('\n')
  if (text !== '') (asJson ? process.stdout : stream).write(`${text}\n`)
  process.exitCode = exit
}

export async function withConfig(
  common: Common,
  work: (config: CollectorConfig) => Promise<Outcome>,
): Promise<void> {
  finish(await work(readConfig(common.config)), common.json === true)
}

export async function withOpened(common: Common, work: (opened: Opened) => Promise<Outcome>): Promise<void> {
  await withConfig(common, async (config) => {
    const { withStore } = await import('./open.ts')
    return withStore(config, now, work)
  })
}
