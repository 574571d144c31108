import type { Readable } from 'node:stream'
import type { ErrorCode } from '@bevis/shared/error'
import type { Stat } from '../tree/stat.ts'
import type { Capabilities } from './capabilities.ts'

/** Where the repository is and how to open it. Secrets are named by file or command, never held here. */
export interface RepositoryAccess {
  /** As restic takes it: a path, `rest:https://…`, `s3:…`, `sftp:…` */
  url: string
  passwordFile?: string
  passwordCommand?: string
  /** KEY=VALUE lines for the backend, for example AWS_ACCESS_KEY_ID */
  environmentFile?: string
}

export interface OpenOptions {
  /** A path, or a name looked up in environment.PATH */
  binary?: string
  repository: RepositoryAccess
  /** restic's cache, and the record of the restic processes of ours that may have left a lock; kept between runs */
  cacheDir: string
  /** The base environment of every restic process: PATH, HOME, TMPDIR; nothing else of ours reaches it */
  environment: Readonly<Record<string, string>>
  /** How long restic waits for another's lock (--retry-lock, from 0.16), at most half of a run's stallMs; 5 minutes */
  lockWaitMs?: number
  /** From the signal that asks restic to end to the one that ends it; 90 seconds, as a dead network takes 70 */
  killAfterMs?: number
  now?: () => Date
  logger?: Logger
}

