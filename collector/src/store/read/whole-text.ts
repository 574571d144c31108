/** Stored texts are believed only while they are what was applied: their digest is recomputed at every use. */
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'

export interface StoredText {
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
