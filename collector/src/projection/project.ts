import { encodeBase64 } from '@bevis/shared/base64'
import type { Chain } from '@bevis/shared/evidence/predicates'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { LogClosure } from '@bevis/shared/log/succession'
import type { Insertable, Transaction } from 'kysely'
import { chunksOf } from '../store/rows.ts'
import type { AlarmTable, Schema } from '../store/schema.ts'
import { loadAgents } from './agents.ts'
import type { Agents } from './agents.ts'
import { faultsOfLink, loadLinks } from './chain.ts'
import type { Links } from './chain.ts'
import { columnsOf } from './columns.ts'
import type { DerivedColumns } from './columns.ts'

/** How far ahead of the collector's clock a statement may be dated. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000

/** A statement in the log, or about to be in this transaction. */
export interface Logged {
  readonly id: number
  readonly leafIndex: number
  readonly paeDigest: string
  readonly receivedAt: string
  /** Who signed, in the envelope's order. */
  readonly signatures: readonly { readonly keyid: string; readonly spki: Uint8Array }[]
  readonly statement: Statement
  /** For a contract event: whose contract it is about; else unused. */
  readonly eventTenant: string
}

/** The derived part of one statement's row. */
export type Projected = DerivedColumns & { keyid: string; counted: 0 | 1 }

/** The log that statements lie in, as far as they speak of it. */
export interface OwnLog {
  readonly origin: string
  /** Logs of other names that it goes on from. */
  readonly closures: readonly LogClosure[]
}

type Alarm = Insertable<AlarmTable>

/**
 * Takes statements in log order and brings the derived tables up to them: the same for what has just come
 * and for a log that is read from its start. Returns the derived columns, one per statement, in their order;
 * the caller writes them.
 */
export async function project(
  tx: Transaction<Schema>,
  batch: readonly Logged[],
  log: OwnLog,
): Promise<Projected[]> {
  const chains = batch.flatMap(({ statement }) => chainOf(statement) ?? [])
  const links = await loadLinks(tx, chains)
  const heads = await loadRoots(tx, chains)
  const agents = loadAgents(tx)
  const alarms: Alarm[] = []
  const projected: Projected[] = []
  for (const logged of batch) {
    const columns = columnsOf(logged.statement, logged.eventTenant)
    const chain = chainOf(logged.statement)
    const taken = chain === null ? undefined : links.at(chain, chain.seq)
    if (chain !== null && taken !== undefined) {
      alarms.push(alarmOf(logged, 'equivocation', { ...placeOf(chain), counted: taken.paeDigest }))
    } else {
      if (chain !== null) {
        alarms.push(...(await alarmsOf(logged, chain, { links, heads, agents, own: log, columns })))
        links.put(chain, { paeDigest: logged.paeDigest, prev: chain.prev })
      }
      await agents.apply(logged)
    }
    const keyid = logged.signatures[0]?.keyid ?? ''
    projected.push({ ...columns, keyid, counted: taken === undefined ? 1 : 0 })
  }
  await agents.save()
  for (const chunk of chunksOf(alarms)) {
    await tx
      .insertInto('alarm')
      .values(chunk)
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  return projected
}

/** The place in an agent's chain; null for a contract event, which has none. */
export function chainOf(statement: Statement): Chain | null {
  return isEvidence(statement, 'contract-event') ? null : statement.predicate.chain
}

async function alarmsOf(
  logged: Logged,
  chain: Chain,
  known: {
    links: Links
    heads: ReadonlyMap<number, string>
    agents: Agents
    own: OwnLog
    columns: DerivedColumns
  },
): Promise<Alarm[]> {
  const { links, heads, agents, own, columns } = known
  const alarms = faultsOfLink(links, chain, logged.paeDigest).map(({ kind, expected }) =>
    alarmOf(logged, kind, { ...placeOf(chain), prev: chain.prev, expected }),
  )
  const aheadMs = Date.parse(columns.stated_at) - Date.parse(logged.receivedAt)
  if (aheadMs > CLOCK_TOLERANCE_MS) {
    alarms.push(alarmOf(logged, 'future-dated', { ...placeOf(chain), statedAt: columns.stated_at, aheadMs }))
  }
  const { log } = chain
  if (log !== null && log.size > 0) {
    const ours = log.size <= logged.leafIndex ? heads.get(log.size) : undefined
    if (!isKnownLost(log, own) && (ours !== log.root || !isOwnName(log, own))) {
      const alarm = alarmOf(logged, 'fork', { ...placeOf(chain), verified: log, ours: ours ?? null })
      // Once for what the agent saw: it will say so in everything that it states from now on.
      alarms.push({ ...alarm, id: `fork/${chain.tenant}/${chain.agent}/${log.size}/${log.root}` })
    }
  }
  const agent = await agents.find(chain.tenant, chain.agent)
  if (agent !== undefined && chain.epoch < agent.epoch) {
    const alarm = alarmOf(logged, 'closed-epoch', { ...placeOf(chain), current: agent.epoch })
    alarms.push({ ...alarm, id: `closed-epoch/${chain.tenant}/${chain.agent}/${chain.epoch}` })
  }
  const { statement } = logged
  if (isEvidence(statement, 'agent-lifecycle') && statement.predicate.event === 'alarm') {
    const { reason, detail } = statement.predicate
    alarms.push(alarmOf(logged, 'agent-alarm', { ...placeOf(chain), reason, detail }))
  }
  if (isEvidence(statement, 'data-check') && statement.predicate.result === 'FAILED') {
    const { repository, subset, errors } = statement.predicate
    const reason = `${repository.lineage ?? repository.id.slice(0, 12)} ${subset}`
    alarms.push(alarmOf(logged, 'data-check-failed', { ...placeOf(chain), reason, errors }))
  }
  return alarms
}

/** A head of the part that a closed log lost: nobody can say any more what was in it, and the closure says so. */
function isKnownLost({ origin, size }: NonNullable<Chain['log']>, { closures }: OwnLog): boolean {
  return closures.some(
    ({ from, kept, last }) => from.name === origin && size > kept.size && size <= last.size,
  )
}

/** What a closed log had and has left is the beginning of this one. */
function isOwnName({ origin: name, size }: NonNullable<Chain['log']>, { origin, closures }: OwnLog): boolean {
  return name === origin || closures.some(({ from, kept }) => from.name === name && size <= kept.size)
}

function alarmOf(logged: Logged, kind: AlarmTable['kind'], detail: object): Alarm {
  const chain = chainOf(logged.statement)
  return {
    id: `${kind}/${logged.paeDigest}`,
    kind,
    tenant: chain?.tenant ?? logged.eventTenant,
    agent: chain?.agent ?? null,
    statement_id: logged.id,
    at: logged.receivedAt,
    detail: JSON.stringify(detail),
  }
}

function placeOf({ epoch, seq }: Chain): { epoch: number; seq: number } {
  return { epoch, seq }
}

/** The roots that were signed, by size, base64: a head that an agent verified must be among them. */
async function loadRoots(tx: Transaction<Schema>, chains: readonly Chain[]): Promise<Map<number, string>> {
  const sizes = new Set(chains.flatMap(({ log }) => (log === null ? [] : [log.size])))
  const roots = new Map<number, string>()
  for (const chunk of chunksOf([...sizes])) {
    const rows = await tx
      .selectFrom('log_checkpoint')
      .select(['size', 'root'])
      .where('size', 'in', chunk)
      .execute()
    for (const row of rows) roots.set(row.size, encodeBase64(row.root))
  }
  return roots
}
