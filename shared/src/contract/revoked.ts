import { isEvidence } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'

/** Agents' epochs whose key has been revoked, as statements tell it in the order of the log: it reaches forward only. */
export class Revoked {
  readonly #epochs = new Set<string>()

  read(statement: Statement): void {
    if (!isEvidence(statement, 'contract-event') || statement.predicate.event !== 'key-revoked') return
    const { agent, epoch } = statement.predicate.detail
    this.#epochs.add(nameOf(String(agent), typeof epoch === 'number' ? epoch : 'all'))
  }

  /** True for what such a key signed after it was revoked. */
  has({ predicate }: Statement): boolean {
    if (!('chain' in predicate)) return false
    const { agent, epoch } = predicate.chain
    return this.#epochs.has(nameOf(agent, epoch)) || this.#epochs.has(nameOf(agent, 'all'))
  }
}

function nameOf(agent: string, epoch: number | 'all'): string {
  return `${agent}/${epoch}`
}