export interface Logger {
  debug(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Limits of one run; both off when left out, except that every short command has a deadline of its own. */
export interface Limits {
  signal?: AbortSignal
  /** For the whole run */
  deadlineMs?: number
  /** Without any progress: no new byte, no new file (a status line that repeats itself is none) */
  stallMs?: number
}

/** Why a run did not do what was asked. */
export interface RunError {
  code: ErrorCode
  message: string
}

/** One file or directory that restic complained about. `path` is lossy text: invalid bytes are U+FFFD. */
export interface ItemError {
  path?: string
  message: string
  /** restic's word for the phase: scan, archival, restore */
  during?: string
}

export interface Snapshot {
  /** 64 hex */
  id: string
  /** As restic wrote it: RFC 3339 with nanoseconds and zone */
  time: string
  timeNs: bigint
  tree: string
  hostname: string
  paths: string[]
  tags: string[]
  /** The id the snapshot had before it was rewritten or copied */
  original?: string
}

/** What a repository holds. */
export interface Survey {
  snapshots: Snapshot[]
  /** Full IDs of those that are there, and that restic cannot read. */
  unreadable: string[]
}

export interface BackupRequest extends Limits {
  /** Absolute */
  paths: readonly string[]
  excludes?: readonly string[]
  tags?: readonly string[]
  host?: string
  oneFileSystem?: boolean
  /** Windows' VSS, by restic itself; elsewhere restic refuses. */
  useFsSnapshot?: boolean
  onProgress?: (progress: Progress) => void
  /** The snapshot's full ID as soon as restic has ended; never where it names only eight digits (0.14) */
  onSnapshot?: (id: string) => void
}

export interface Progress {
  files: number
  bytes: number
  totalFiles: number
  totalBytes: number
}

export interface BackupRun {
  /** 128 + its number when a signal ended restic, -1 when it never started */
  exitCode: number
  outcome: 'complete' | 'partial' | 'failed'
  /** As the repository lists it after the run; absent where none was made, or it could not be looked up */
  snapshot?: Snapshot
  /** All that the repository holds, as it was at that time after the run; absent where it could not be listed whole */
  listed?: { at: Date; snapshots: readonly Snapshot[] }
  /** 64 hex */
  snapshotId?: string
  /** Our clock around the process; every byte was read in between */
  startedAt: Date
  endedAt: Date
  summary?: BackupSummaryCounts
  /** The first 10,000 */
  errors: ItemError[]
  errorCount: number
  /** Set unless outcome is complete */
  error?: RunError
}

export interface BackupSummaryCounts {
  filesNew: number
  filesChanged: number
  filesUnmodified: number
  /** Regular files that restic went through */
  files: number
  bytes: number
  addedBytes: number
}

/** One entry of a snapshot, as `ls --json` has it. */
export interface Node extends Stat {
  /** Absolute in the snapshot. Invalid bytes of the name have each become U+FFFD, see `lossy` */
  readonly path: string
  /** The path holds U+FFFD: two such names may be the same text, and the bytes are not known */
  readonly lossy: boolean
}

/** The raw bytes of an absolute path in the snapshot: this file, or this directory with all below it. */
export type IncludePath = Uint8Array

export interface RestoreRequest extends Limits {
  snapshotId: string
  /** Must be empty or absent: restic skips what is there already */
  target: string
  /** Must be fresh: a cache hides damaged trees */
  cacheDir: string
  includes?: readonly IncludePath[]
  /** Left out with all below; only where capabilities.includeFile, and not together with includes */
  excludes?: readonly IncludePath[]
  /**
   * Called as items are complete, where capabilities.restoreEvents. A hint only: paths are lossy text, some
   * items get no event, and a failed one may get one.
   */
  onEvent?: (event: RestoreEvent) => void
  /** Bytes written so far, files under way too: ten times a second, where capabilities.restoreEvents */
  onWritten?: (bytes: number) => void
  /** Called once, when restic runs: flow control */
  onStart?: (control: RestoreControl) => void
}

export interface RestoreEvent {
  action: string
  path: string
  sizeBytes: number
}

/** SIGSTOP and SIGCONT. The watchdogs wait while restic is held. */
export interface RestoreControl {
  hold: () => void
  resume: () => void
}

export interface RestoreRun {
  /** As in BackupRun */
  exitCode: number
  startedAt: Date
  endedAt: Date
  /** The first 10,000 */
  errors: ItemError[]
  errorCount: number
  /** More than 0 means that the target was not empty: not a test. 0 where restic does not say (before 0.17) */
  filesSkipped: number
  /** Absent only with exit 0, no error and, where capabilities.restoreEvents, a readable summary */
  error?: RunError
}

export interface ListRequest extends Limits {
  /** A fresh one shows damaged trees that restic's usual cache hides; the usual one is faster */
  cacheDir?: string
}

export interface DumpRequest extends Limits {
  snapshotId: string
  /** Of a regular file */
  path: IncludePath
  /** Must be fresh */
  cacheDir: string
}

/** `content` is worth nothing until `done` has resolved: restic stops at the first damaged blob. */
export interface Dump {
  content: Readable
  /** Resolves on exit 0, else rejects with a BevisError */
  done: Promise<void>
}

export interface CheckRequest extends Limits {
  /** Part `part` (from 1) of `of` of all packs is read whole; 1 of 1 is all. Structure only when left out */
  subset?: { part: number; of: number }
  /** Fresh, or restic's own temporary one */
  cacheDir?: string
}

export interface CheckRun {
  /** As in BackupRun */
  exitCode: number
  startedAt: Date
  endedAt: Date
  /** What restic found; 1 at least where it did not end well */
  errorCount: number
  /** The first 100 */
  messages: string[]
  /** Every pack of the subset was read to its end, whatever was found in it */
  isRead: boolean
  /** The size of those packs; only where the repository is a folder of this machine */
  readBytes?: number
  /**
   * RESTIC_REPOSITORY_DAMAGED when the check ended and found something, NOTHING_TO_TEST when a subset was to be read and
   * the whole repository holds no pack, else why it did not end
   */
  error?: RunError
}

export interface ForgetRequest extends Limits {
  /** These very snapshots; no policy decides. Nothing is pruned */
  snapshotIds: readonly [string, ...string[]]
}

/** What came back when snapshots were to be deleted. Which of them are still there, only a listing tells. */
export interface ForgetRun {
  /** As in BackupRun; until 0.18 it is 0 even where nothing was removed */
  exitCode: number
  startedAt: Date
  endedAt: Date
  /** refused: the storage itself said no to this very file. unknown: anything else but a clean removal */
  answer: 'removed' | 'refused' | 'unknown'
  /** The storage's words, where it refused */
  refusal?: string
  /** Set when the answer is unknown */
  error?: RunError
}

export interface PruneRun {
  /** As in BackupRun */
  exitCode: number
  startedAt: Date
  endedAt: Date
  /** What the packs shrank by; only where the repository is a folder of this machine */
  freedBytes?: number
  /** Absent only with exit 0 */
  error?: RunError
}

export interface Lock {
  id: string
  time: string
  exclusive: boolean
  hostname: string
  pid: number
  /** Made by a restic process of this agent */
  ours: boolean
  /** The process was ours and is gone */
  stale: boolean
}

/** One repository, through one restic binary. Methods throw BevisError where no run object is returned. */
export interface Restic {
  readonly version: string
  readonly capabilities: Capabilities
  /** The repository's URL with credentials cut out, as it may stand in evidence */
  readonly location: string
  /** Makes the repository; its id. Fails (RESTIC_FAILED) where there is one already */
  init(limits?: Limits): Promise<string>
  /** 64 hex, from the repository's config */
  repositoryId(limits?: Limits): Promise<string>
  /** Of the file that the ID is in, looked at without restic: while it is the same, so is the ID. Undefined where we cannot */
  configDigest(): string | undefined
  /** Never throws for what restic does: the run says it */
  backup(request: BackupRequest): Promise<BackupRun>
  /** All snapshots, in restic's order. A snapshot file that cannot be read is an error, not a shorter list */
  snapshots(limits?: Limits): Promise<Snapshot[]>
  /** As `snapshots`, for whoever can go on without those that cannot be read. */
  survey(limits?: Limits): Promise<Survey>
  /** All nodes of a snapshot, in batches as they come. Nothing that was yielded counts unless the iteration ends well */
  list(snapshotId: string, request?: ListRequest): AsyncIterable<readonly Node[]>
  /** Never throws for what restic does: the run says it */
  restore(request: RestoreRequest): Promise<RestoreRun>
  dump(request: DumpRequest): Dump
  check(request?: CheckRequest): Promise<CheckRun>
  /** Deletes snapshots, or tries to. Never throws for what restic does: the run says it */
  forget(request: ForgetRequest): Promise<ForgetRun>
  /** Removes the data that no snapshot needs. Never throws for what restic does: the run says it */
  prune(limits?: Limits): Promise<PruneRun>
  locks(limits?: Limits): Promise<Lock[]>
  /** One plain unlock, only if a lock of a dead process of ours is there; the ids of such locks that went */
  unlockOwn(limits?: Limits): Promise<string[]>
}
