import { isDeepStrictEqual } from 'node:util'
import { BevisError } from '@bevis/shared/error'
import { listContractTexts } from '../store/read/contracts.ts'
import type { Store } from '../store/store.ts'
import { openCompliance } from './open.ts'
import type { Kept } from './transitions.ts'
import { keptOf } from './transitions.ts'

/** A stored verdict beside what a clean evaluation of the same instant gives. */
export interface VerifiedVerdict {
  readonly contract: string
  readonly at: string
  /** `outdated`: the contract's text is newer than the verdict, so there is nothing to compare it with. */
  readonly outcome: 'same' | 'different' | 'outdated' | 'failed'
  readonly detail: string | null
}

/**
 * Judges every contract anew from its first statement, as of when its stored verdict was made and by what had been
 * received by then. Verdicts are made step by step as statements come; this is how one can see that it comes to the
 * same.
 */
export async function verifyVerdicts(store: Store, now: Date): Promise<VerifiedVerdict[]> {
  const compliance = openCompliance({ store, now: () => now })
  const rows = await store.db.selectFrom('verdict').selectAll().orderBy('contract_id').execute()
  const verified: VerifiedVerdict[] = []
  for (const { contract_id: contract, at, answer } of rows) {
    const [text] = await listContractTexts(store.db, { all: true }, contract)
    const told = { contract, at }
    if (text === undefined || text.applied_at > at) {
      verified.push({ ...told, outcome: 'outdated', detail: null })
      continue
    }
    try {
      const clean = await compliance.answer(contract, { at, knownAt: at })
      const difference = differenceOf(JSON.parse(answer) as Kept, keptOf(clean))
      verified.push({ ...told, outcome: difference === null ? 'same' : 'different', detail: difference })
    } catch (error) {
      if (!(error instanceof BevisError)) throw error
      verified.push({ ...told, outcome: 'failed', detail: error.message })
    }
  }
  return verified
}

/** The first part that differs, by name; null if none does. */
function differenceOf(stored: Kept, clean: Kept): string | null {
  const fresh = JSON.parse(JSON.stringify(clean)) as Kept
  for (const part of ['version', 'headline', 'sets', 'findings'] as const) {
    if (!isDeepStrictEqual(stored[part], fresh[part])) return part
  }
  return null
}
