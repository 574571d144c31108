import { arch, hostname, release, type } from 'node:os'
import type { Signer } from '@bevis/shared/crypto'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { Chain, EvidenceName, PredicateOf } from '@bevis/shared/evidence/predicates'
import { STATEMENT_TYPE } from '@bevis/shared/evidence/statement'
import type { Statement, Subject } from '@bevis/shared/evidence/statement'
import type { State } from '../state.ts'
import { withoutControls } from '../plain-text.ts'
import { VERSION } from '../version.ts'
import { appendStatement } from './chain.ts'
import { keyFile, requireIdentity } from './identity.ts'
import { readKey } from './key.ts'
import { signPrepared } from './sign.ts'

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

/** A recorder on this state folder. @throws BevisError NOT_ENROLLED, SECRET_UNREADABLE */
export function openRecorder(state: State, now: () => Date): Recorder {
  const identity = requireIdentity(state)
  const signers = new Map<number, Signer>()
  const signerOf = (epoch: number): Signer => {
    const signer = signers.get(epoch) ?? readKey(keyFile(state, epoch))
    signers.set(epoch, signer)
    return signer
  }
  signPrepared(state, identity.epoch, signerOf) // what a crash left between its number and its signature
  return {
    record: (draft) =>
      // A promise, so that a story awaits what is durable, and a refused draft rejects.
      Promise.try(() => {
        // Read anew each time, in the transaction that numbers: another process may have rotated the key.
        const recorded = state.write(() =>
          appendStatement(state, requireIdentity(state), (chain) => completeDraft(draft, chain), now()),
        )
        signPrepared(state, recorded.epoch, signerOf)
        return recorded
      }),
  }
}

/** The statement of a draft: what every statement says comes first. The schema is checked when it is encoded. */
export function completeDraft<N extends AgentEvidence>(draft: Draft<N>, chain: Chain): Statement {
  const { tools, ...predicate } = withoutControls(draft.predicate)
  return {
    _type: STATEMENT_TYPE,
    subject: [draft.subject],
    predicateType: predicateTypeOf(draft.name),
    predicate: {
      chain,
      host: hostname(),
      tools: { agent: `bevis-agent ${VERSION}`, ...tools, os: `${type()} ${release()} ${arch()}` },
      ...predicate,
    },
  } as unknown as Statement
}
