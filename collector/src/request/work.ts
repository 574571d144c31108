/** What an agent is asked for. It is asked, never ordered: what becomes of it its own configuration decides. */
import { toInstant } from '@bevis/shared/format'
import type { Work } from '@bevis/shared/work'
import { listContractsOfAgent } from '../store/read/agents.ts'
import type { AgentRow } from '../store/read/agents.ts'
import { listRequests } from '../store/read/requests.ts'
import type { Store } from '../store/store.ts'
import { revealSeeds } from './seed.ts'
import { termsOf } from './terms.ts'

/** As many requests at a time. */
const MOST = 100

export async function workOf(store: Store, agent: AgentRow, now: Date): Promise<Work> {
  const scope = { tenant: agent.tenant }
  const contracts = await listContractsOfAgent(store.db, scope, agent.id)
  const terms = await Promise.all(contracts.map((contract) => termsOf(store.db, contract, now)))
  const requests = await listRequests(store.db, scope, { agent: agent.id, isOpen: true, limit: MOST })
  return {
    agent: agent.id,
    at: toInstant(now),
    terms: terms.flat(),
    seeds: await revealSeeds(store, agent, now),
    // Who asked stays here: the agent need not know.
    requests: requests.toReversed().map(({ id, agentSet, path, snapshot, askedAt }) => ({
      id,
      set: agentSet,
      path,
      ...(snapshot !== null && { snapshot }),
      askedAt,
    })),
  }
}
