import { BevisError } from '@bevis/shared/error'
import { assertRequestSignature, keyidOfRequest } from '@bevis/shared/http-signature'
import { loadKeyring } from '../intake/keyring.ts'
import type { KeyRow, Keyring } from '../intake/keyring.ts'
import type { AgentRow } from '../store/read/agents.ts'
import type { Store } from '../store/store.ts'

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, unknown>
}

interface Place {
  readonly store: Store
  /** The log's name, which the signature names too. */
  readonly origin: string
  readonly now: Date
}

/**
 * Which of the agent's keys has signed the request (RFC 9421), a former one perhaps.
 * @throws BevisError SIGNATURE_INVALID, AGENT_UNKNOWN, AGENT_REVOKED
 */
export async function keyOfAgent(
  { store, origin, now }: Place,
  id: string,
  { method, path, headers }: Asked,
): Promise<{ key: KeyRow; keyring: Keyring }> {
  const input = headers['signature-input']
  const signature = headers['signature']
  const given = {
    ...(typeof input === 'string' && { 'signature-input': input }),
    ...(typeof signature === 'string' && { signature }),
  }
  const keyid = keyidOfRequest(given)
  if (keyid === null)
    throw new BevisError('SIGNATURE_INVALID', 'the request is not signed with the agent’s key')
  const keyring = await loadKeyring(store.db, [keyid])
  const key = keyring.key(keyid)
  if (key === undefined) throw new BevisError('AGENT_UNKNOWN', `no agent here has the key ${keyid}`)
  assertRequestSignature({ method, path, origin }, given, key.spki, now)
  if (key.agent !== id)
    throw new BevisError('SIGNATURE_INVALID', `the request is signed by ${key.agent}, not by ${id}`)
  if (key.revoked_leaf !== null)
    throw new BevisError('AGENT_REVOKED', `this key no longer speaks for ${key.agent}`)
  return { key, keyring }
}

/**
 * Whoever asks is the agent, by the signature of its present key over the request.
 * @throws BevisError as {@link keyOfAgent}
 */
export async function authenticateAgent(place: Place, id: string, asked: Asked): Promise<AgentRow> {
  const { key, keyring } = await keyOfAgent(place, id, asked)
  const agent = keyring.agentOf(key)
  if (agent === undefined) throw new BevisError('AGENT_UNKNOWN', `there is no agent ${id}`)
  if (agent.state !== 'active' || agent.epoch >= keyring.epochsOf(key).before)
    throw new BevisError('AGENT_REVOKED', `this key no longer speaks for ${key.agent}`)
  return agent
}
