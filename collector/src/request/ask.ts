/** Somebody asks for a restore of a file: who can answer, and is it theirs to ask. */
import { randomBytes } from 'node:crypto'
import { BevisError } from '@bevis/shared/error'
import type { BackupRun } from '@bevis/shared/evidence/predicates'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import { hex64, toInstant } from '@bevis/shared/format'
import { requestedPath } from '@bevis/shared/work'
import type { Kysely } from 'kysely'
import { findContract } from '../store/read/contracts.ts'
import { listRequests } from '../store/read/requests.ts'
import type { RequestRow } from '../store/read/requests.ts'
import type { Schema } from '../store/schema.ts'
import type { Scope, Store } from '../store/store.ts'
import { readContract } from './terms.ts'

/** More than a person asks for, and less than would keep a customer's server busy. */
const MOST_OPEN = 20

/** So far back a set's run is looked for among the runs of the contract's agents. */
const MOST_RUNS = 500

export interface TestOrder {
  readonly contract: string
  /** As the contract calls it. */
  readonly set: string
  /** Absolute, in the text of manifests; a file, or a folder with all in it. */
  readonly path: string
  /** A full snapshot ID; left out: the newest one. */
  readonly snapshot?: string | undefined
  /** Who asks, in words. */
  readonly by: string
}

/**
 * Keeps a request; the agent takes it when it next asks for work.
 * @throws BevisError NOT_FOUND when the reader may not see the contract, or no agent backs that path up;
 * REQUEST_INVALID; TOO_MANY_REQUESTS while as many are open
 */
export async function askForTest(
  store: Store,
  scope: Scope,
  order: TestOrder,
  now: Date,
): Promise<RequestRow> {
  const { contract, set, by } = order
  if ((await findContract(store.db, scope, contract)) === undefined)
    throw new BevisError('NOT_FOUND', `there is no contract ${contract} that this account may see`)
  const path = requestedPath.safeParse(order.path.replace(/(.)\/$/, '$1'))
  if (!path.success) throw new BevisError('REQUEST_INVALID', path.error.issues[0]?.message ?? 'no path')
  const snapshot = hex64.optional().safeParse(order.snapshot)
  if (!snapshot.success)
    throw new BevisError('REQUEST_INVALID', 'a snapshot is named by all 64 digits of its ID')
  const who = await findKeeper(store.db, contract, set, path.data)
  const id = randomBytes(16).toString('hex')
  await store.write(async (tx) => {
    const open = await listRequests(tx, { all: true }, { contract, isOpen: true })
    if (open.length >= MOST_OPEN)
      throw new BevisError(
        'TOO_MANY_REQUESTS',
        `${open.length} requests under ${contract} wait for an answer`,
      )
    await tx
      .insertInto('test_request')
      .values({
        id,
        contract_id: contract,
        contract_set: set,
        ...who,
        path: path.data,
        snapshot_id: snapshot.data ?? null,
        asked_at: toInstant(now),
        asked_by: by.slice(0, 256),
        statement_id: null,
        outcome: null,
        detail: null,
        answered_at: null,
      })
      .execute()
  })
  const [asked] = (await listRequests(store.db, scope, { contract })).filter((row) => row.id === id)
  if (asked === undefined) throw new BevisError('INTERNAL', 'a request was not kept')
  return asked
}

/** The agent whose newest fitting run holds the path. */
async function findKeeper(
  db: Kysely<Schema>,
  contract: string,
  set: string,
  path: string,
): Promise<{ tenant: string; agent: string; set_id: string }> {
  const { text } = await readContract(db, contract)
  const selectors = text.versions.flatMap(({ sets }) => sets.filter(({ id }) => id === set))
  if (selectors.length === 0) throw new BevisError('NOT_FOUND', `${contract} has no set ${set}`)
  const rows = await db
    .selectFrom('statement')
    .innerJoin('agent_contract', (join) =>
      join
        .onRef('agent_contract.tenant', '=', 'statement.tenant')
        .onRef('agent_contract.agent', '=', 'statement.agent'),
    )
    .select(['statement.tenant', 'statement.agent', 'statement.set_id', 'statement.payload'])
    .where('agent_contract.contract_id', '=', contract)
    .where('statement.name', '=', 'backup-run')
    .where('statement.counted', '=', 1)
    .where('statement.snapshot_id', 'is not', null)
    .orderBy('statement.id', 'desc')
    .limit(MOST_RUNS)
    .execute()
  for (const { tenant, agent, set_id, payload } of rows) {
    const statement = parseStatement(payload)
    if (agent === null || set_id === null || !isEvidence(statement, 'backup-run')) continue
    if (selectors.some(({ selector }) => holds(statement.predicate, selector, path)))
      return { tenant, agent, set_id }
  }
  throw new BevisError('NOT_FOUND', `no backup of ${set} that we know of holds ${path}`)
}

function holds(
  { repository, snapshot }: BackupRun,
  selector: { repository: string; hosts: string[] },
  path: string,
): boolean {
  const isIts = [repository.id, repository.lineage].includes(selector.repository)
  if (!isIts || snapshot === undefined || !selector.hosts.includes(snapshot.host)) return false
  return snapshot.paths.some((root) => root === '/' || path === root || path.startsWith(`${root}/`))
}
