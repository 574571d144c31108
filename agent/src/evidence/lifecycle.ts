import type { PredicateOf } from '@bevis/shared/evidence/predicates'
import { toInstant } from '@bevis/shared/format'
import type { Identity } from './identity.ts'
import type { Draft } from './record.ts'

type Lifecycle = Draft<'agent-lifecycle'>['predicate']

/** What the agent says about itself. Its subject is the agent, by the digest of its key. */
export function lifecycle(
  identity: Pick<Identity, 'agent' | 'keyid'>,
  event: PredicateOf<'agent-lifecycle'>['event'],
  now: Date,
  detail: Omit<Lifecycle, 'at' | 'event'> = {},
): Draft<'agent-lifecycle'> {
  return {
    name: 'agent-lifecycle',
    subject: { name: `agents/${identity.agent}`, digest: { sha256: identity.keyid } },
    predicate: { at: toInstant(now), event, ...detail },
  }
}
