import { linkSync, rmSync } from 'node:fs'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { AgentHead } from '@bevis/shared/wire'
import { syncFolder } from '../state.ts'
import type { State } from '../state.ts'
import { appendStatement } from './chain.ts'
import { confirmIdentity, keyFile, requireIdentity } from './identity.ts'
import { readKey } from './key.ts'
import { lifecycle } from './lifecycle.ts'
import { completeDraft } from './record.ts'
import { signPrepared } from './sign.ts'

/**
 * Opens a new epoch when the log names a statement of this agent that this folder knows nothing of: the folder was
 * restored from an old image. (A collector that makes one up breaks the chain that it has to show.) What was stated
 * since is stated again in the new epoch; what is older than the log's newest goes out as it is, and is there already.
 * @returns the new epoch, or null where nothing was set back
 */
export function leaveRolledBack(state: State, head: AgentHead, now: Date): number | null {
  const { pae, statedAt: last } = head
  if (pae === null || last === undefined || isKnown(state, head)) return null
  return state.write(() => {
    const identity = requireIdentity(state)
    const epoch = Math.max(identity.epoch, head.epoch) + 1
    const signer = readKey(keyFile(state, identity.epoch))
    signPrepared(state, identity.epoch, (one) => readKey(keyFile(state, one)))
    const next = { ...identity, epoch, tokenEpoch: identity.tokenEpoch ?? identity.epoch }
    const said = lifecycle(next, 'started', now, {
      reason: 'state-rollback',
      detail: { restoredFrom: { epoch: identity.epoch }, log: { epoch: head.epoch, seq: head.seq } },
    })
    copyKey(state, identity.epoch, epoch)
    appendStatement(state, next, (chain) => completeDraft(said, chain), now, pae)
    for (const row of newerThan(state, identity.epoch, last)) {
      const statement = JSON.parse(new TextDecoder().decode(row.payload)) as Statement
      state
        .sql<[number, number], never>('delete from statement where epoch = ? and seq = ?')
        .run(row.epoch, row.seq)
      const again = (chain: object): Statement =>
        ({ ...statement, predicate: { ...statement.predicate, chain } }) as unknown as Statement
      appendStatement(state, next, again, new Date(row.createdAt))
    }
    confirmIdentity(state, next)
    signPrepared(state, epoch, () => signer)
    return epoch
  })
}

/** True where the log's newest statement of this agent lies in this folder, or this folder is beyond it. */
function isKnown(state: State, { epoch, seq, pae }: AgentHead): boolean {
  const row = state
    .sql<[number, number], { digest: string }>(
      'select pae_digest as digest from statement where epoch = ? and seq = ?',
    )
    .get(epoch, seq)
  return row?.digest === pae
}

/** Statements without a receipt that were made after an instant: the log cannot hold them. */
function newerThan(state: State, epoch: number, instant: string) {
  return state
    .sql<[number, string], { epoch: number; seq: number; payload: Uint8Array; createdAt: string }>(
      `select epoch, seq, payload, created_at as createdAt from statement
       where epoch = ? and state in ('prepared', 'signed') and created_at > ? order by seq`,
    )
    .all(epoch, instant)
}

/** Each epoch has its file; this one's key is the one before it. */
function copyKey(state: State, from: number, to: number): void {
  const file = keyFile(state, to)
  rmSync(file, { force: true }) // left by a rotation that did not come about
  linkSync(keyFile(state, from), file)
  syncFolder(state.folder)
}
