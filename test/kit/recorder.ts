import { encodeStatement } from '@bevis/shared/evidence/statement'
import { completeDraft } from '../../agent/src/evidence/record.ts'
import type { AgentEvidence, Draft, Recorder } from '../../agent/src/evidence/record.ts'

/** A recorder that keeps what it is given, and takes only what makes a valid statement. */
export function listRecorder(): { recorder: Recorder; drafts: Draft[] } {
  const drafts: Draft[] = []
  const chain = { tenant: 't', agent: 'a', epoch: 1, prev: '0'.repeat(64), log: null }
  const recorder: Recorder = {
    record: <N extends AgentEvidence>(draft: Draft<N>) => {
      const seq = drafts.length + 1
      encodeStatement(completeDraft(draft, { ...chain, seq })) // throws on what is no statement
      drafts.push(draft as unknown as Draft)
      return Promise.resolve({ paeDigest: '', epoch: 1, seq })
    },
  }
  return { recorder, drafts }
}
