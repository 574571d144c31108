import { decodeBase64 } from '@bevis/shared/base64'
import { assertKeyAcceptable, keyidOf } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { assertSignature } from '@bevis/shared/evidence/envelope'
import type { OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import { rotatedKeyOf } from '@bevis/shared/evidence/rotation'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Kysely } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Keyring } from './keyring.ts'
import { assertActive } from './verify.ts'
import type { Verified } from './verify.ts'

const refused = (why: string) => new BevisError('STATEMENT_INVALID', why)

/**
 * Checks a `rotated` statement: the old key authorises, the new one proves that it is there, and the statement is the
 * first of the agent's next epoch. What another request may change meanwhile is {@link assertRotatable}.
 * @throws BevisError AGENT_UNKNOWN, SIGNATURE_INVALID, AGENT_REVOKED, STATEMENT_INVALID, KEY_INVALID
 */
export function verifyRotation(opened: OpenedEnvelope, keyring: Keyring): Verified {
  const [fresh, authority, ...more] = opened.signatures
  const old = authority === undefined ? undefined : keyring.key(authority.keyid)
  if (old === undefined)
    throw new BevisError('AGENT_UNKNOWN', `no agent here has the key ${authority?.keyid ?? ''}`)
  if (fresh === undefined || more.length > 0)
    throw new BevisError('SIGNATURE_INVALID', 'a rotation is signed by the new key, then by the old one')
  assertSignature(opened, 1, old.spki)
  assertActive(old, keyring)
  const statement = parseStatement(opened.payload)
  if (!isEvidence(statement, 'agent-lifecycle') || statement.predicate.event !== 'rotated')
    throw refused('only a rotation is signed by two of an agent’s keys')
  const { chain, key } = statement.predicate
  const spki = decodeBase64(rotatedKeyOf(statement.predicate))
  assertKeyAcceptable(spki)
  if (key !== fresh.keyid || keyidOf(spki) !== key)
    throw refused('the statement names another key than the one that signed it')
  assertSignature(opened, 0, spki)
  if (chain.tenant !== old.tenant || chain.agent !== old.agent)
    throw refused(
      `it speaks for ${chain.tenant}/${chain.agent}, and its key is of ${old.tenant}/${old.agent}`,
    )
  const current = keyring.agentOf(old)?.epoch ?? old.epoch
  const { before } = keyring.epochsOf(old)
  if (chain.seq !== 1 || chain.epoch !== current + 1 || before !== Number.POSITIVE_INFINITY)
    throw refused(`a rotation is statement 1 of epoch ${current + 1} here, by the newest key`)
  keyring.openEpoch(old, chain.epoch)
  const signatures = [
    { keyid: key, spki },
    { keyid: old.keyid, spki: old.spki },
  ]
  return { opened, statement, signatures, eventTenant: '' }
}

/** In the transaction that logs it: the new key is new. @throws BevisError STATEMENT_INVALID */
export async function assertRotatable(tx: Kysely<Schema>, { signatures }: Verified): Promise<void> {
  const used = await tx
    .selectFrom('agent_key')
    .select('keyid')
    .where('keyid', '=', signatures[0]?.keyid ?? '')
    .executeTakeFirst()
  if (used !== undefined) throw refused('this key is known already: a rotation brings a new one')
}
