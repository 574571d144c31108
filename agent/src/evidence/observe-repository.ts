/** What was seen of a repository as a whole, as statement drafts. Pure, as in observe.ts. */
import type { DataCheck, DeletionProbe, Repo } from '@bevis/shared/evidence/predicates'
import { toInstant } from '@bevis/shared/format'
import { setSubject, snapshotSubject } from './observe.ts'
import type { Draft } from './record.ts'

interface Observed {
  readonly set: string
  readonly setDigest: string
  readonly repository: Repo
  readonly resticVersion: string
}

export interface ObservedCheck extends Observed {
  readonly startedAt: Date
  readonly endedAt: Date
  /** -1 when restic was not reached. */
  readonly exitCode: number
  readonly slice: { readonly part: number; readonly of: number }
  readonly bytes: number | null
  readonly errors: number
  readonly result: DataCheck['result']
}

export function observeDataCheck(seen: ObservedCheck): Draft<'data-check'> {
  return {
    name: 'data-check',
    subject: setSubject(seen.set, seen.setDigest),
    predicate: {
      tools: { restic: seen.resticVersion },
      repository: seen.repository,
      startedAt: toInstant(seen.startedAt),
      endedAt: toInstant(seen.endedAt),
      exitCode: seen.exitCode,
      subset: `${seen.slice.part}/${seen.slice.of}`,
      ...(seen.bytes !== null && { bytes: seen.bytes }),
      errors: seen.errors,
      result: seen.result,
    },
  }
}

export interface ObservedProbe extends Observed {
  readonly at: Date
  /** Null when there was none that could have been deleted. */
  readonly snapshotId: string | null
  readonly outcome: DeletionProbe['outcome']
  /** How it was tried, and what came back. */
  readonly by: string
}

/** `attempted` is a digest in every probe: zeros where there was nothing to attempt. */
const NOTHING = '0'.repeat(64)

export function observeDeletionProbe(seen: ObservedProbe): Draft<'deletion-probe'> {
  return {
    name: 'deletion-probe',
    subject:
      seen.snapshotId === null ? setSubject(seen.set, seen.setDigest) : snapshotSubject(seen.snapshotId),
    predicate: {
      tools: { restic: seen.resticVersion },
      repository: seen.repository,
      at: toInstant(seen.at),
      attempted: seen.snapshotId ?? NOTHING,
      outcome: seen.outcome,
      by: seen.by.slice(0, 2_000),
    },
  }
}

export interface ObservedRetention extends Omit<Observed, 'resticVersion'> {
  /** Null where restic had nothing to do with it: a hold was released. */
  readonly resticVersion: string | null
  readonly startedAt: Date
  readonly endedAt: Date
  /** -1 when restic was not reached, or not asked. */
  readonly exitCode: number
  readonly policy: Record<string, unknown>
  readonly removed: readonly string[]
  readonly kept: number
  readonly pruned: boolean
  readonly freedBytes: number | null
  /** What kept it from removing anything. */
  readonly heldBy: string | null
}

export function observeRetention(seen: ObservedRetention): Draft<'retention-run'> {
  return {
    name: 'retention-run',
    subject: setSubject(seen.set, seen.setDigest),
    predicate: {
      ...(seen.resticVersion !== null && { tools: { restic: seen.resticVersion } }),
      set: seen.set,
      repository: seen.repository,
      startedAt: toInstant(seen.startedAt),
      endedAt: toInstant(seen.endedAt),
      exitCode: seen.exitCode,
      policy: seen.policy,
      removed: [...seen.removed],
      kept: seen.kept,
      pruned: seen.pruned,
      ...(seen.freedBytes !== null && { freedBytes: seen.freedBytes }),
      ...(seen.heldBy !== null && { heldBy: seen.heldBy.slice(0, 4_000) }),
    },
  }
}
