import { decodeBase64 } from '@bevis/shared/base64'
import { assertKeyAcceptable } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { assertSignature } from '@bevis/shared/evidence/envelope'
import type { OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { AgentLifecycle } from '@bevis/shared/evidence/predicates'
import type { Kysely, Selectable } from 'kysely'
import type { InvitationTable, Schema } from '../store/schema.ts'
import type { Verified } from './verify.ts'

type Invitation = Selectable<InvitationTable>

const refused = (why: string, cause?: unknown) => new BevisError('ENROLMENT_REFUSED', why, { cause })

/**
 * Checks an `enrolled` statement: possession of the new key, authority of the token, and that it claims
 * just what it was invited to. What another request may change meanwhile is {@link assertEnrollable}.
 * @throws BevisError KEY_INVALID, SIGNATURE_INVALID, STATEMENT_INVALID, ENROLMENT_REFUSED
 */
export async function verifyEnrolment(
  db: Kysely<Schema>,
  opened: OpenedEnvelope,
  key: string,
): Promise<Verified & { enrolled: AgentLifecycle; token: string }> {
  const [, tokenSignature, ...others] = opened.signatures
  if (tokenSignature === undefined || others.length > 0) {
    throw new BevisError(
      'SIGNATURE_INVALID',
      'an enrolment has two signatures: of the new key, then of the token',
    )
  }
  const spki = decodeBase64(key)
  assertKeyAcceptable(spki)
  const invitation = await findInvitation(db, tokenSignature.keyid)
  assertSignature(opened, 0, spki)
  assertSignature(opened, 1, invitation.spki)
  const statement = parseStatement(opened.payload)
  if (!isEvidence(statement, 'agent-lifecycle') || statement.predicate.event !== 'enrolled') {
    throw new BevisError('STATEMENT_INVALID', 'this is no `enrolled` statement')
  }
  const enrolled = statement.predicate
  const keyid = opened.signatures[0]?.keyid ?? ''
  if (enrolled.key !== keyid) {
    throw new BevisError('STATEMENT_INVALID', 'the statement names another key than the one that signed it')
  }
  assertInvited(enrolled, invitation)
  return {
    opened,
    statement,
    enrolled,
    token: tokenSignature.keyid,
    signatures: [
      { keyid, spki },
      { keyid: invitation.keyid, spki: invitation.spki },
    ],
    eventTenant: '',
  }
}

/**
 * Checks, in the transaction that logs it, that the token is unused and in time, the key new, and the
 * statement the first of the agent's next epoch.
 * @throws BevisError ENROLMENT_REFUSED
 */
export async function assertEnrollable(
  tx: Kysely<Schema>,
  {
    enrolled,
    token,
    signatures,
  }: { enrolled: AgentLifecycle; token: string; signatures: Verified['signatures'] },
  now: Date,
): Promise<void> {
  const invitation = await findInvitation(tx, token)
  if (invitation.used_at !== null)
    throw refused(`the token was used at ${invitation.used_at}: ask for a new one`)
  if (now.getTime() > Date.parse(invitation.expires_at)) {
    throw refused(`the token ended at ${invitation.expires_at}: ask for a new one`)
  }
  const keyid = signatures[0]?.keyid ?? ''
  const usedKey = await tx
    .selectFrom('agent_key')
    .select('keyid')
    .where('keyid', '=', keyid)
    .executeTakeFirst()
  if (usedKey !== undefined) throw refused('this key is enrolled already: a new enrolment needs a new key')
  const { tenant, agent, epoch, seq, prev } = enrolled.chain
  const current = await tx
    .selectFrom('agent')
    .select(['tenant', 'epoch'])
    .where('id', '=', agent)
    .executeTakeFirst()
  if (current !== undefined && current.tenant !== tenant)
    throw refused(`another customer has an agent ${agent}`)
  const due = (current?.epoch ?? 0) + 1
  if (epoch !== due || seq !== 1) {
    throw refused(`an enrolment is statement 1 of epoch ${due} here, and this is ${seq} of epoch ${epoch}`)
  }
  if (epoch === 1 && prev !== ZERO_DIGEST)
    throw refused('the first statement of all has no statement before it')
}

async function findInvitation(db: Kysely<Schema>, keyid: string): Promise<Invitation> {
  const row = await db.selectFrom('invitation').selectAll().where('keyid', '=', keyid).executeTakeFirst()
  if (row === undefined) throw refused('nobody was invited with this token')
  return row
}

function assertInvited({ chain, host }: AgentLifecycle, invitation: Invitation): void {
  if (chain.tenant !== invitation.tenant || chain.agent !== invitation.agent) {
    throw refused(`the token is for ${invitation.agent}, and the statement enrols ${chain.agent}`)
  }
  if (host.toLowerCase() !== invitation.host.toLowerCase()) {
    throw refused(`the token is for the host ${invitation.host}, and this is ${host}`)
  }
}
