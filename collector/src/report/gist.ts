import { Damages } from '@bevis/shared/contract/damage'
import { LedgerBook } from '@bevis/shared/contract/ledger'
import type { Ledger } from '@bevis/shared/contract/ledger'
import { monthNameOf } from '@bevis/shared/contract/month'
import { Revoked } from '@bevis/shared/contract/revoked'
import type { Contract } from '@bevis/shared/contract/schema'
import { copiesOf, objectsOf } from '@bevis/shared/evidence/clause'
import type { ClauseId, EvidenceId } from '@bevis/shared/evidence/clause'
import { evidenceNameOf, isEvidence } from '@bevis/shared/evidence/statement'
import { ClauseMarks } from '@bevis/shared/verify/clause-marks'
import type { Description } from '@bevis/shared/verify/description'
import { isInPeriod } from '@bevis/shared/verify/table'
import type { Surveyed } from './survey.ts'

/** How many of all, and of those in the period. */
export interface Count {
  all: number
  inPeriod: number
}

/** What one agent worked with, and when it was first and last received. */
export interface ToolsUsed {
  readonly agent: string
  readonly tools: { readonly agent: string; readonly restic?: string | undefined; readonly os: string }
  readonly from: string
  to: string
}

/**
 * What papers tell of all statements, gathered while they go by in log order: counts, and whole only the restore tests
 * and the contract's own events, which are few.
 */
export class Gist {
  readonly kinds = new Map<string, Count>()
  readonly clauses = new Map<ClauseId, Count>()
  /** What those of the period are evidence of. */
  readonly objects = new Map<EvidenceId, number>()
  /** Of the period, in the order in which each first came. */
  readonly tools = new Map<string, ToolsUsed>()
  /** Restore tests and the contract's events. */
  readonly kept: Surveyed[] = []
  /** By data checks, up to the pack's own end: what came of damage may lie after the period. */
  readonly damages = new Damages()
  readonly #period: Description['period']
  readonly #marks: ClauseMarks
  readonly #copies: ReadonlySet<string>
  readonly #book: LedgerBook
  readonly #revoked = new Revoked()

  /** @param at the verdict's own instant */
  constructor(pack: Pick<Description, 'period' | 'filter'>, contract: Contract, at: Date) {
    const { period } = pack
    this.#period = period
    this.#marks = new ClauseMarks(pack, contract)
    this.#copies = copiesOf(contract)
    const zone = contract.timezone
    const firstMonth =
      contract.versions.map(({ effectiveFrom }) => effectiveFrom.slice(0, 7)).toSorted()[0] ?? ''
    const from = monthNameOf(Date.parse(period.from), zone)
    this.#book = new LedgerBook(contract, {
      from: from > firstMonth ? from : firstMonth,
      // A period may end far ahead: nothing was done after the verdict's own instant.
      to: monthNameOf(Math.min(Date.parse(period.to) - 1, at.getTime()), zone),
    })
  }

  /** What was done in the months of the period. */
  get ledger(): Ledger {
    return this.#book.ledger()
  }

  add(one: Surveyed): void {
    const { statement, counted } = one
    const inPeriod = isInPeriod(statement, this.#period)
    count(this.kinds, evidenceNameOf(statement), inPeriod)
    for (const id of this.#marks.of(statement) ?? []) count(this.clauses, id, inPeriod)
    if (inPeriod) this.#addOfPeriod(one)
    if (isEvidence(statement, 'restore-test') || isEvidence(statement, 'contract-event')) this.kept.push(one)
    if (!counted) return
    this.#revoked.read(statement)
    // What the verdict disregards is no service either.
    if (this.#revoked.has(statement)) return
    this.#book.enter(one)
    if (isEvidence(statement, 'data-check')) this.damages.add(statement.predicate, one.paeDigest)
  }

  #addOfPeriod({ statement, receivedAt }: Surveyed): void {
    for (const id of objectsOf(statement, this.#copies)) this.objects.set(id, (this.objects.get(id) ?? 0) + 1)
    if (!('tools' in statement.predicate)) return
    const { tools, chain } = statement.predicate
    const key = JSON.stringify([chain.agent, tools.agent, tools.restic, tools.os])
    const used = this.tools.get(key)
    if (used === undefined)
      this.tools.set(key, { agent: chain.agent, tools, from: receivedAt, to: receivedAt })
    else used.to = receivedAt
  }
}

function count<K>(counts: Map<K, Count>, key: K, inPeriod: boolean): void {
  const own = counts.get(key) ?? { all: 0, inPeriod: 0 }
  counts.set(key, own)
  own.all += 1
  if (inPeriod) own.inPeriod += 1
}
