import { BevisError } from '@bevis/shared/error'
import type { Kysely } from 'kysely'
import { findAgent, listContractsOfAgent } from '../store/read/agents.ts'
import type { Schema } from '../store/schema.ts'
import type { EventOrder } from './register.ts'

const ALL = { all: true } as const

export interface RevocationOrder {
  readonly agent: string
  readonly reason: string
  /** Who decides it. */
  readonly person: string
  /** An instant: since when the key may have been in other hands. */
  readonly compromisedSince?: string | undefined
}

/**
 * What ends an agent's present epoch, an event for each contract it is bound to: what the agent sends after them
 * counts for nothing, by the log's order and not by any clock.
 * @throws BevisError NOT_FOUND, AGENT_REVOKED
 */
export async function revocationsOf(
  db: Kysely<Schema>,
  { agent: id, reason, person, compromisedSince }: RevocationOrder,
): Promise<EventOrder[]> {
  const agent = await findAgent(db, ALL, id)
  if (agent === undefined) throw new BevisError('NOT_FOUND', `there is no agent ${id}`)
  if (agent.state === 'revoked') throw new BevisError('AGENT_REVOKED', `${id} is revoked already`)
  const contracts = await listContractsOfAgent(db, ALL, agent.id)
  return contracts.map((contract) => ({
    contract,
    event: 'key-revoked',
    by: { party: 'provider', person },
    detail: {
      ...{ agent: agent.id, epoch: agent.epoch, reason },
      ...(compromisedSince !== undefined && { compromisedSince }),
    },
  }))
}
