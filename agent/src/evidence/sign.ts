import type { Signer } from '@bevis/shared/crypto'
import { encodeEnvelope, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { State } from '../state.ts'

/**
 * Signs what is prepared in the epochs up to `epoch`. Any process may do it, twice even:
 * the same bytes give the same envelope. An enrolment that is not confirmed has a higher epoch and is left alone.
 * @returns how many were signed
 */
export function signPrepared(state: State, epoch: number, signerOf: (epoch: number) => Signer): number {
  const rows = state
    .sql<[number], { epoch: number; seq: number; payload: Uint8Array }>(
      `select epoch, seq, payload from statement where state = 'prepared' and epoch <= ? order by epoch, seq`,
    )
    .all(epoch)
  if (rows.length === 0) return 0
  const envelopes = rows.map((row) => ({
    ...row,
    envelope: encodeEnvelope(signEnvelope(row.payload, [signerOf(row.epoch)])),
  }))
  const store = state.sql<[string, number, number], never>(
    `update statement set envelope = ?, state = 'signed' where epoch = ? and seq = ? and state = 'prepared'`,
  )
  state.write(() => envelopes.forEach((row) => store.run(row.envelope, row.epoch, row.seq)))
  return rows.length
}
