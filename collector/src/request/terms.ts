/** A contract's terms in force, as far as an agent needs them. */
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract, Party, Version } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Terms } from '@bevis/shared/work'
import type { Kysely } from 'kysely'
import { listContractTexts } from '../store/read/contracts.ts'
import { assertWhole } from '../store/read/whole-text.ts'
import type { Schema } from '../store/schema.ts'

/** The newest text of a contract. @throws BevisError NOT_FOUND, LOG_INCONSISTENT, CONTRACT_INVALID */
export async function readContract(
  db: Kysely<Schema>,
  id: string,
): Promise<{ text: Contract; sha256: string }> {
  const [stored] = await listContractTexts(db, { all: true }, id)
  if (stored === undefined) throw new BevisError('NOT_FOUND', `there is no contract ${id}`)
  assertWhole(stored)
  const { contract } = parseContract(stored.yaml)
  if (contract === undefined)
    throw new BevisError('CONTRACT_INVALID', `the text of ${id} can no longer be read`)
  return { text: contract, sha256: stored.sha256 }
}

/** What is promised now; nothing while no accepted version is in force. */
export async function termsOf(db: Kysely<Schema>, contract: string, now: Date): Promise<Terms[]> {
  const { text, sha256 } = await readContract(db, contract)
  const { timezone, holidays } = text
  const today = Temporal.Instant.from(now.toISOString()).toZonedDateTimeISO(timezone).toPlainDate().toString()
  const accepted = await acceptedInLog(db, contract)
  const inForce = text.versions
    .filter((version) => isAccepted(version, accepted) && version.effectiveFrom <= today)
    .toSorted((one, other) => (one.effectiveFrom < other.effectiveFrom ? 1 : -1))[0]
  return (inForce?.sets ?? []).map((set) => ({
    contract,
    sha256,
    version: inForce?.no ?? 1,
    timezone,
    holidays,
    set,
  }))
}

/** `<version> <party>` of what a party has accepted by a statement. */
async function acceptedInLog(db: Kysely<Schema>, contract: string): Promise<Set<string>> {
  const rows = await db
    .selectFrom('statement')
    .select('payload')
    .where('contract_id', '=', contract)
    .where('name', '=', 'contract-event')
    .where('outcome', '=', 'version-accepted')
    .where('counted', '=', 1)
    .execute()
  return new Set(
    rows.flatMap(({ payload }) => {
      const statement = parseStatement(payload)
      if (!isEvidence(statement, 'contract-event')) return []
      const { version, by } = statement.predicate
      return [`${version} ${by.party}`]
    }),
  )
}

function isAccepted({ no, acceptances = [] }: Version, inLog: ReadonlySet<string>): boolean {
  const parties: Party[] = ['customer', 'provider']
  return parties.every(
    (party) => acceptances.some((one) => one.party === party) || inLog.has(`${no} ${party}`),
  )
}
