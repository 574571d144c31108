/** What one test of one snapshot is asked for. */
import type { Restic } from '../restic/restic.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import type { BytePath } from '../tree/path.ts'
import type { Expected } from './expected.ts'
import type { ScratchRequest } from './scratch.ts'
import type { Standing, StrataRequest } from './strata.ts'
import type { TestResult } from './verdict.ts'

export interface TestRequest {
  readonly restic: Restic
  readonly snapshotId: string
  /**
   * What the snapshot must give back: a new reading for each call, which counts only when it ends well. With
   * `isWanted` at least the items at these paths, and, without asking for them, all that are known not to be in the
   * snapshot or whose names are not certain.
   */
  readonly expected: (isWanted?: (path: BytePath) => boolean) => AsyncIterable<readonly Expected[]>
  /** The manifest's digest, where there is one. */
  readonly manifest: string | null
  readonly reason: TestResult['reason']
  readonly wanted: Wanted
  readonly seed: { readonly value: string; readonly from: 'agent' | 'collector' }
  /** The least number of drawn files that must be conclusive; null: all that were drawn. */
  readonly minimum: number | null
  readonly scratch: ScratchRequest
  /** Left out: `auto`. What restic or the scratch cannot do goes by the disk. */
  readonly method?: 'auto' | 'disk' | 'stream'
  readonly pool: DigestPool
  readonly now: () => Date
  readonly deadlineMs?: number
  /** At most so many restored bytes. What is not a sample, and larger, is not begun. */
  readonly budgetBytes?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: TestProgress) => void
  /** Whether a file that is whole but for its metadata fails the test. */
  readonly metadataFails?: boolean
  /** Hears of every file of the snapshot once, and of those that came back identical. */
  readonly coverage?: Coverage
}

/** Whoever keeps account of what was restored. */
export interface Coverage {
  /** All files of the snapshot follow, from the first. */
  restart(): void
  standingOf(item: Expected): Standing
  restored(item: Pick<Expected, 'path' | 'isResolved' | 'size' | 'ctimeNs'>): void
}

export type Wanted =
  | { mode: 'full' }
  /** With strata, only the first draw has them: they are replaced by nothing. */
  | { mode: 'sample'; files: number; strata?: StrataRequest }
  | { mode: 'requested'; paths: readonly BytePath[] }

export interface TestProgress {
  readonly step: 'draw' | 'restore' | 'compare'
  readonly files: number
  /** 0 while it is not known. */
  readonly totalFiles: number
}
