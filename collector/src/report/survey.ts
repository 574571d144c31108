import { Column } from '@bevis/shared/contract/column'
import type { Fact } from '@bevis/shared/contract/known'
import type { ClauseMarks } from '@bevis/shared/verify/clause-marks'
import { NameList } from '@bevis/shared/verify/name-list'
import type { IndexLine, Pack, PackChain } from '@bevis/shared/verify/pack'
import { isInPeriod } from '@bevis/shared/verify/table'
import { parseStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { Kysely, SelectQueryBuilder } from 'kysely'
import { listAgents } from '../store/read/agents.ts'
import { chunksOf } from '../store/rows.ts'
import type { Schema } from '../store/schema.ts'
import type { Scope } from '../store/store.ts'

/** Rows that are read at once. */
const PAGE_ROWS = 50
const IDS_AT_ONCE = 10_000

/** Which statements a pack holds: all of these agents, and the contract's own events, below a size of the log. */
export interface Selection {
  readonly size: number
  /** The statements' ids, ascending: as the log has them. */
  readonly ids: Float64Array
}

export async function selectionOf(
  db: Kysely<Schema>,
  scope: Scope,
  contract: { id: string; tenant: string },
  size: number,
): Promise<Selection> {
  const ids = new Column(Float64Array)
  const { tenant } = contract
  const own = db.selectFrom('statement').select('id').where('tenant', '=', tenant)
  // One at a time, each is a walk through an index; all in one query, SQLite would sort them anew for each page.
  for (const { id: agent } of await listAgents(db, scope, { contract: contract.id }))
    await collectIds(own.where('agent', '=', agent), ids)
  await collectIds(own.where('contract_id', '=', contract.id), ids)
  const sorted = Float64Array.from(ids).sort()
  return { size, ids: sorted.filter((id, n) => id !== sorted[n - 1]) }
}

async function collectIds(
  query: SelectQueryBuilder<Schema, 'statement', { id: number }>,
  ids: Column,
): Promise<void> {
  for (let after = 0; ;) {
    const rows = await query.where('id', '>', after).orderBy('id').limit(IDS_AT_ONCE).execute()
    for (const { id } of rows) ids.push(id)
    if (rows.length < IDS_AT_ONCE) return
    after = rows.at(-1)?.id ?? after
  }
}

/** The selected statements in log order, in pages, of which one is in memory at a time. */
export async function* pagesOf(db: Kysely<Schema>, selection: Selection) {
  for (const ids of idPages(selection)) {
    yield await selected(db, selection, ids)
      .select(['id', 'leaf_index', 'pae_digest', 'received_at', 'counted', 'payload', 'envelope'])
      .execute()
  }
}

/** Their leaves in log order, likewise. */
export async function* leavesOf(db: Kysely<Schema>, selection: Selection): AsyncGenerator<SurveyedLeaf[]> {
  for (const ids of idPages(selection)) {
    const page = await selected(db, selection, ids).select(['id', 'received_at']).execute()
    yield await leavesOfPage(db, page)
  }
}

function* idPages({ ids }: Selection): Generator<number[]> {
  for (let at = 0; at < ids.length; at += PAGE_ROWS) yield [...ids.subarray(at, at + PAGE_ROWS)]
}

function selected(db: Kysely<Schema>, { size }: Selection, ids: readonly number[]) {
  return db.selectFrom('statement').where('id', 'in', ids).where('leaf_index', '<', size).orderBy('id')
}

async function leavesOfPage(
  db: Kysely<Schema>,
  page: readonly { id: number; received_at: string }[],
): Promise<SurveyedLeaf[]> {
  const leaves: SurveyedLeaf[] = []
  const receivedAt = new Map(page.map(({ id, received_at }) => [id, received_at]))
  for (const chunk of chunksOf([...receivedAt.keys()])) {
    const rows = await db
      .selectFrom('log_leaf')
      .select(['leaf_index', 'entry', 'statement_id'])
      .where('statement_id', 'in', chunk)
      .orderBy('leaf_index')
      .execute()
    for (const { leaf_index, entry, statement_id } of rows) {
      leaves.push({ leafIndex: leaf_index, entry, receivedAt: receivedAt.get(statement_id ?? 0) ?? '' })
    }
  }
  return leaves
}

/** One leaf of a selected statement. */
export interface SurveyedLeaf {
  readonly leafIndex: number
  /** 113 bytes, see `@bevis/shared/log/entry`. */
  readonly entry: Uint8Array
  readonly receivedAt: string
}

/** A selected statement as it goes by. */
export interface Surveyed extends Required<Fact> {
  readonly leafIndex: number
  readonly counted: boolean
}

/** What must be known of all statements before the first byte of a pack is written. */
export interface Survey {
  readonly population: Pack['population']
  /** The sizes of the log's heads that agents had seen, ascending. */
  readonly heads: readonly number[]
  /** The keys that signed them. */
  readonly keyids: readonly string[]
  /** Of all envelopes, each with its LF. */
  readonly evidenceBytes: number
  /** The first leaf of the newest statement. */
  readonly lastLeaf: number
  /** When that was received; empty without one. */
  readonly lastReceivedAt: string
}

/** Who looks at each statement as it goes by. */
export interface Watch {
  readonly period: Pack['period']
  /** Counts what bears a mark. */
  readonly marks: ClauseMarks
  /** What the verdict goes by, in log order. */
  readonly onFact: (fact: Required<Fact>) => void
  /** Of all, also those that do not count. */
  readonly onStatement: (one: Surveyed) => void
}

/** One pass over the selected statements. */
export async function surveyStatements(
  db: Kysely<Schema>,
  selection: Selection,
  watch: Watch,
): Promise<Survey> {
  const count = { statements: 0, inPeriod: 0, evidenceBytes: 0, lastLeaf: 0, lastReceivedAt: '' }
  const chains = new Map<string, Chained>()
  const heads = new NameList()
  for await (const page of pagesOf(db, selection)) {
    for (const { leaf_index: leafIndex, pae_digest, received_at, counted, payload, envelope } of page) {
      const statement = parseStatement(payload)
      const fact = { receivedAt: received_at, paeDigest: pae_digest, statement }
      if (counted === 1) watch.onFact(fact)
      watch.onStatement({ ...fact, leafIndex, counted: counted === 1 })
      watch.marks.add(statement)
      count.statements += 1
      count.evidenceBytes += Buffer.byteLength(envelope) + 1
      count.lastLeaf = leafIndex
      count.lastReceivedAt = received_at
      if (isInPeriod(statement, watch.period)) count.inPeriod += 1
      const chain = chainOf(statement)
      if (chain === null) continue
      if (chain.log !== null && chain.log.size > 0 && chain.log.size < selection.size)
        heads.add(`${chain.log.size}`)
      follow(chains, chain, pae_digest)
    }
  }
  const { leaves, keyids } = await countLeaves(db, selection)
  const sorted = [...chains.values()].toSorted((a, b) =>
    a.agent === b.agent ? a.epoch - b.epoch : a.agent < b.agent ? -1 : 1,
  )
  const marked = watch.marks.counted()
  return {
    population: {
      statements: count.statements,
      leaves,
      inPeriod: count.inPeriod,
      ...(marked && { marked }),
      chains: sorted,
    },
    heads: Array.from(heads.names(), Number).toSorted((a, b) => a - b),
    keyids,
    evidenceBytes: count.evidenceBytes,
    lastLeaf: count.lastLeaf,
    lastReceivedAt: count.lastReceivedAt,
  }
}

type Chained = { -readonly [K in keyof PackChain]: PackChain[K] }

function follow(
  chains: Map<string, Chained>,
  { agent, epoch, seq }: { agent: string; epoch: number; seq: number },
  digest: string,
): void {
  const known = chains.get(`${agent} ${epoch}`) ?? { agent, epoch, statements: 0, lastSeq: 0, head: '' }
  chains.set(`${agent} ${epoch}`, known)
  known.statements += 1
  // Of two for one place the first that was logged counts.
  if (seq > known.lastSeq) Object.assign(known, { lastSeq: seq, head: digest })
}

async function countLeaves(db: Kysely<Schema>, selection: Selection) {
  let leaves = 0
  const keyids = new Set<string>()
  for await (const page of leavesOf(db, selection)) {
    leaves += page.length
    for (const { entry } of page) keyids.add(readEntry(entry).keyid)
  }
  return { leaves, keyids: [...keyids] }
}

/** The three digests behind the label of an entry, see `@bevis/shared/log/entry`. */
export function readEntry(entry: Uint8Array): Pick<IndexLine, 'pae' | 'signature' | 'keyid'> {
  const digest = (number: number) => entry.subarray(17 + 32 * number, 49 + 32 * number).toHex()
  return { pae: digest(0), signature: digest(1), keyid: digest(2) }
}

function chainOf({ predicate }: Statement) {
  return 'chain' in predicate ? predicate.chain : null
}
