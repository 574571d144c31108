/** What intake sees and the log does not say: alarms that are kept, and not derived. */
import { parseContract } from '@bevis/shared/contract/parse'
import type { Repo } from '@bevis/shared/evidence/predicates'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Insertable, Transaction } from 'kysely'
import { damageOf } from '../store/read/whole-text.ts'
import type { Logged } from '../projection/project.ts'
import { chunksOf } from '../store/rows.ts'
import type { AlarmTable, Schema } from '../store/schema.ts'

/** Raises an alarm for evidence that no contract of its agent asks for. */
export type RepositoryWatch = (tx: Transaction<Schema>, fresh: readonly Logged[]) => Promise<void>

/** What a contract's sets are about, over all versions. */
interface Named {
  /** IDs and lineages, of the sets and of their copies. */
  readonly repositories: ReadonlySet<string>
  readonly hosts: ReadonlySet<string>
}

/** Whose evidence of what. */
interface Seen {
  readonly logged: Logged
  readonly tenant: string
  readonly agent: string
  readonly repository: Repo
  /** That the snapshot names; null where the statement is about no single snapshot. */
  readonly host: string | null
}

/** Once for each agent and repository; contracts are parsed once for each text. */
export function watchRepositories(): RepositoryWatch {
  const read = new Map<string, Named | null>()
  return async (tx, fresh) => {
    const seen = new Map(fresh.flatMap(seenIn).map((one) => [nameOf(one), one]))
    const bound = new Map<string, Named | null>()
    for (const one of seen.values()) {
      const agent = `${one.tenant} ${one.agent}`
      if (!bound.has(agent)) bound.set(agent, await namedFor(tx, one, read))
      const named = bound.get(agent) ?? null
      const foreign = named === null ? null : await foreignIn(tx, one, named)
      if (foreign !== null) await raise(tx, unmatchedAlarm(one, foreign))
    }
  }
}

/** Raises an alarm, once for each agent's epoch, that somebody still signs with a key that was taken from it. */
export async function tellRevoked(
  tx: Transaction<Schema>,
  keyids: readonly string[],
  at: string,
): Promise<void> {
  for (const chunk of chunksOf([...new Set(keyids)])) {
    const keys = await tx
      .selectFrom('agent_key')
      .select(['keyid', 'tenant', 'agent', 'epoch', 'revoked_leaf'])
      .where('keyid', 'in', chunk)
      .execute()
    for (const { tenant, agent, ...detail } of keys) {
      const id = `revoked-agent/${tenant}/${agent}/${detail.epoch}`
      const row = { id, kind: 'revoked-agent', tenant, agent, statement_id: null, at } as const
      await raise(tx, { ...row, detail: JSON.stringify(detail) })
    }
  }
}

async function raise(tx: Transaction<Schema>, alarm: Insertable<AlarmTable>): Promise<void> {
  await tx
    .insertInto('alarm')
    .values(alarm)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

function seenIn(logged: Logged): Seen[] {
  const { statement } = logged
  if (!('repository' in statement.predicate)) return []
  const { tenant, agent } = statement.predicate.chain
  const host = isEvidence(statement, 'backup-run') ? (statement.predicate.snapshot?.host ?? null) : null
  return [{ logged, tenant, agent, repository: statement.predicate.repository, host }]
}

function nameOf({ tenant, agent, repository, host }: Seen): string {
  return JSON.stringify([tenant, agent, repository.id, repository.lineage, host])
}

/** What all contracts of an agent name together; null where one of them cannot be read, so that nobody can say. */
async function namedFor(
  tx: Transaction<Schema>,
  { tenant, agent }: Seen,
  read: Map<string, Named | null>,
): Promise<Named | null> {
  const texts = await tx
    .selectFrom('agent_contract')
    .innerJoin('contract_text', 'contract_text.contract_id', 'agent_contract.contract_id')
    .select(['contract_text.contract_id', 'revision', 'sha256'])
    .where('tenant', '=', tenant)
    .where('agent', '=', agent)
    .orderBy('revision')
    .execute()
  const newest = new Map(texts.map((text) => [text.contract_id, text]))
  const all: Named[] = []
  for (const text of newest.values()) {
    if (!read.has(text.sha256)) read.set(text.sha256, await readNamed(tx, text))
    const named = read.get(text.sha256) ?? null
    if (named === null) return null
    all.push(named)
  }
  return {
    repositories: new Set(all.flatMap(({ repositories }) => [...repositories])),
    hosts: new Set(all.flatMap(({ hosts }) => [...hosts])),
  }
}

async function readNamed(
  tx: Transaction<Schema>,
  { contract_id, revision }: { contract_id: string; revision: number },
): Promise<Named | null> {
  const text = await tx
    .selectFrom('contract_text')
    .selectAll()
    .where('contract_id', '=', contract_id)
    .where('revision', '=', revision)
    .executeTakeFirst()
  if (text === undefined || damageOf(text) !== null) return null
  const { contract } = parseContract(text.yaml, { draft: true })
  if (contract === undefined) return null
  const sets = contract.versions.flatMap((version) => version.sets)
  return {
    repositories: new Set(
      sets.flatMap(({ selector, copies = [] }) => [
        selector.repository,
        ...copies.map(({ repository }) => repository),
      ]),
    ),
    hosts: new Set(sets.flatMap(({ selector }) => selector.hosts)),
  }
}

/** The repository's or the host's name that no contract knows; null when all is as agreed. */
async function foreignIn(tx: Transaction<Schema>, seen: Seen, named: Named): Promise<string | null> {
  const { tenant, agent, host } = seen
  const { id, lineage } = seen.repository
  const isNamed = named.repositories.has(id) || (lineage !== undefined && named.repositories.has(lineage))
  if (isNamed) return host === null || named.hosts.has(host) ? null : host
  const before = await tx
    .selectFrom('alarm')
    .select('id')
    .where('id', '=', alarmIdOf(seen))
    .executeTakeFirst()
  if (before !== undefined) return null
  if (named.repositories.size === 0) return lineage ?? id
  // A repository goes by every name that it was ever given.
  const other = await tx
    .selectFrom('statement')
    .select('id')
    .where('tenant', '=', tenant)
    .where('agent', '=', agent)
    .where('repository_id', '=', id)
    .where('lineage', 'in', [...named.repositories])
    .limit(1)
    .executeTakeFirst()
  return other === undefined ? (lineage ?? id) : null
}

/** It does not end with the repository's ID: an ID that ends with a digest is about that statement. */
function alarmIdOf({ tenant, agent, repository }: Seen): string {
  return `unmatched-repository/${repository.id}/${tenant}/${agent}`
}

function unmatchedAlarm(seen: Seen, reason: string): Insertable<AlarmTable> {
  const { logged, tenant, agent, repository, host } = seen
  return {
    id: alarmIdOf(seen),
    kind: 'unmatched-repository',
    tenant,
    agent,
    statement_id: logged.id,
    at: logged.receivedAt,
    detail: JSON.stringify({ reason, repository, host }),
  }
}
