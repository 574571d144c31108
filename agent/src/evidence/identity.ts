import { join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import { hex64, instant, slug } from '@bevis/shared/format'
import { z } from 'zod'
import type { State } from '../state.ts'

const identitySchema = z.object({
  tenant: slug,
  agent: slug,
  /** Counts this agent's identities; each has a key of its own. */
  epoch: z.int().min(1),
  keyid: hex64,
  /** Where evidence goes; the configuration's address wins over it. */
  collector: z.url(),
  /** The log's verification key, pinned at enrolment: nothing else proves a receipt. */
  vkey: z.string(),
  contracts: z.array(slug),
  /** Identifier of the token that authorised it, so that the same token again is known. */
  token: hex64,
  /** The token's public key, base64, for a log that must be told of the enrolment again. */
  tokenKey: z.string().length(60).optional(),
  /** The epoch that the token opened, where later ones were opened otherwise. */
  tokenEpoch: z.int().min(1).optional(),
  /** The collector's instant; null until the enrolment's receipt has been verified. */
  enrolledAt: instant.nullable(),
})

/** Who this agent is. */
export type Identity = z.output<typeof identitySchema>

/** The enrolled identity, or null. */
export function loadIdentity(state: State): Identity | null {
  return load(state, 'identity')
}

/** @throws BevisError NOT_ENROLLED */
export function requireIdentity(state: State): Identity {
  const identity = loadIdentity(state)
  if (identity !== null) return identity
  throw new BevisError(
    'NOT_ENROLLED',
    'this agent has no identity yet; run bevis-agent enroll with an invitation',
  )
}

/** An enrolment whose receipt has not been verified yet, or null. */
export function loadPending(state: State): Identity | null {
  return load(state, 'enrolment')
}

export function savePending(state: State, identity: Identity): void {
  state.put('enrolment', JSON.stringify(identity))
}

/** Makes the pending identity the agent's own. To be called inside a transaction. */
export function confirmIdentity(state: State, identity: Identity): void {
  state.put('identity', JSON.stringify(identity))
  state.put('enrolment', null)
}

/** The log that this agent goes on with has another key, or another name. To be called inside a transaction. */
export function changeLog(state: State, vkey: string): void {
  state.put('identity', JSON.stringify({ ...requireIdentity(state), vkey }))
}

/** Each epoch has its own key: an old one may still have statements to sign. */
export function keyFile(state: State, epoch: number): string {
  return join(state.folder, `agent-${epoch}.key`)
}

function load(state: State, name: string): Identity | null {
  const text = state.get(name)
  if (text === null) return null
  try {
    return identitySchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new BevisError('STATE_DAMAGED', `the ${name} in ${state.folder} cannot be understood`, { cause })
  }
}
