/**
 * The heart: what one file's restore proves. Pure; every other part of a restore test only feeds it.
 *
 * M is the witness (a hash that held still around restic's own read), R the restored bytes, S the source as it
 * is now, node the stat that the snapshot holds. A witness outweighs everything: a snapshot that is years old
 * is judged without its source, and a source that rotted cannot turn a good backup bad. Without a witness the
 * source counts only while its stat still is the node's, to the nanosecond and with ctime, which no program
 * can put back. Whatever else is true is said (`unverified`, with its reason) and never counted as a pass.
 */
import { sameStat } from '../tree/stat.ts'
import type { Stat } from '../tree/stat.ts'

export type FileClass =
  | 'identical'
  | 'damaged'
  | 'diverged'
  | 'missing'
  | 'gap'
  | 'raced'
  | 'unverified'
  | 'unreadable'

/** How a class counts: no percentage of passes ever outweighs one fail. */
export const COUNTS_AS: Readonly<Record<FileClass, 'pass' | 'fail' | 'inconclusive'>> = {
  identical: 'pass',
  damaged: 'fail',
  diverged: 'fail',
  missing: 'fail',
  gap: 'fail',
  raced: 'inconclusive',
  unverified: 'inconclusive',
  unreadable: 'inconclusive',
}

/** What the snapshot's manifest holds of the path. `none`: no manifest, or it does not name the path. */
export type Witnessed =
  | { state: 'witness'; sha256: string; racy: boolean }
  | { state: 'void' | 'unreadable' | 'gap' | 'none' }

/** What came out of the repository. `missing`: nothing at that place, or restic reported an error for it. */
export type Restored =
  | { state: 'restored'; sha256: string }
  | { state: 'missing' | 'unreadable'; detail?: string }

/** The source now. `sha256` is null where hashing could not tell more (another size). */
export type SourceNow =
  | { state: 'read'; stat: Stat; sha256: string | null }
  | { state: 'deleted' | 'moving' | 'unreadable'; detail?: string }

export interface Known {
  /** Null when the snapshot's listing does not have the path. */
  readonly node: Stat | null
  readonly witness: Witnessed
  readonly restored: Restored
  readonly source: SourceNow
}

/** The source, judged beside the backup; `rot`: its stat is the snapshot's, its bytes are not. */
export type SourceVerdict = 'same' | 'changed' | 'deleted' | 'rot' | 'unreadable'

export interface Comparison {
  readonly class: FileClass
  readonly reference: 'manifest' | 'source' | 'none'
  readonly source: SourceVerdict
  /** Time did not run forward at the source: an older mtime, or other bytes under the old size and mtime. */
  readonly movedBack?: 'older' | 'put-back'
  readonly expected?: string
  readonly actual?: string
  readonly detail?: string
}

export function compareFile(known: Known): Comparison {
  const source = judgeSource(known)
  const beside = { source: source.verdict, ...(source.movedBack && { movedBack: source.movedBack }) }
  const { witness, restored } = known
  if (witness.state === 'gap') {
    const detail = 'in scope and older than the backup, not in the snapshot'
    return { class: 'gap', reference: 'none', detail, ...beside }
  }
  if (restored.state !== 'restored') return { ...withoutRestored(known, restored), ...beside }
  if (witness.state === 'witness') return { ...byWitness(witness, restored.sha256, known.source), ...beside }
  return { ...bySource(known, restored.sha256, source), ...beside }
}

type Judged = Omit<Comparison, 'source' | 'movedBack'>

function withoutRestored(
  { node, witness }: Known,
  { state, detail }: Exclude<Restored, { state: 'restored' }>,
): Judged {
  if (witness.state === 'unreadable' && !node) {
    return { class: 'unreadable', reference: 'none', detail: 'could not be read at the backup' }
  }
  if (state === 'unreadable') {
    const why = `the restored file could not be read${detail ? `: ${detail}` : ''}`
    return { class: 'unreadable', reference: 'none', detail: why }
  }
  const told = detail ?? (node ? 'not restored' : 'in the manifest, not in the snapshot’s listing')
  if (witness.state !== 'witness') return { class: 'missing', reference: 'none', detail: told }
  return { class: 'missing', reference: 'manifest', expected: witness.sha256, detail: told }
}

