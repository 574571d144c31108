/** A contract's terms in force, as far as an agent needs them. */
import { isAccepted } from '@bevis/shared/contract/acceptance'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'
import type { Terms } from '@bevis/shared/work'
import type { Kysely } from 'kysely'
import { listContractTexts } from '../store/read/contracts.ts'
import { listEvents } from '../store/read/events.ts'
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
  const { contract } = parseContract(stored.yaml, { draft: true })
  if (contract === undefined)
    throw new BevisError('CONTRACT_INVALID', `the text of ${id} can no longer be read`)
  return { text: contract, sha256: stored.sha256 }
}

/** What is promised now; nothing while no accepted version is in force. */
export async function termsOf(db: Kysely<Schema>, contract: string, now: Date): Promise<Terms[]> {
  const { text, sha256 } = await readContract(db, contract)
  const { timezone, holidays } = text
  const today = Temporal.Instant.from(now.toISOString()).toZonedDateTimeISO(timezone).toPlainDate().toString()
  const events = (await listEvents(db, contract)).map(({ event }) => event)
  const inForce = text.versions
    .filter((version) => isAccepted(version, events) && version.effectiveFrom <= today)
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
