import { existsSync, linkSync, rmSync } from 'node:fs'
import { BevisError } from '@bevis/shared/error'
import { assertSignature, openEnvelope } from '@bevis/shared/evidence/envelope'
import { parseStatement } from '@bevis/shared/evidence/statement'
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
 * restored from an old image. Only a statement that this folder's own key signed counts: nobody else's word opens an
 * epoch. What was stated since is stated again in the new epoch; what is older than the log's newest goes out as it is, and is there already.
 * @returns the new epoch, or null where nothing was set back
 * @throws BevisError RECEIPT_INVALID for a statement that is not known here, and not this agent's own
 */
export function leaveRolledBack(state: State, head: AgentHead, now: Date): number | null {
  if (head.pae === null || isKnown(state, head)) return null
  const last = ownWord(state, head)
  if (last === null) {
    throw new BevisError(
      'RECEIPT_INVALID',
      `the collector says that ${head.agent} has stated number ${head.seq} of epoch ${head.epoch}, and shows no statement that ` +
        'a key of this folder has signed. Where the folder is an image from before a key rotation, enrol this host anew',
    )
  }
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
    appendStatement(state, next, (chain) => completeDraft(said, chain), now, last.pae)
    for (const row of newerThan(state, identity.epoch, last.statedAt, head)) {
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

/**
 * What the log says was this agent's last word, if it is: signed by one of the keys that lie here, and at the place in
 * the chain that is told. When it is dated is the collector's telling; it only says what is stated again.
 */
function ownWord(state: State, head: AgentHead): { pae: string; statedAt: string } | null {
  const { pae, statedAt, envelope, epoch, seq, agent } = head
  if (pae === null || statedAt === undefined || envelope === undefined) return null
  const { epoch: newest } = requireIdentity(state)
  try {
    const opened = openEnvelope(envelope)
    const { predicate } = parseStatement(opened.payload)
    const chain = 'chain' in predicate ? predicate.chain : null
    const isPlaced = chain?.agent === agent && chain.epoch === epoch && chain.seq === seq
    if (opened.paeDigest !== pae || !isPlaced) return null
    for (let own = newest; own > 0; own -= 1) {
      const file = keyFile(state, own)
      if (!existsSync(file)) continue
      const { keyid, spki } = readKey(file)
      if (opened.signatures[0]?.keyid !== keyid) continue
      assertSignature(opened, 0, spki)
      return { pae, statedAt }
    }
    return null
  } catch (error) {
    if (error instanceof BevisError && error.code !== 'SECRET_UNREADABLE') return null
    throw error
  }
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

/**
 * Statements without a receipt that the log cannot hold: made after its newest by their date, or by their number, whatever
 * the clock was. The place of the newest itself is taken by another.
 */
function newerThan(state: State, own: number, instant: string, { epoch, seq }: AgentHead) {
  const taken = epoch === own ? seq : Number.MAX_SAFE_INTEGER
  return state
    .sql<[number, string, number], { epoch: number; seq: number; payload: Uint8Array; createdAt: string }>(
      `select epoch, seq, payload, created_at as createdAt from statement
       where epoch = ? and state in ('prepared', 'signed') and (created_at > ? or seq >= ?) order by seq`,
    )
    .all(own, instant, taken)
}

/** Each epoch has its file; this one's key is the one before it. */
function copyKey(state: State, from: number, to: number): void {
  const file = keyFile(state, to)
  rmSync(file, { force: true }) // left by a rotation that did not come about
  linkSync(keyFile(state, from), file)
  syncFolder(state.folder)
}
