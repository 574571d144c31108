/** What the collector asks for, held against our own configuration: what is refused is stated, the rest waits. */
import type { Identity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import type { Recorder } from '../evidence/record.ts'
import { loadAsked } from '../outbox/ask.ts'
import { decideAsked, handledOf, keepHandled, loadHandled } from '../run/asked.ts'
import type { Decided } from '../run/asked.ts'
import type { Opened } from './open.ts'

/** What is to be done of what was asked last. */
export function loadDecided({ state, config, now }: Opened): Decided {
  const asked = loadAsked(state)
  if (asked === null) return { accepted: [], refused: [] }
  return decideAsked(asked.work, config, loadHandled(state), now())
}

/** States what is refused, once for each request. */
export async function stateRefusals(opened: Opened, identity: Identity, recorder: Recorder): Promise<void> {
  const { state, now } = opened
  for (const { request, why } of loadDecided(opened).refused) {
    const detail = { request: request.id, set: request.set, path: request.path.slice(0, 500), message: why }
    await recorder.record(lifecycle(identity, 'alarm', now(), { reason: 'WORK_REFUSED', detail }))
    keepHandled(state, handledOf(request, null, now()), now())
  }
}
