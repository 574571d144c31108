/**
 * The ledger: what was done for a contract, month by month and set by set, as its agents' signed statements tell it.
 * It counts services, and judges none: whether they were enough is the evaluation's to say.
 */
import type { Repo, RestoreTest, Snap } from '../evidence/predicates.ts'
import { isEvidence } from '../evidence/statement.ts'
import { covers } from './cover.ts'
import { indexFacts } from './facts.ts'
import type { Fact } from './known.ts'
import { happenedAt, knownOf } from './known.ts'
import { monthNameOf, monthsThrough } from './month.ts'
import { resultOf } from './pass.ts'
import type { Contract, ContractSet } from './schema.ts'

type Tested = Record<'passed' | 'failed' | 'inconclusive', number>

/** One set in one month. Sizes in bytes. */
export interface LedgerRow {
  /** `2025-03`, of the contract's calendar. */
  month: string
  /** Empty for what names no set of the contract. */
  set: string
  unit: string | null
  /** As the contract names it; where several sets share one, its services stand in each of their rows. */
  repository: string
  backups: Record<'complete' | 'partial' | 'failed', number>
  /** What the month's backups added to the repository, before it packs them; null where none told. */
  addedBytes: number | null
  /** What the month's last complete backup held: what was protected. */
  protectedBytes: number | null
  protectedFiles: number | null
  restoreTests: Tested
  /** Files and bytes that were restored and looked at. */
  restoredFiles: number
  restoredBytes: number
  inventories: Record<'complete' | 'incomplete', number>
  /** By the month's last complete inventory; null where none came, or none told. */
  storedSnapshots: number | null
  storageBytes: number | null
  dataChecks: Tested
  checkedBytes: number
  retentionRuns: number
  removedSnapshots: number
  deletionProbes: number
}

export interface Ledger {
  contract: string
  customer: string
  timezone: string
  /** Months, both included. */
  from: string
  to: string
  /** By month, then in the order of the newest version's sets; a row for each, also where nothing was done. */
  rows: LedgerRow[]
}

/** Months, both included. */
interface Months {
  readonly from: string
  readonly to: string
}

/** A ledger that is written as facts go by, in log order; none of them is kept. */
export class LedgerBook {
  readonly #contract: Contract
  readonly #months: Months
  readonly #sets: readonly ContractSet[]
  readonly #rows = new Map<string, LedgerRow>()

