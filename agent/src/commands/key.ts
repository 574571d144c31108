import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import { openRootWord } from '@bevis/shared/evidence/root-word'
import { formatVkey } from '@bevis/shared/log/checkpoint'
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

/**
 * Hands on that the customer's root key has signed this agent's key: the log has it from then on.
 * @throws BevisError USAGE when the note is no such word, or is about another key
 */
export async function keyEndorseCommand(opened: Opened, file: string): Promise<Outcome> {
  const identity = requireIdentity(opened.state)
  const note = readNote(file)
  const { word, root } = openRootWord(note)
  const { tenant, agent, keyid } = identity
  const isOwn = word.tenant === tenant && word.agent === agent && word.keyid === keyid
  if (word.kind !== 'signed' || !isOwn) {
    const about = `${file} says that the key ${word.keyid} of ${word.tenant}/${word.agent} is ${word.kind}`
    throw new BevisError('USAGE', `${about}, and this is ${tenant}/${agent} with the key ${keyid}`)
  }
  const said = lifecycle(identity, 'heartbeat', opened.now(), { key: keyid, detail: { root: note } })
  const { paeDigest } = await recorderOf(opened).record(said)
  const vkey = formatVkey(root.name, root.spki)
  return {
    exit: 0,
    json: { agent, keyid, root: vkey, statement: paeDigest },
    lines: [
      `${agent} hands on that its key ${keyid} is signed by`,
      `  ${vkey}`,
      'Deliver it: bevis-agent evidence send. Compare that key with the root of your own trust file.',
    ],
  }
}

function readNote(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(0, 4_096)
  } catch (cause) {
    throw new BevisError('USAGE', `${file} cannot be read: ${errorMessageOf(cause)}`, { cause })
  }
}

/**
 * States that this agent has ended its service: the log takes nothing more of it, so the service says nothing more.
 * @throws BevisError NOT_ENROLLED, USAGE the second time
 */
export async function retireCommand(opened: Opened, { reason }: { reason: string }): Promise<Outcome> {
  const { state, now } = opened
  const identity = requireIdentity(state)
  const retiredAt = state.get('retired')
  if (retiredAt !== null)
    throw new BevisError('USAGE', `${identity.agent} has retired already, at ${retiredAt}`)
  const at = now()
  const said = lifecycle(identity, 'retired', at, { reason })
  const { paeDigest } = await recorderOf(opened).record(said)
  state.put('retired', at.toISOString())
  return {
    exit: 0,
    json: { agent: identity.agent, statement: paeDigest },
    lines: [
      `${identity.agent} states that it retires. Deliver it: bevis-agent evidence send`,
      'Nothing runs by schedule any more, and the collector takes nothing more of it. To enrol this host anew: a new invitation, and an empty state folder.',
    ],
  }
}
