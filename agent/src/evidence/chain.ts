import { ZERO_DIGEST } from '@bevis/shared/evidence/chain'
import { paeDigest } from '@bevis/shared/evidence/envelope'
import type { Chain } from '@bevis/shared/evidence/predicates'
import { encodeStatement, evidenceNameOf } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { State } from '../state.ts'
import type { Recorded } from './record.ts'

/**
 * Gives a statement the next place in the agent's chain, and makes its bytes durable before anyone signs them
 * (Evidence specification, Chain): after a crash the same bytes are signed, and Ed25519 gives the same signature.
 * One write transaction, so that processes that record at once queue up for their numbers.
 * @throws BevisError STATEMENT_INVALID; then no number is used up
 */
export function appendStatement(
  state: State,
  identity: Pick<Chain, 'tenant' | 'agent' | 'epoch'>,
  build: (chain: Chain) => Statement,
  now: Date,
  /** What the first statement of its epoch follows where that is not in this folder: the end of an earlier life. */
  start?: string,
): Recorded {
  return state.write(() => {
    const head = chainHead(state, identity.epoch)
    const chain: Chain = {
      tenant: identity.tenant,
      agent: identity.agent,
      epoch: identity.epoch,
      seq: head?.epoch === identity.epoch ? head.seq + 1 : 1,
      prev: head?.epoch === identity.epoch ? head.paeDigest : (start ?? head?.paeDigest ?? ZERO_DIGEST),
      log: logHead(state),
    }
    const statement = build(chain)
    const payload = encodeStatement(statement)
    const digest = paeDigest(payload)
    state
      .sql<[number, number, string, string, string, Uint8Array], never>(
        `insert into statement (epoch, seq, pae_digest, name, created_at, payload, state)
         values (?, ?, ?, ?, ?, ?, 'prepared')`,
      )
      .run(chain.epoch, chain.seq, digest, evidenceNameOf(statement), now.toISOString(), payload)
    return { paeDigest: digest, epoch: chain.epoch, seq: chain.seq }
  })
}

/** The newest statement of the chain up to this epoch, signed or not. */
function chainHead(state: State, epoch: number): Recorded | null {
  const row = state
    .sql<[number], { epoch: number; seq: number; pae_digest: string }>(
      `select epoch, seq, pae_digest from statement where epoch <= ? order by epoch desc, seq desc limit 1`,
    )
    .get(epoch)
  return row === undefined ? null : { paeDigest: row.pae_digest, epoch: row.epoch, seq: row.seq }
}

/** The newest checkpoint that this agent has verified; what it embeds entangles its chain with the log. */
function logHead(state: State): Chain['log'] {
  const text = state.get('log')
  if (text === null) return null
  const { origin, size, root } = JSON.parse(text) as { origin: string; size: number; root: string }
  return { origin, size, root }
}
