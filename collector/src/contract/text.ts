/** Stored texts are believed only while they are what was applied: their digest is recomputed at every use. */
import { parseContract } from '@bevis/shared/contract/parse'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import { tenantOfCustomer } from './tenant.ts'

interface StoredText {
  readonly contract_id: string
  readonly revision: number
  readonly sha256: string
  readonly yaml: string
}

/** What is wrong with a stored text, for people; null when it is the one that was applied. */
export function damageOf({ contract_id, revision, sha256, yaml }: StoredText): string | null {
  if (sha256Hex(yaml) === sha256) return null
  return (
    `revision ${revision} of ${contract_id} was changed in the database after it was applied: ` +
    'its SHA-256 is not the stored one. Nothing is judged by it; restore the database from a backup'
  )
}

/** @throws BevisError LOG_INCONSISTENT when the text is not the one that was applied */
export function assertWhole(text: StoredText): void {
  const damage = damageOf(text)
  if (damage !== null) throw new BevisError('LOG_INCONSISTENT', damage)
}

/** Everything that is wrong with the contracts and their texts, and where. */
export async function checkContracts(db: Kysely<Schema>): Promise<{ place: string; problem: string }[]> {
  const findings: { place: string; problem: string }[] = []
  const contracts = await db.selectFrom('contract').select(['id', 'tenant']).orderBy('id').execute()
  for (const { id, tenant } of contracts) {
    const texts = await db
      .selectFrom('contract_text')
      .select(['contract_id', 'revision', 'sha256', 'yaml'])
      .where('contract_id', '=', id)
      .orderBy('revision')
      .execute()
    if (texts.length === 0) findings.push({ place: `contract ${id}`, problem: 'has no text' })
    for (const [n, text] of texts.entries()) {
      const place = `contract ${id}, revision ${text.revision}`
      if (text.revision !== n + 1) findings.push({ place, problem: `revision ${n + 1} was due` })
      const problem =
        damageOf(text) === null ? mismatchOf(text, tenant) : 'its text is not that of its SHA-256'
      if (problem !== null) findings.push({ place, problem })
    }
  }
  return findings
}

function mismatchOf({ contract_id, yaml }: StoredText, tenant: string): string | null {
  const { contract } = parseContract(yaml)
  if (contract === undefined) return 'can no longer be read'
  if (contract.id !== contract_id) return `is the text of ${contract.id}`
  if (tenantOfCustomer(contract.customer) !== tenant) return `names another customer than ${tenant}`
  return null
}