function byWitness(
  witness: { sha256: string; racy: boolean },
  restoredSha256: string,
  source: SourceNow,
): Judged {
  if (restoredSha256 === witness.sha256) return { class: 'identical', reference: 'manifest' }
  const digests = { expected: witness.sha256, actual: restoredSha256 }
  if (witness.racy) {
    const detail = 'differs from a witness taken too close to a write to be certain'
    return { class: 'raced', reference: 'manifest', ...digests, detail }
  }
  const sourceToo = source.state === 'read' && source.sha256 === restoredSha256
  const detail = sourceToo
    ? 'differs from its witness, though the source now equals what was restored'
    : 'differs from its witness'
  return { class: 'damaged', reference: 'manifest', ...digests, detail }
}

function bySource(known: Known, restoredSha256: string, judged: SourceJudgement): Judged {
  const { node, witness, source } = known
  const why = witness.state === 'void' ? 'changed during the backup' : 'no witness'
  if (source.state === 'deleted') {
    return { class: 'unverified', reference: 'none', detail: `${why}; the source is gone` }
  }
  if (source.state !== 'read') {
    const now =
      source.state === 'moving' ? 'the source moved while it was hashed' : 'the source cannot be read'
    return { class: 'unreadable', reference: 'none', detail: `${why}; ${now}` }
  }
  if (!node || !sameStat(node, source.stat)) {
    const detail = `${why}; the source ${node ? describeChange(judged) : 'cannot be matched with the snapshot'}`
    return { class: 'unverified', reference: 'none', detail }
  }
  if (source.sha256 === null) {
    return { class: 'unreadable', reference: 'none', detail: `${why}; the source was not hashed` }
  }
  if (source.sha256 === restoredSha256) return { class: 'identical', reference: 'source' }
  return {
    class: 'diverged',
    reference: 'source',
    expected: source.sha256,
    actual: restoredSha256,
    detail: `${why}; the source’s stat is the snapshot’s, its bytes are not`,
  }
}

interface SourceJudgement {
  verdict: SourceVerdict
  movedBack?: 'older' | 'put-back'
  touched?: boolean
}

function judgeSource({ node, witness, restored, source }: Known): SourceJudgement {
  if (source.state === 'deleted') return { verdict: 'deleted' }
  if (source.state !== 'read') return { verdict: 'unreadable' }
  const reference =
    witness.state === 'witness' ? witness.sha256 : restored.state === 'restored' ? restored.sha256 : null
  const known = reference !== null && source.sha256 !== null
  const equal = known && source.sha256 === reference
  if (node && sameStat(node, source.stat)) {
    // Without a witness nothing says which side is wrong: that is `diverged`, and no verdict on the source.
    const rotten = known && !equal && witness.state === 'witness'
    return { verdict: rotten ? 'rot' : 'same' }
  }
  if (equal) return { verdict: 'same', touched: true }
  if (!node) return { verdict: 'changed' }
  if (source.stat.mtimeNs < node.mtimeNs) return { verdict: 'changed', movedBack: 'older' }
  const timesKept = source.stat.mtimeNs === node.mtimeNs && source.stat.size === node.size
  // Only known other bytes under the old size and mtime are suspicious; chmod and chown move ctime daily.
  return timesKept && known ? { verdict: 'changed', movedBack: 'put-back' } : { verdict: 'changed' }
}

function describeChange({ movedBack, touched }: SourceJudgement): string {
  if (movedBack === 'older') return 'moved back in time'
  if (movedBack === 'put-back') return 'has other bytes under its old size and modification time'
  return touched ? 'was touched since (its bytes are equal)' : 'changed since'
}