  constructor(contract: Contract, months: Months) {
    this.#contract = contract
    this.#months = months
    this.#sets = setsOf(contract)
    for (const month of monthsThrough(months.from, months.to))
      for (const set of this.#sets) this.#rowOf(month, set)
  }

  /** @param fact one that an evaluation does not disregard */
  enter(fact: Fact): void {
    const { from, to } = this.#months
    const month = monthNameOf(happenedAt(knownOf(fact, {}, 0)), this.#contract.timezone)
    if (month < from || month > to) return
    const own = owners(this.#sets, fact)
    for (const set of own.length === 0 ? [null] : own) enter(fact, () => this.#rowOf(month, set))
  }

  /** What was entered so far. */
  ledger(): Ledger {
    const sets = this.#sets
    const order = new Map(sets.map(({ id }, place) => [id, place]))
    return {
      contract: this.#contract.id,
      customer: this.#contract.customer.name,
      timezone: this.#contract.timezone,
      ...this.#months,
      rows: [...this.#rows.values()].toSorted(
        (a, b) =>
          a.month.localeCompare(b.month) ||
          (order.get(a.set) ?? sets.length) - (order.get(b.set) ?? sets.length),
      ),
    }
  }

  #rowOf(month: string, set: ContractSet | null): LedgerRow {
    const key = `${month} ${set?.id ?? ''}`
    const row = this.#rows.get(key) ?? emptyRow(month, set)
    this.#rows.set(key, row)
    return row
  }
}

/**
 * Folds facts into rows. What an evaluation disregards (a revoked key's statements, the second of two for one place)
 * is no service either.
 * @param from,to months, both included
 */
export function ledgerOf({
  contract,
  facts,
  ...months
}: Months & { contract: Contract; facts: readonly Fact[] }): Ledger {
  const disregarded = new Set(indexFacts(facts).disregarded.map(({ fact }) => fact.index))
  const book = new LedgerBook(contract, months)
  for (const [index, fact] of facts.entries()) if (!disregarded.has(index)) book.enter(fact)
  return book.ledger()
}

/** Every set that a version ever named, by its newest terms. */
function setsOf({ versions }: Contract): ContractSet[] {
  const sets = new Map<string, ContractSet>()
  for (const version of versions.toSorted((a, b) => a.effectiveFrom.localeCompare(b.effectiveFrom))) {
    for (const set of version.sets) {
      sets.delete(set.id)
      sets.set(set.id, set)
    }
  }
  return [...sets.values()]
}

/** Whose service it is: a repository's is that of every set in it, a run's or a test's of the set that it is about. */
function owners(sets: readonly ContractSet[], { statement }: Fact): ContractSet[] {
  const { predicate } = statement
  if (!('repository' in predicate)) return []
  const there = sets.filter(({ selector, copies = [] }) =>
    [selector.repository, ...copies.map(({ repository }) => repository)].some((name) =>
      isNamed(predicate.repository, name),
    ),
  )
  if (!isEvidence(statement, 'backup-run') && !isEvidence(statement, 'restore-test')) return there
  const { set, repository, snapshot, host } = statement.predicate
  return ownersOf(sets, { set, repository, host: snapshot?.host ?? host, snapshot })
}

/**
 * Tells the set whose snapshot a restore test is of, as the ledger counts it: an agent may call a set otherwise than its
 * contract does. What today's terms do not know is of the set that earlier ones name; null: of none.
 */
export function setsOfTests(
  contract: Contract,
): (test: Pick<RestoreTest, 'set' | 'repository' | 'snapshot'>) => string | null {
  const terms = [setsOf(contract), ...contract.versions.toReversed().map(({ sets }) => sets)]
  return ({ set, repository, snapshot }) => {
    const told = { set, repository, host: snapshot.host, snapshot }
    for (const sets of terms) {
      const [own] = ownersOf(sets, told)
      if (own !== undefined) return own.id
    }
    return null
  }
}

interface Told {
  set: string
  repository: Repo
  host: string
  snapshot: Snap | undefined
}

/** By place and host; of several the one that is named, else the one whose paths the snapshot covers. */
function ownersOf(sets: readonly ContractSet[], { set, repository, host, snapshot }: Told): ContractSet[] {
  const own = sets.filter(
    ({ selector }) => isNamed(repository, selector.repository) && selector.hosts.includes(host),
  )
  const covered = own.filter(
    ({ selector }) => snapshot !== undefined && covers(snapshot.paths, selector.requiredPaths),
  )
  const named = own.filter(({ id }) => id === set)
  const chosen = named.length > 0 ? named : covered.length > 0 ? covered : own
  return chosen.slice(0, 1)
}

function isNamed({ id, lineage }: Repo, name: string): boolean {
  return name === id || name === lineage
}

function enter({ statement }: Fact, rowOf: () => LedgerRow): void {
  if (isEvidence(statement, 'backup-run')) {
    const { outcome, source } = statement.predicate
    const row = rowOf()
    row.backups[outcome] += 1
    if (source === undefined) return
    row.addedBytes = (row.addedBytes ?? 0) + source.addedBytes
    if (outcome === 'complete') {
      row.protectedBytes = source.bytes
      row.protectedFiles = source.files
    }
  } else if (isEvidence(statement, 'restore-test')) {
    const { restored } = statement.predicate
    const row = rowOf()
    row.restoreTests[RESULTS[resultOf(statement.predicate)]] += 1
    row.restoredFiles += restored.files
    row.restoredBytes += restored.bytes
  } else if (isEvidence(statement, 'inventory')) {
    const { complete, count, sizeBytes } = statement.predicate
    const row = rowOf()
    row.inventories[complete ? 'complete' : 'incomplete'] += 1
    if (!complete || !isMain(statement.predicate.repository, row)) return
    row.storedSnapshots = count
    row.storageBytes = sizeBytes ?? row.storageBytes
  } else if (isEvidence(statement, 'data-check')) {
    const { result, bytes } = statement.predicate
    const row = rowOf()
    row.dataChecks[RESULTS[result]] += 1
    row.checkedBytes += bytes ?? 0
  } else if (isEvidence(statement, 'retention-run')) {
    const row = rowOf()
    row.retentionRuns += 1
    row.removedSnapshots += statement.predicate.removed.length
  } else if (isEvidence(statement, 'deletion-probe')) rowOf().deletionProbes += 1
}

/** A copy's inventory is a service too, but what it lists is not what the set's own repository holds. */
function isMain(repository: Repo, row: LedgerRow): boolean {
  return row.repository === '' || isNamed(repository, row.repository)
}

const RESULTS = { PASSED: 'passed', FAILED: 'failed', INCONCLUSIVE: 'inconclusive' } as const

function emptyRow(month: string, set: ContractSet | null): LedgerRow {
  return {
    month,
    set: set?.id ?? '',
    unit: set?.unit ?? null,
    repository: set?.selector.repository ?? '',
    backups: { complete: 0, partial: 0, failed: 0 },
    addedBytes: null,
    protectedBytes: null,
    protectedFiles: null,
    restoreTests: { passed: 0, failed: 0, inconclusive: 0 },
    restoredFiles: 0,
    restoredBytes: 0,
    inventories: { complete: 0, incomplete: 0 },
    storedSnapshots: null,
    storageBytes: null,
    dataChecks: { passed: 0, failed: 0, inconclusive: 0 },
    checkedBytes: 0,
    retentionRuns: 0,
    removedSnapshots: 0,
    deletionProbes: 0,
  }
}
