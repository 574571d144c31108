/** A contract as papers are made of it: its newest text, and the facts that it is judged by. */
import type { FactIndex } from '@bevis/shared/contract/facts'
import { happenedAt, knownOf } from '@bevis/shared/contract/known'
import type { Fact } from '@bevis/shared/contract/known'
import { ledgerOf } from '@bevis/shared/contract/ledger'
import type { Ledger } from '@bevis/shared/contract/ledger'
import { monthNameOf, monthOf } from '@bevis/shared/contract/month'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'
import { parseStatement } from '@bevis/shared/evidence/statement'
import { findContract, listContractTexts } from '../store/read/contracts.ts'
import { listFacts } from '../store/read/statements.ts'
import { assertWhole } from '../store/read/whole-text.ts'
import type { Scope, Store } from '../store/store.ts'

export interface Matter {
  readonly contract: Contract
  readonly tenant: string
  /** The newest text. */
  readonly revision: number
  readonly sha256: string
  readonly texts: readonly {
    readonly revision: number
    readonly applied_at: string
    readonly applied_by: string
  }[]
  /** In log order. */
  readonly facts: readonly Fact[]
  /** The same folded, where they are already. */
  readonly index?: FactIndex
}

/** Where papers are made from. */
export interface Archive {
  readonly store: Store
  readonly scope: Scope
  /** A contract's facts, where somebody keeps them; else they are read anew. */
  readonly factsOf?: ((contract: string) => Promise<Pick<Matter, 'facts' | 'index'>>) | undefined
}

/**
 * @throws BevisError NOT_FOUND where there is no such contract that the reader may see; CONTRACT_INVALID;
 * LOG_INCONSISTENT for a text that was changed
 */
export async function readMatter({ store, scope, factsOf }: Archive, id: string): Promise<Matter> {
  const row = await findContract(store.db, scope, id)
  const texts = await listContractTexts(store.db, scope, id)
  const [newest] = texts
  if (row === undefined || newest === undefined) {
    throw new BevisError('NOT_FOUND', `there is no contract ${id} that this account may see`)
  }
  assertWhole(newest)
  const { contract } = parseContract(newest.yaml, { draft: true })
  if (contract === undefined) {
    throw new BevisError('CONTRACT_INVALID', `the text of ${id} can no longer be read: apply it anew`)
  }
  const read = factsOf ?? (async (contract) => ({ facts: await readFacts(store, contract) }))
  const { revision, sha256 } = newest
  return { contract, tenant: row.tenant, revision, sha256, texts, ...(await read(id)) }
}

/**
 * Until when evidence is known: now; where the log is dated ahead of the clock, until its newest date, for what has
 * been received is not to be told as missing.
 */
export function knownUntil({ facts }: Pick<Matter, 'facts'>, now: Date): Date {
  const newest = facts.at(-1)?.receivedAt
  return newest !== undefined && Date.parse(newest) > now.getTime() ? new Date(newest) : now
}

async function readFacts(store: Store, contract: string): Promise<Fact[]> {
  return (await listFacts(store.db, contract)).map(({ received_at, pae_digest, payload }) => ({
    receivedAt: received_at,
    paeDigest: pae_digest,
    statement: parseStatement(payload),
  }))
}

/** So far back, in years, months of which nothing is known are listed. */
const YEARS_BACK = 25

/**
 * The ledger of some months, both included: this month, if none is named. It ends with this month, and begins with the
 * contract, or with what was done before it, however much is asked for; the answer names its months.
 * @throws BevisError as {@link readMatter}; USAGE for months that are none, not begun, or not in their order
 */
export async function readLedger(
  archive: Archive,
  id: string,
  months: { readonly from?: string | undefined; readonly to?: string | undefined },
  now: Date,
): Promise<Ledger> {
  const { contract, facts } = await readMatter(archive, id)
  const newest = monthNameOf(now.getTime(), contract.timezone)
  const { to = newest, from = to } = months
  for (const month of [from, to]) monthOf(month, contract.timezone)
  if (from > to) throw new BevisError('USAGE', `${from} is after ${to}`)
  if (from > newest) throw new BevisError('USAGE', `${from} has not begun`)
  const last = to > newest ? newest : to
  const first = firstMonth(contract, facts, last)
  return ledgerOf({ contract, facts, from: from < first ? first : from, to: last })
}

/** Before it there is nothing to tell; at the latest `last`. */
function firstMonth(contract: Contract, facts: readonly Fact[], last: string): string {
  const begun = contract.versions.map(({ effectiveFrom }) => effectiveFrom.slice(0, 7))
  const done = facts
    .filter(({ statement }) => 'repository' in statement.predicate) // a service of any kind
    .reduce((first, fact) => Math.min(first, happenedAt(knownOf(fact, {}, 0))), Infinity)
  if (done < Infinity) begun.push(monthNameOf(done, contract.timezone))
  const earliest = begun.reduce((one, other) => (one < other ? one : other), last)
  const limit = Temporal.PlainYearMonth.from(last).subtract({ years: YEARS_BACK }).toString()
  return earliest < limit ? limit : earliest
}
