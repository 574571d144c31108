import { readFileSync } from 'node:fs'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { RevocationOrder } from '../event/revoke.ts'
import { listAgents, listContractsOfAgent } from '../store/read/agents.ts'
import { openOfficeOf } from './open.ts'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

const ALL = { all: true } as const

export async function agentListCommand({ store }: Opened): Promise<Outcome> {
  const agents = await Promise.all(
    (await listAgents(store.db, ALL)).map(async (agent) => ({
      ...agent,
      detail: JSON.parse(agent.detail) as unknown,
      contracts: await listContractsOfAgent(store.db, ALL, agent.id),
    })),
  )
  const rows = agents.map(({ id, tenant, host, state, epoch, last_received_at, contracts }) => [
    id,
    tenant,
    host,
    state,
    String(epoch),
    last_received_at ?? 'never',
    contracts.join(' '),
  ])
  const head = ['AGENT', 'CUSTOMER', 'HOST', 'STATE', 'EPOCH', 'LAST RECEIVED', 'CONTRACTS']
  return {
    exit: 0,
    json: agents,
    lines: rows.length === 0 ? ['No agent has enrolled yet.'] : alignColumns([head, ...rows]),
  }
}

/** A revocation as it is asked for: the root key's word lies in a file. */
export interface RevocationCall extends Omit<RevocationOrder, 'root'> {
  readonly rootNote?: string
}

export async function agentRevokeCommand(
  opened: Opened,
  { rootNote, ...order }: RevocationCall,
): Promise<Outcome> {
  const office = await openOfficeOf(opened)
  const root = rootNote === undefined ? undefined : readNote(rootNote)
  const statements = (await office.revoke({ ...order, root })).map(({ paeDigest }) => paeDigest)
  return {
    exit: 0,
    json: { agent: order.agent, state: 'revoked', statements },
    lines: [
      `${order.agent} is revoked: what it sends from now on is refused, what it sent before stays.`,
      'A new invitation lets it enrol with a new key.',
    ],
  }
}

function readNote(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, 4_096)
  } catch (cause) {
    throw new BevisError('USAGE', `${file} cannot be read: ${errorMessageOf(cause)}`, { cause })
  }
}
