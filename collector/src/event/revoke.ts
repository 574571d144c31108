import { BevisError } from '@bevis/shared/error'
import { openRootWord } from '@bevis/shared/evidence/root-word'
import type { RootWord } from '@bevis/shared/evidence/root-word'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import type { Kysely } from 'kysely'
import { findAgent, listAgentKeys, listContractsOfAgent } from '../store/read/agents.ts'
import type { AgentRow } from '../store/read/agents.ts'
import type { Schema } from '../store/schema.ts'
import type { EventOrder } from './register.ts'

const ALL = { all: true } as const

export interface RevocationOrder {
  readonly agent: string
  readonly reason: string
  /** Who decides it. */
  readonly person: string
  /** An instant: since when the key may have been in other hands. Where the root key's note says so too, the earlier. */
  readonly compromisedSince?: string | undefined
  /** The note in which the customer's root key says so; it must be the root key that signed the agent's. */
  readonly root?: string | undefined
}

/**
 * What ends an agent's present epoch, an event for each contract it is bound to: what the agent sends after them
 * counts for nothing, by the log's order and not by any clock.
 * @throws BevisError NOT_FOUND, AGENT_REVOKED, REQUEST_INVALID for a root key's note about something else
 */
export async function revocationsOf(
  db: Kysely<Schema>,
  { agent: id, reason, person, root, ...order }: RevocationOrder,
): Promise<EventOrder[]> {
  const agent = await findAgent(db, ALL, id)
  if (agent === undefined) throw new BevisError('NOT_FOUND', `there is no agent ${id}`)
  if (agent.state === 'revoked') throw new BevisError('AGENT_REVOKED', `${id} is revoked already`)
  const word = root === undefined ? null : await readWord(db, agent, root)
  const compromisedSince = earlierOf(order.compromisedSince, word?.compromisedSince)
  const contracts = await listContractsOfAgent(db, ALL, agent.id)
  if (contracts.length === 0)
    throw new BevisError(
      'REQUEST_INVALID',
      `${id} is bound to no contract, so nothing can be logged that revokes it: invite it for one first`,
    )
  return contracts.map((contract) => ({
    contract,
    event: 'key-revoked',
    by: { party: word === null ? 'provider' : 'customer', person },
    detail: {
      ...{ agent: agent.id, epoch: agent.epoch, reason },
      ...(compromisedSince !== undefined && { compromisedSince }),
      ...(root !== undefined && { root }),
    },
  }))
}

/** Nobody takes back what the customer's root key says: more may be in doubt than it knew, and never less. */
function earlierOf(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Date.parse(other) < Date.parse(one) ? other : one
}

/** The root key's word, if it is about the agent's present key, by the root key that signed that. */
async function readWord(
  db: Kysely<Schema>,
  { tenant, id, epoch }: AgentRow,
  note: string,
): Promise<RootWord> {
  const { word, root } = openRootWord(note)
  const keys = await listAgentKeys(db, ALL, id)
  const key = keys.findLast((one) => one.purpose === 'agent' && one.epoch <= epoch)
  const isAbout = word.tenant === tenant && word.agent === id && word.keyid === key?.keyid
  if (word.kind !== 'revoked' || !isAbout)
    throw new BevisError(
      'REQUEST_INVALID',
      `the note says that the key ${word.keyid} of ${word.tenant}/${word.agent} is ${word.kind}, and ${id} has ${key?.keyid ?? 'none'}`,
    )
  if (key.root !== formatVkey(root.name, root.spki))
    throw new BevisError('REQUEST_INVALID', `${root.name} is not the root key that signed the key of ${id}`)
  return word
}
