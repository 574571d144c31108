/** The index that evaluations look things up in, folded from facts in log order. */
import { z } from 'zod'
import type { ContractEvent, Repo } from '../evidence/predicates.ts'
import { isEvidence, statementSchema } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'
import { instant } from '../format.ts'
import { AgentChain } from './agent-chain.ts'
import { Ids } from './ids.ts'
import type { Fact, Known } from './known.ts'
import { knownOf } from './known.ts'
import { Listings } from './listing.ts'
import { Revoked } from './revoked.ts'
import { Runs } from './runs.ts'
import { Same, linkOf, toldOf } from './told.ts'
import type { BackupRun, DeletionProbe, Inventory, RestoreTest, RetentionRun } from './told.ts'

/** A line of `facts.jsonl`. */
export const factSchema = z.object({ receivedAt: instant, statement: statementSchema })

/** A statement that does not count, and why. */
export interface Disregarded {
  code: 'equivocation' | 'revoked-key'
  fact: Known
}

/** Independent of any contract. Adding a fact costs that fact, whatever the history. */
export interface FactIndex {
  size: number
  /** Counts what came out of its order, so that what had been read before it has to be read anew. */
  disorders: number
  chains: Map<string, AgentChain>
  /** By repository ID. */
  listings: Map<string, Listings>
  /** Every name that a statement gives a repository: its ID and its lineages. */
  repositories: Map<string, Set<string>>
  /** Of snapshots, as runs and readers come upon them. */
  readonly ids: Ids
  readonly runs: Runs
  tests: Known<RestoreTest>[]
  retentions: Known<RetentionRun>[]
  probes: Known<DeletionProbe>[]
  events: Known<ContractEvent>[]
  disregarded: Disregarded[]
  readonly revoked: Revoked
  readonly same: Same
}

export function emptyIndex(): FactIndex {
  const ids = new Ids()
  return {
    size: 0,
    disorders: 0,
    chains: new Map(),
    listings: new Map(),
    repositories: new Map(),
    ids,
    runs: new Runs(ids),
    tests: [],
    retentions: [],
    probes: [],
    events: [],
    disregarded: [],
    revoked: new Revoked(),
    same: new Same(),
  }
}

/** Folds facts, in log order. */
export function indexFacts(facts: Iterable<Fact>, index: FactIndex = emptyIndex()): FactIndex {
  for (const fact of facts) addFact(index, fact)
  return index
}

/** One step of the fold. The order is the log's: what a revoked key sends later does not count. */
export function addFact(index: FactIndex, fact: Fact): void {
  const { statement } = fact
  const place = index.size++
  const link = linkOf(statement, index.same)
  if (isEvidence(statement, 'contract-event')) {
    const event = knownOf(fact, statement.predicate, place, link)
    index.events.push(event)
    index.revoked.read(statement)
    return
  }
  const known = knownOf(fact, toldOf(statement, index.same), place, link)
  if (!isCounted(index, known, statement)) return
  if (isEvidence(statement, 'backup-run')) index.runs.push(known as Known<BackupRun>)
  else if (isEvidence(statement, 'restore-test')) index.tests.push(known as Known<RestoreTest>)
  else if (isEvidence(statement, 'retention-run')) index.retentions.push(known as Known<RetentionRun>)
  else if (isEvidence(statement, 'deletion-probe')) index.probes.push(known as Known<DeletionProbe>)
  else if (isEvidence(statement, 'inventory')) {
    const listings = listingsOf(index, statement.predicate.repository.id)
    if (!listings.add(known as Known<Inventory>)) index.disorders += 1
  }
  if ('repository' in statement.predicate)
    nameRepository(index, index.same.repository(statement.predicate.repository))
}

function isCounted(index: FactIndex, fact: Known, statement: Statement): boolean {
  const { predicate } = statement
  const { chain } = fact
  if (chain === null) return true
  if (index.revoked.has(statement)) {
    index.disregarded.push({ code: 'revoked-key', fact })
    return false
  }
  const agent = `${chain.tenant}/${chain.agent}`
  let links = index.chains.get(agent)
  if (links === undefined) {
    links = new AgentChain(chain)
    index.chains.set(agent, links)
  }
  const outcome = links.add(fact, 'clockOffsetMs' in predicate ? predicate.clockOffsetMs : undefined)
  if (!links.isSettled) index.disorders += 1
  if (outcome === 'equivocation') index.disregarded.push({ code: 'equivocation', fact })
  return outcome === 'added'
}

function listingsOf(index: FactIndex, repository: string): Listings {
  let listings = index.listings.get(repository)
  if (listings === undefined) {
    listings = new Listings()
    index.listings.set(repository, listings)
  }
  return listings
}

function nameRepository(index: FactIndex, { id, lineage }: Repo): void {
  for (const name of lineage === undefined ? [id] : [id, lineage]) {
    const ids = index.repositories.get(name)
    if (ids === undefined) index.repositories.set(name, new Set([id]))
    else ids.add(id)
  }
}

/** Puts every chain in its order; evaluations ask for it once. */
export function settle(index: FactIndex): FactIndex {
  for (const chain of index.chains.values()) chain.settle()
  return index
}
