import type { AgentLifecycle, ContractEvent } from '@bevis/shared/evidence/predicates'
import { openRootWord, rootNoteIn } from '@bevis/shared/evidence/root-word'
import { isEvidence } from '@bevis/shared/evidence/statement'
import { formatVkey } from '@bevis/shared/log/checkpoint'
import { parseCosignerKey } from '@bevis/shared/log/cosignature'
import type { Selectable, Transaction } from 'kysely'
import type { AgentTable, Schema } from '../store/schema.ts'
import type { Logged } from './project.ts'

type AgentRow = Selectable<AgentTable>

/** The agents that a batch is about, changed in memory and written once at its end. */
export interface Agents {
  find(tenant: string, id: string): Promise<AgentRow | undefined>
  /** Takes in what a counted statement says about its agent and its keys. */
  apply(logged: Logged): Promise<void>
  save(): Promise<void>
}

export function loadAgents(tx: Transaction<Schema>): Agents {
  const known = new Map<string, AgentRow | undefined>()
  const changed = new Set<AgentRow>()

  async function find(tenant: string, id: string): Promise<AgentRow | undefined> {
    const name = `${tenant} ${id}`
    if (!known.has(name)) {
      const query = tx.selectFrom('agent').selectAll().where('tenant', '=', tenant).where('id', '=', id)
      known.set(name, await query.executeTakeFirst())
    }
    return known.get(name)
  }

  async function enrol(logged: Logged, predicate: AgentLifecycle): Promise<void> {
    const { tenant, agent: id, epoch } = predicate.chain
    const [agentKey, tokenKey] = logged.signatures
    if (agentKey === undefined || tokenKey === undefined) return
    const invitation = await tx
      .selectFrom('invitation')
      .selectAll()
      .where('keyid', '=', tokenKey.keyid)
      .executeTakeFirst()
    const row: AgentRow = {
      tenant,
      id,
      host: invitation?.host ?? predicate.host,
      state: 'active',
      epoch,
      enrolled_at: logged.receivedAt,
      last_received_at: null,
      clock_offset_ms: null,
      detail: '{}',
    }
    const columns = { ...row, tenant: undefined, id: undefined }
    await tx
      .insertInto('agent')
      .values(row)
      .onConflict((conflict) => conflict.columns(['tenant', 'id']).doUpdateSet(columns))
      .execute()
    known.set(`${tenant} ${id}`, row)
    await addKey(logged, 0, 'agent', { tenant, agent: id, epoch })
    await addKey(logged, 1, 'token', { tenant, agent: id, epoch })
    for (const contract of contractsOf(invitation?.contracts)) {
      await tx
        .insertInto('agent_contract')
        .values({ tenant, agent: id, contract_id: contract })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    }
    await tx
      .updateTable('invitation')
      .set({ used_at: logged.receivedAt })
      .where('keyid', '=', tokenKey.keyid)
      .execute()
  }

  async function addKey(
    logged: Logged,
    signature: number,
    purpose: 'agent' | 'token' | 'office',
    owner: { tenant: string; agent: string; epoch: number },
    root: string | null = null,
  ): Promise<void> {
    const key = logged.signatures[signature]
    if (key === undefined) return
    await tx
      .insertInto('agent_key')
      .values({
        ...key,
        ...owner,
        purpose,
        from_leaf: logged.leafIndex + signature,
        revoked_leaf: null,
        root,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }

  /** What is no key is announced in vain: nothing is ever cosigned with it. */
  async function addCosigner(
    logged: Logged,
    vkey: string,
    owner: { tenant: string; agent: string },
  ): Promise<void> {
    if (!isCosignerKey(vkey)) return
    await tx
      .insertInto('agent_cosigner')
      .values({ vkey, ...owner, from_leaf: logged.leafIndex })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }

  /** For people to see; whether the root key is the customer's, only the customer's own trust file can say. */
  async function endorse(note: string, owner: { tenant: string; agent: string }): Promise<void> {
    const said = readWord(note)
    if (said?.word.kind !== 'signed' || said.word.tenant !== owner.tenant || said.word.agent !== owner.agent)
      return
    await tx
      .updateTable('agent_key')
      .set({ root: formatVkey(said.root.name, said.root.spki) })
      .where('keyid', '=', said.word.keyid)
      .where('tenant', '=', owner.tenant)
      .where('agent', '=', owner.agent)
      .where('purpose', '=', 'agent')
      .execute()
  }

  async function rootOf(keyid: string): Promise<string | null> {
    const row = await tx.selectFrom('agent_key').select('root').where('keyid', '=', keyid).executeTakeFirst()
    return row?.root ?? null
  }

  /** Revokes the keys of an agent up to an epoch; counted by log index, not by any clock. */
  async function revoke(logged: Logged, tenant: string, id: string, epoch: number): Promise<void> {
    await tx
      .updateTable('agent_key')
      .set({ revoked_leaf: logged.leafIndex })
      .where('tenant', '=', tenant)
      .where('agent', '=', id)
      .where('purpose', '=', 'agent')
      .where('epoch', '<=', epoch)
      .where('revoked_leaf', 'is', null)
      .execute()
    const agent = await find(tenant, id)
    const usable = await tx
      .selectFrom('agent_key')
      .select('keyid')
      .where('tenant', '=', tenant)
      .where('agent', '=', id)
      .where('purpose', '=', 'agent')
      .where('revoked_leaf', 'is', null)
      .executeTakeFirst()
    if (agent !== undefined && usable === undefined) change(agent, { state: 'revoked' })
  }

  function change(agent: AgentRow, values: Partial<AgentRow>): void {
    Object.assign(agent, values)
    changed.add(agent)
  }

  async function applyEvent(logged: Logged, event: ContractEvent): Promise<void> {
    await addKey(logged, 0, 'office', { tenant: logged.eventTenant, agent: 'office', epoch: 1 })
    const { agent, epoch } = event.detail
    if (event.event !== 'key-revoked' || typeof agent !== 'string' || typeof epoch !== 'number') return
    await revoke(logged, logged.eventTenant, agent, epoch)
  }

  async function applyLifecycle(logged: Logged, lifecycle: AgentLifecycle, agent: AgentRow): Promise<void> {
    const { tenant, agent: id, epoch } = lifecycle.chain
    if (lifecycle.clockOffsetMs !== undefined) change(agent, { clock_offset_ms: lifecycle.clockOffsetMs })
    const note = rootNoteIn(lifecycle.detail)
    if (note !== null) await endorse(note, { tenant, agent: id })
    else if (lifecycle.event === 'started' || lifecycle.event === 'heartbeat') {
      change(agent, { detail: JSON.stringify(lifecycle) })
    }
    if (lifecycle.cosigner !== undefined) await addCosigner(logged, lifecycle.cosigner, { tenant, agent: id })
    if (lifecycle.event === 'rotated') {
      const root = await rootOf(logged.signatures[1]?.keyid ?? '')
      await addKey(logged, 0, 'agent', { tenant, agent: id, epoch }, root)
    }
    if (lifecycle.event === 'revoked') await revoke(logged, tenant, id, epoch)
    if (lifecycle.event === 'retired' && epoch >= agent.epoch) change(agent, { state: 'retired' })
  }

  return {
    find,
    async apply(logged) {
      const { statement } = logged
      if (isEvidence(statement, 'contract-event')) return applyEvent(logged, statement.predicate)
      if (isEvidence(statement, 'agent-lifecycle') && statement.predicate.event === 'enrolled') {
        await enrol(logged, statement.predicate)
      }
      const { tenant, agent: id, epoch } = statement.predicate.chain
      const agent = await find(tenant, id)
      if (agent === undefined) return
      change(agent, { last_received_at: logged.receivedAt, epoch: Math.max(agent.epoch, epoch) })
      if (isEvidence(statement, 'agent-lifecycle')) await applyLifecycle(logged, statement.predicate, agent)
    },
    async save() {
      for (const { tenant, id, ...values } of changed) {
        await tx.updateTable('agent').set(values).where('tenant', '=', tenant).where('id', '=', id).execute()
      }
      changed.clear()
    },
  }
}

function readWord(note: string): ReturnType<typeof openRootWord> | null {
  try {
    return openRootWord(note)
  } catch {
    return null
  }
}

function isCosignerKey(vkey: string): boolean {
  try {
    parseCosignerKey(vkey)
    return true
  } catch {
    return false
  }
}

function contractsOf(json: string | undefined): string[] {
  return json === undefined ? [] : (JSON.parse(json) as string[])
}
