import { join } from 'node:path'
import { requireIdentity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { rotateKey } from '../evidence/rotate.ts'
import { lock } from '../lock.ts'
import { writeDurably } from '../outbox/alarm.ts'
import { earlierKeys, formatTrust } from './enroll.ts'
import { recorderOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/** Makes a new key for this agent; the old one says so, and signs nothing after it. */
export async function keyRotateCommand(
  { state, now }: Opened,
  { reason }: { reason?: string },
): Promise<Outcome> {
  const held = await lock(join(state.folder, 'enrolment.lock'), 'a key rotation', { waitMs: 0, now })
  try {
    const before = requireIdentity(state)
    const identity = rotateKey(state, now(), reason)
    const trust = join(state.folder, 'trust.yaml')
    writeDurably(trust, formatTrust(identity, [...new Set([...earlierKeys(trust, identity), before.keyid])]))
    return {
      exit: 0,
      json: { ...identity, trust },
      lines: [
        `${identity.agent} signs with a new key now, in epoch ${identity.epoch}:`,
        `  ${identity.keyid}`,
        `Hand ${trust} anew to whoever audits this host: it names the new key beside the old.`,
        'The log hears of it with the next delivery; both keys signed that.',
      ],
    }
  } finally {
    held.release()
  }
}

/** States that this agent has ended its service: the log takes nothing more of it. */
export async function retireCommand(opened: Opened, { reason }: { reason: string }): Promise<Outcome> {
  const identity = requireIdentity(opened.state)
  const said = lifecycle(identity, 'retired', opened.now(), { reason })
  const { paeDigest } = await recorderOf(opened).record(said)
  return {
    exit: 0,
    json: { agent: identity.agent, statement: paeDigest },
    lines: [
      `${identity.agent} states that it retires. Deliver it: bevis-agent evidence send`,
      'From then on the collector takes nothing more of it; a new invitation would enrol this host anew.',
    ],
  }
}
