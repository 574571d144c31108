import type { Kysely, Selectable } from 'kysely'
import { chunksOf } from '../store/rows.ts'
import type { AgentKeyTable, AgentTable, Schema } from '../store/schema.ts'

export type KeyRow = Selectable<AgentKeyTable>
export type AgentRow = Selectable<AgentTable>

/** The keys that a batch hints at, with their agents. A hint leads to a key; only a signature proves it. */
export interface Keyring {
  key(keyid: string): KeyRow | undefined
  agentOf(key: KeyRow): AgentRow | undefined
  /** The epochs that a key may sign in: from its own, to before the next key's. */
  epochsOf(key: KeyRow): { from: number; before: number }
  /** A statement of this batch opened the agent's next epoch. */
  openEpoch(key: KeyRow, epoch: number): void
}

export async function loadKeyring(db: Kysely<Schema>, hints: Iterable<string>): Promise<Keyring> {
  const keys = new Map<string, KeyRow>()
  const agents = new Map<string, AgentRow>()
  const keysByAgent = new Map<string, KeyRow[]>()
  for (const chunk of chunksOf([...new Set(hints)])) {
    const rows = await db
      .selectFrom('agent_key')
      .selectAll()
      .where('purpose', '=', 'agent')
      .where('keyid', 'in', chunk)
      .execute()
    for (const row of rows) keys.set(row.keyid, row)
  }
  for (const { tenant, agent } of keys.values()) {
    const name = `${tenant} ${agent}`
    if (agents.has(name)) continue
    const row = await db
      .selectFrom('agent')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('id', '=', agent)
      .executeTakeFirst()
    if (row !== undefined) agents.set(name, { ...row })
    const all = await db
      .selectFrom('agent_key')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('agent', '=', agent)
      .where('purpose', '=', 'agent')
      .orderBy('epoch')
      .execute()
    keysByAgent.set(name, all)
  }
  const agentOf = ({ tenant, agent }: KeyRow) => agents.get(`${tenant} ${agent}`)
  return {
    key: (keyid) => keys.get(keyid),
    agentOf,
    epochsOf: (key) => {
      const all = keysByAgent.get(`${key.tenant} ${key.agent}`) ?? []
      const next = all.find((other) => other.epoch > key.epoch)
      return { from: key.epoch, before: next?.epoch ?? Number.POSITIVE_INFINITY }
    },
    openEpoch: (key, epoch) => {
      const agent = agentOf(key)
      if (agent !== undefined) agent.epoch = epoch
    },
  }
}
