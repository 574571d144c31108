/**
 * What the stories saw, as statement drafts. Pure: a draft says neither more nor less than what it is given,
 * and nothing here can fail, because a run that is not recorded is the worst of all.
 */
import type { BevisError } from '@bevis/shared/error'
import { sha256Hex } from '@bevis/shared/crypto'
import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import type { Subject } from '@bevis/shared/evidence/statement'
import { toInstant } from '@bevis/shared/format'
import type { Anomaly } from '../anomaly/judge.ts'
import type { ManifestFile } from '../manifest/file.ts'
import type { ManifestTally, Named } from '../manifest/tally.ts'
import type { BackupRun, Snapshot } from '../restic/restic.ts'
import type { TestResult } from '../restore/verdict.ts'
import type { Draft } from './record.ts'

export interface ObservedBackup {
  readonly set: string
  readonly setDigest: string
  readonly repository: Repo
  readonly resticVersion: string
  readonly startedAt: Date
  readonly endedAt: Date
  /** Null when restic was not reached. */
  readonly run: BackupRun | null
  /** What the hooks froze the source with; null when nothing did. */
  readonly fileSystemSnapshot: string | null
  /** Source roots that were not there when the run began, or are not in its snapshot. */
  readonly missingRoots: readonly string[]
  readonly witness: { readonly manifest: ManifestFile; readonly tally: ManifestTally } | null
  readonly anomalies: readonly Anomaly[]
  /** What kept the run, or the manifest, from being whole. */
  readonly error: BevisError | null
}

export function observeBackup(seen: ObservedBackup): Draft<'backup-run'> {
  const { run, witness } = seen
  const snapshot = run?.snapshot ? snapOf(run.snapshot) : undefined
  const error = seen.error ?? run?.error
  const unread = [...seen.missingRoots, ...(run?.errors ?? []).flatMap(({ path }) => path ?? [])]
  const failedCount = seen.missingRoots.length + (run?.errorCount ?? 0)
  return {
    name: 'backup-run',
    subject: snapshot ? snapshotSubject(snapshot.id) : setSubject(seen.set, seen.setDigest),
    predicate: {
      tools: { restic: seen.resticVersion },
      set: seen.set,
      repository: seen.repository,
      startedAt: toInstant(seen.startedAt),
      endedAt: toInstant(seen.endedAt),
      exitCode: run?.exitCode ?? -1,
      outcome: outcomeOf(seen),
      ...(snapshot && { snapshot }),
      ...(run && seen.fileSystemSnapshot !== null && { fileSystemSnapshot: seen.fileSystemSnapshot }),
      ...(run?.summary && { source: run.summary }),
      ...(failedCount > 0 && { failed: { count: failedCount, paths: fitPaths(unread) } }),
      ...(witness && {
        manifest: manifestOf(witness),
        ...tornOf(witness.tally.torn),
        ...anomalyOf(witness.tally, seen.anomalies),
      }),
      ...(error && { error: failureOf(error) }),
    },
  }
}

function outcomeOf({ run, missingRoots }: ObservedBackup): 'complete' | 'partial' | 'failed' {
  if (!run?.snapshot) return 'failed'
  return run.outcome === 'complete' && missingRoots.length > 0 ? 'partial' : run.outcome
}

function manifestOf({ manifest, tally }: NonNullable<ObservedBackup['witness']>) {
  const { files, bytes, witnessed, torn, renamed } = tally
  const renamedCount = renamed.count > 0 ? { renamed: renamed.count } : {}
  return { sha256: manifest.sha256, files, bytes, witnessed, torn: torn.count, ...renamedCount }
}

function tornOf({ count, paths }: Named): { torn?: string[] } {
  return count > 0 ? { torn: fitPaths(paths) } : {}
}

/** What the manifest found that is wrong with the source or the snapshot, or out of the ordinary. */
function anomalyOf(
  { gaps, rot, unresolved }: ManifestTally,
  anomalies: readonly Anomaly[],
): { anomaly?: Record<string, unknown> } {
  const found = Object.entries({ gaps, rot, unresolved }).filter(([, { count }]) => count > 0)
  if (found.length + anomalies.length === 0) return {}
  return {
    anomaly: Object.fromEntries([
      ...found.map(([kind, { count, paths }]) => [kind, { count, paths: fitPaths(paths, 20) }]),
      ...anomalies.map(({ kind, seen, limit, text, paths, holds }) => [
        kind,
        {
          seen: Number(seen.toFixed(4)),
          limit,
          text: text.slice(0, 1_000),
          paths: fitPaths(paths, 10),
          holds,
        },
      ]),
    ]),
  }
}

export interface ObservedTest {
  readonly set: string
  readonly repository: Repo
  readonly resticVersion: string
  readonly snapshot: Snap
  readonly result: TestResult
}

export function observeRestoreTest({
  set,
  repository,
  resticVersion,
  snapshot,
  result,
}: ObservedTest): Draft<'restore-test'> {
  const { startedAt, endedAt, exceptions, error, ...rest } = result
  return {
    name: 'restore-test',
    subject: snapshotSubject(snapshot.id),
    predicate: {
      tools: { restic: resticVersion },
      set,
      repository,
      snapshot,
      startedAt: toInstant(startedAt),
      endedAt: toInstant(endedAt),
      ...rest,
      exceptions: exceptions.map(({ path, ...exception }) => ({ ...namePath(path), ...exception })),
      ...(error && { error: failureOf(error) }),
    },
  }
}

export function snapshotSubject(id: string): Subject {
  return { name: `snapshots/${id}`, digest: { sha256: id } }
}

export function setSubject(set: string, digest: string): Subject {
  return { name: `sets/${set}`, digest: { sha256: digest } }
}

export function snapOf({ id, timeNs, tree, hostname, paths, original, tags }: Snapshot): Snap {
  return {
    id,
    time: toInstant(new Date(Number(timeNs / 1_000_000n))),
    tree,
    host: hostname === '' ? '-' : hostname,
    paths,
    ...(original !== undefined && { original }),
    ...(tags.length > 0 && { tags }),
  }
}

/** The agent's own words and codes; causes stay in its log, since they can quote what others wrote. */
function failureOf({ code, message }: { code: string; message: string }): { code: string; message: string } {
  return { code, message: message.slice(0, 4_000) }
}

/** Payloads are at most 256 KiB: no list of paths may keep a statement from being signed. */
const LIST_BYTES = 24 * 1024
const PATH_BYTES = 768

/** As many as fit; one that alone would take much of the room stands back. The count beside them is of all. */
function fitPaths(paths: readonly string[], most = 100): string[] {
  let room = LIST_BYTES
  return paths.slice(0, most).filter((path) => {
    const bytes = jsonBytes(path)
    if (bytes > Math.min(room, LIST_BYTES / 10)) return false
    room -= bytes
    return true
  })
}

/** A very long path is named by the digest of its text; the manifest has it in full. */
function namePath(path: string): { path: string } | { pathDigest: string } {
  return jsonBytes(path) <= PATH_BYTES ? { path } : { pathDigest: sha256Hex(path) }
}

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text))
}
