import { BevisError } from '@bevis/shared/error'
import { assertSignature } from '@bevis/shared/evidence/envelope'
import type { OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import type { Chain } from '@bevis/shared/evidence/predicates'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { KeyRow, Keyring } from './keyring.ts'

/** A statement whose signatures hold and whose signer may speak so. */
export interface Verified {
  readonly opened: OpenedEnvelope
  readonly statement: Statement
  /** Who signed, in the envelope's order. */
  readonly signatures: readonly { readonly keyid: string; readonly spki: Uint8Array }[]
  /** For a contract event: whose contract it is about; else empty. */
  readonly eventTenant: string
}

/**
 * Checks one opened envelope of an agent, in the order that the evidence specification fixes: the key that
 * the hint names, the signature, the agent's state, the statement, and that it speaks for its own agent.
 * @throws BevisError AGENT_UNKNOWN, SIGNATURE_INVALID, AGENT_REVOKED, STATEMENT_INVALID
 */
export function verifyEvidence(opened: OpenedEnvelope, keyring: Keyring): Verified {
  const [signature, ...others] = opened.signatures
  const key = signature === undefined ? undefined : keyring.key(signature.keyid)
  if (key === undefined) {
    throw new BevisError('AGENT_UNKNOWN', `no agent here has the key ${signature?.keyid ?? ''}: enrol it`)
  }
  if (others.length > 0) {
    throw new BevisError('SIGNATURE_INVALID', 'evidence carries the one signature of its agent')
  }
  assertSignature(opened, 0, key.spki)
  assertActive(key, keyring)
  const statement = parseStatement(opened.payload)
  assertSpeaksForItself(statement, key, keyring)
  return { opened, statement, signatures: [{ keyid: key.keyid, spki: key.spki }], eventTenant: '' }
}

export function assertActive(key: KeyRow, keyring: Keyring): void {
  const agent = keyring.agentOf(key)
  if (key.revoked_leaf !== null) {
    throw new BevisError('AGENT_REVOKED', `the key of ${key.agent} was revoked at leaf ${key.revoked_leaf}`)
  }
  if (agent === undefined || agent.state !== 'active') {
    throw new BevisError('AGENT_REVOKED', `the agent ${key.agent} is ${agent?.state ?? 'gone'}`)
  }
}

function assertSpeaksForItself(statement: Statement, key: KeyRow, keyring: Keyring): void {
  if (isEvidence(statement, 'contract-event')) {
    throw new BevisError(
      'STATEMENT_INVALID',
      'a contract event is signed by the collector’s office, not by an agent',
    )
  }
  const { chain } = statement.predicate
  if (chain.tenant !== key.tenant || chain.agent !== key.agent) {
    throw new BevisError(
      'STATEMENT_INVALID',
      `it speaks for ${chain.tenant}/${chain.agent}, and its key is of ${key.tenant}/${key.agent}`,
    )
  }
  if (isEvidence(statement, 'agent-lifecycle')) {
    const { event } = statement.predicate
    if (event === 'enrolled') throw new BevisError('STATEMENT_INVALID', 'an enrolment goes to /v1/enrol')
    if (event === 'rotated')
      throw new BevisError('STATEMENT_INVALID', 'a rotation is signed by the new key and by the old one')
    // In a pack it would bring a new key, which one signature cannot: every pack with it would be refused.
    if (event === 'reinstalled')
      throw new BevisError('STATEMENT_INVALID', 'a host that is installed anew is enrolled anew')
  }
  assertEpoch(statement, chain, key, keyring)
}

/** An agent stays in the epochs of its key; a lifecycle statement numbered 1 opens the next one. */
function assertEpoch(statement: Statement, chain: Chain, key: KeyRow, keyring: Keyring): void {
  const current = keyring.agentOf(key)?.epoch ?? key.epoch
  const { from, before } = keyring.epochsOf(key)
  const inside = chain.epoch >= from && chain.epoch < before
  if (inside && chain.epoch <= current) return
  const opens = chain.seq === 1 && isEvidence(statement, 'agent-lifecycle')
  if (inside && opens && chain.epoch === current + 1) return keyring.openEpoch(key, chain.epoch)
  throw new BevisError(
    'STATEMENT_INVALID',
    `epoch ${chain.epoch} is not open to its key: ${key.agent} is in epoch ${current}, and the key began in ${from}`,
  )
}
