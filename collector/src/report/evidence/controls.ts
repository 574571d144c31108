import { isAccepted } from '@bevis/shared/contract/acceptance'
import type { Answer } from '@bevis/shared/contract/answer'
import type { Contract } from '@bevis/shared/contract/schema'
import { EVIDENCE_IDS } from '@bevis/shared/evidence/clause'
import type { EvidenceId } from '@bevis/shared/evidence/clause'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import type { Gist } from '../gist.ts'
import { exceptionsOf } from './exceptions.ts'

/** How much of each kind a pack holds for its period. */
export function countEvidence(
  contract: Contract,
  answer: Answer,
  { objects }: Pick<Gist, 'objects'>,
  /** All that were ever logged: an acceptance lasts. */
  events: readonly ContractEvent[],
  period: { readonly from: string; readonly to: string },
): Record<EvidenceId, number> {
  const counts = Object.fromEntries(EVIDENCE_IDS.map((id) => [id, objects.get(id) ?? 0])) as Record<
    EvidenceId,
    number
  >
  const judged = answer.sets
    .flatMap(({ obligations }) => obligations)
    .filter(({ from, to }) => from < period.to && to > period.from)
  return {
    ...counts,
    E1: contract.versions.filter((version) => isAccepted(version, events)).length,
    E7: judged.length,
    E8: exceptionsOf(answer, period).length + counts.E8,
  }
}
