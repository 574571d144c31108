import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError } from '@bevis/shared/error'
import { encodeEnvelope, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { State } from '../state.ts'
import { appendStatement } from './chain.ts'
import { confirmIdentity, keyFile, loadPending, requireIdentity } from './identity.ts'
import type { Identity } from './identity.ts'
import { makeKey, readKey } from './key.ts'
import { lifecycle } from './lifecycle.ts'
import { completeDraft } from './record.ts'
import { signPrepared } from './sign.ts'

/**
 * Gives this agent a new key: from this transaction on everything is stated in the next epoch. The statement that
 * says so is signed by both keys and waits in the outbox like any other, behind all that the old key signed.
 * @throws BevisError NOT_ENROLLED, USAGE while an enrolment is unfinished, SECRET_UNREADABLE
 */
export function rotateKey(state: State, now: Date, reason?: string): Identity {
  if (loadPending(state) !== null) throw new BevisError('USAGE', 'an enrolment is unfinished: end it first')
  const { epoch: last } = requireIdentity(state)
  const fresh = makeKey(keyFile(state, last + 1)) // durable before anything is signed with it
  return state.write(() => {
    const identity = requireIdentity(state)
    if (identity.epoch !== last) throw new BevisError('USAGE', 'another process has just rotated the key')
    const old = readKey(keyFile(state, last))
    signPrepared(state, last, (epoch) => (epoch === last ? old : readKey(keyFile(state, epoch))))
    const tokenEpoch = identity.tokenEpoch ?? last
    const next: Identity = { ...identity, epoch: last + 1, keyid: fresh.keyid, tokenEpoch }
    const detail = { spki: encodeBase64(fresh.spki) }
    const said = lifecycle(next, 'rotated', now, {
      key: fresh.keyid,
      detail,
      ...(reason !== undefined && { reason }),
    })
    const { epoch, seq } = appendStatement(state, next, (chain) => completeDraft(said, chain), now)
    const row = state
      .sql<[number, number], { payload: Uint8Array }>(
        'select payload from statement where epoch = ? and seq = ?',
      )
      .get(epoch, seq)
    if (row === undefined || seq !== 1)
      throw new BevisError('STATE_DAMAGED', 'the new epoch has statements already')
    state
      .sql<[string, number, number], never>(
        `update statement set envelope = ?, state = 'signed' where epoch = ? and seq = ?`,
      )
      .run(encodeEnvelope(signEnvelope(row.payload, [fresh, old])), epoch, seq)
    confirmIdentity(state, next)
    return next
  })
}
