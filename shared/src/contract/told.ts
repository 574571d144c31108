/**
 * What the evaluation keeps of a statement: the fields that it reads, under the names that the evidence gives them. The
 * types say which, so that none is read that is not kept. Texts that many statements have in common are kept once.
 */
import type * as Evidence from '../evidence/predicates.ts'
import type { Chain, Repo, Snap } from '../evidence/predicates.ts'
import { isEvidence } from '../evidence/statement.ts'
import type { Statement } from '../evidence/statement.ts'

export type BackupRun = Pick<
  Evidence.BackupRun,
  'repository' | 'set' | 'startedAt' | 'exitCode' | 'outcome' | 'snapshot' | 'failed'
> & { source?: { files: number; bytes: number; addedBytes: number } | undefined }
export type Inventory = Pick<
  Evidence.Inventory,
  'repository' | 'complete' | 'count' | 'digest' | 'base' | 'added' | 'removed' | 'sizeBytes'
>
export type RestoreTest = Pick<
  Evidence.RestoreTest,
  | 'repository'
  | 'set'
  | 'snapshot'
  | 'startedAt'
  | 'reason'
  | 'mode'
  | 'result'
  | 'selection'
  | 'population'
  | 'negativeControl'
  | 'rto'
>
export type RetentionRun = Pick<
  Evidence.RetentionRun,
  'repository' | 'startedAt' | 'exitCode' | 'removed' | 'pruned'
>
export type DeletionProbe = Pick<Evidence.DeletionProbe, 'repository' | 'outcome'>
export type Link = Pick<Chain, 'tenant' | 'agent' | 'epoch' | 'seq'>

/** So many different ones are remembered; then it begins anew, and only some memory is lost. */
const REMEMBERED = 10_000

/** Gives for each of many equal values the first of them. */
export class Same {
  readonly #first = new Map<string, unknown>()

  text(one: string): string {
    return this.#of(one, one)
  }

  repository({ id, lineage }: Repo): Repo {
    const key = `${id} ${lineage ?? ''}`
    return this.#of(key, { id, ...(lineage !== undefined && { lineage }), location: '' })
  }

  texts(texts: string[]): string[] {
    return this.#of(JSON.stringify(texts), texts)
  }

  #of<T>(key: string, value: T): T {
    const first = this.#first.get(key)
    if (first !== undefined) return first as T
    if (this.#first.size >= REMEMBERED) this.#first.clear()
    this.#first.set(key, value)
    return value
  }
}

export function linkOf({ predicate }: Statement, same: Same): Link | null {
  if (!('chain' in predicate)) return null
  const { tenant, agent, epoch, seq } = predicate.chain
  return { tenant: same.text(tenant), agent: same.text(agent), epoch, seq }
}

/** The predicate of a contract event is kept whole. */
export function toldOf(statement: Statement, same: Same): object {
  if (isEvidence(statement, 'contract-event')) return statement.predicate
  const { predicate } = statement
  if (!('repository' in predicate)) return {}
  const repository = same.repository(predicate.repository)
  if (isEvidence(statement, 'backup-run')) {
    const { set, startedAt, exitCode, outcome, snapshot, failed, source } = statement.predicate
    return {
      ...{ repository, set: same.text(set), startedAt, exitCode, outcome },
      ...(snapshot !== undefined && { snapshot: snapOf(snapshot, same) }),
      ...(failed !== undefined && { failed }),
      ...(source !== undefined && { source: sizesOf(source) }),
    } satisfies BackupRun
  }
  if (isEvidence(statement, 'inventory')) {
    const { complete, count, digest, base, added, removed, sizeBytes } = statement.predicate
    const snaps = added.map((snap) => snapOf(snap, same))
    const sized = sizeBytes === undefined ? {} : { sizeBytes }
    return {
      ...{ repository, complete, count, digest, base, added: snaps, removed },
      ...sized,
    } satisfies Inventory
  }
  if (isEvidence(statement, 'restore-test')) {
    const { set, snapshot, startedAt, reason, mode, result } = statement.predicate
    const { selection, population, negativeControl, rto } = statement.predicate
    const snap = snapOf(snapshot, same)
    return {
      ...{ repository, set: same.text(set), snapshot: snap, startedAt, reason, mode, result },
      ...{ selection, population, negativeControl, ...(rto !== undefined && { rto }) },
    } satisfies RestoreTest
  }
  if (isEvidence(statement, 'retention-run')) {
    const { startedAt, exitCode, removed, pruned } = statement.predicate
    return { repository, startedAt, exitCode, removed, pruned } satisfies RetentionRun
  }
  if (isEvidence(statement, 'deletion-probe')) {
    const { outcome } = statement.predicate
    return { repository, outcome } satisfies DeletionProbe
  }
  return { repository }
}

function sizesOf({ files, bytes, addedBytes }: NonNullable<BackupRun['source']>) {
  return { files, bytes, addedBytes }
}

function snapOf({ id, time, tree, host, paths, tags, original }: Snap, same: Same): Snap {
  const snap: Snap = { id, time, tree, host: same.text(host), paths: same.texts(paths) }
  // One by one: most snapshots have neither, and there are many of them.
  if (tags !== undefined) snap.tags = same.texts(tags)
  if (original !== undefined) snap.original = original
  return snap
}
