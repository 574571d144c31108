/**
 * A log may get another key, and one that lost what nobody can bring back may be closed and go on under another name.
 * The agent follows what the key that it knows has signed, and nothing else.
 */
import { encodeBase64 } from '@bevis/shared/base64'
import { BevisError } from '@bevis/shared/error'
import type { VerificationKey } from '@bevis/shared/log/checkpoint'
import { parseProof } from '@bevis/shared/log/proof'
import { followSuccessions } from '@bevis/shared/log/succession'
import type { LogClosure, Succession } from '@bevis/shared/log/succession'
import { z } from 'zod'
import type { State } from '../state.ts'
import { loadHead, saveHead } from './head.ts'
import type { Transport } from './transport.ts'

const notesSchema = z.array(z.string().max(65_536)).max(1_000)

/**
 * What follows the log's key that is known, oldest first.
 * @throws BevisError CHECKPOINT_INVALID when notes do not follow each other, COLLECTOR_UNREACHABLE
 */
export async function askForSuccessions(transport: Transport, vkey: VerificationKey): Promise<Succession[]> {
  const { status, body } = await transport.get('/log/succession')
  const notes = notesSchema.safeParse(body)
  return status === 200 && notes.success ? followSuccessions(vkey, notes.data) : []
}

/**
 * Goes on with the log that follows a closed one: what only the closed one had is to be sent again. To be called
 * inside a transaction.
 * @returns how many statements are to be sent again
 * @throws BevisError LOG_INCONSISTENT when the closure is not of the log that this agent has seen
 */
export function followClosure(state: State, { from, to, kept, last }: LogClosure): number {
  const head = loadHead(state)
  if (head !== null) {
    const root = encodeBase64(head.root)
    const said = [kept, last].find(({ size }) => size === head.size)
    const isOther = said !== undefined && encodeBase64(said.root) !== root
    if (head.size > last.size || isOther) {
      throw new BevisError(
        'LOG_INCONSISTENT',
        `the log ${from.name} was closed at ${last.size} entries, and a head of ${head.size} was verified that it does not know`,
      )
    }
    const { size, root: bytes } = head.size > kept.size ? kept : head
    saveHead(state, { origin: to.name, size, root: bytes, note: head.note })
  }
  state.put('cosigned', null)
  return sendAgain(state, kept.size)
}

/** What lay at `from` or later is in no log any more. An enrolment is not sent as evidence. */
function sendAgain(state: State, from: number): number {
  const rows = state
    .sql<[], { epoch: number; seq: number; proof: string }>(
      `select epoch, seq, proof from statement where state = 'logged' and seq > 1 and proof is not null`,
    )
    .all()
    .filter(({ proof }) => parseProof(proof).index >= from)
  const update = state.sql<[number, number], never>(
    `update statement set state = 'signed', received_at = null, proof = null where epoch = ? and seq = ?`,
  )
  for (const { epoch, seq } of rows) update.run(epoch, seq)
  return rows.length
}
