import type { EvidenceName, PredicateOf } from '@bevis/shared/evidence/predicates'
import type { Subject } from '@bevis/shared/evidence/statement'

/** What every statement of an agent says beside its own matter; the recorder adds it. */
type Common = 'chain' | 'host' | 'tools'

/** The kinds of evidence that stand in an agent's chain. */
export type AgentEvidence = Exclude<EvidenceName, 'contract-event'>

/** What a story has observed, before it becomes a numbered, signed statement. */
export interface Draft<N extends AgentEvidence = AgentEvidence> {
  readonly name: N
  readonly subject: Subject
  readonly predicate: Omit<PredicateOf<N>, Common> & { readonly tools?: { readonly restic?: string } }
}

/** A statement's place in the agent's chain. */
export interface Recorded {
  /** SHA-256 of the PAE, hex: the statement's name everywhere. */
  readonly paeDigest: string
  readonly epoch: number
  readonly seq: number
}

export interface Recorder {
  /**
   * Numbers, signs and queues a statement. When it resolves, the statement survives the loss of power.
   * @throws BevisError STATEMENT_INVALID when the draft does not fit its schema, NOT_ENROLLED
   */
  record<N extends AgentEvidence>(draft: Draft<N>): Promise<Recorded>
}
