/** The commands about agents: who may enrol, who is believed, and what they are asked for. */
import type { Command } from 'commander'
import type { RevocationCall } from './agent.ts'
import { add, group, withOpened } from './command.ts'
import type { Common } from './command.ts'
import type { InviteOptions } from './invite.ts'
import { collect } from './option.ts'
import type { RequestOptions } from './request.ts'

export function agentCommands(program: Command): void {
  add(program, 'invite', 'Let one agent enrol, once, within the hour.', [
    'invite --contract AFT-2025-052 --host web1 --token-file web1.token',
    'invite --contract AFT-2025-052 --contract AFT-2025-053 --host db --agent havfruen-db --expires PT20M',
  ])
    .requiredOption('--contract <id>', 'what its evidence is judged under; several if repeated', collect, [])
    .requiredOption('--host <name>', 'the host name that the agent will report')
    .option('--agent <id>', 'its name here (default: the host name)')
    .option('--expires <duration>', 'at most PT1H', 'PT1H')
    .option('--token-file <file>', 'where the token goes, a new file (default: standard output)')
    .action((options: Common & InviteOptions) =>
      withOpened(options, async (opened) => (await import('./invite.ts')).inviteCommand(opened, options)),
    )

  const agent = group(program, 'agent', 'Agents: who delivers evidence.')

  add(agent, 'list', 'Show all agents.', ['agent list', 'agent list --json']).action((options: Common) =>
    withOpened(options, async (opened) => (await import('./agent.ts')).agentListCommand(opened)),
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
        (await import('./agent.ts')).agentRevokeCommand(opened, { agent: id, ...options }),
      ),
    )

  const request = group(program, 'request', 'Restores of files that somebody picks; agents come for them.')

  add(request, 'add <contract>', 'Ask the agent of a set for a restore of one file, or of a folder.', [
    'request add AFT-2025-052 --set shop --path /srv/shop/orders.db --by "Liv, Havfruen Keramik"',
  ])
    .requiredOption('--set <id>', 'as the contract calls it')
    .requiredOption('--path <path>', 'absolute, as it is at the source')
    .option('--snapshot <id>', 'all 64 digits (default: the newest)')
    .requiredOption('--by <name>', 'who asks, for the record')
    .action((id: string, options: Common & RequestOptions) =>
      withOpened(options, async (opened) =>
        (await import('./request.ts')).requestAddCommand(opened, id, options),
      ),
    )

  add(request, 'list <contract>', 'Show what was asked for, and what the agents answered.', [
    'request list AFT-2025-052 --json',
  ]).action((id: string, options: Common) =>
    withOpened(options, async (opened) => (await import('./request.ts')).requestListCommand(opened, id)),
  )
}
