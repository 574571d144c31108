/** What is asked of a restore test, and what that makes of each snapshot that it tests. */
import { join } from 'node:path'
import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import type { SetConfig } from '../config.ts'
import type { Recorder } from '../evidence/record.ts'
import { openManifest } from '../manifest/file.ts'
import type { ManifestFile } from '../manifest/file.ts'
import type { Restic } from '../restic/restic.ts'
import { readPrevious } from '../manifest/previous.ts'
import { expectedOfListing, expectedOfManifest, withWitness } from '../restore/expected.ts'
import type { Expected } from '../restore/expected.ts'
import type { TestProgress, TestRequest, Wanted } from '../restore/request.ts'
import type { StrataRequest } from '../restore/strata.ts'
import type { DigestPool } from '../tree/digest-pool.ts'
import { bytePathOf, fromPathText } from '../tree/path.ts'
import type { BytePath } from '../tree/path.ts'
import { excludedBy } from '../tree/pattern.ts'
import type { Agreed } from './asked.ts'
import type { CoverageRun } from './coverage-ledger.ts'
import type { OwedTier } from './owed-tiers.ts'
import type { RunLogger } from './repository.ts'

/** A file system in memory on every Linux: a streamed restore into it is some three times as fast as onto a disk. */
const SHARED_MEMORY = '/dev/shm'

/** A listing that does not come any further for so long is an end, not a wait. */
const STALL_MS = 10 * 60_000

export interface RestoreTestContext {
  readonly set: SetConfig
  readonly restic: Restic
  readonly recorder: Recorder
  readonly stateDir: string
  /** Where to restore to; left out: memory where there is room, else inside the state folder. */
  readonly scratchDir?: string
  /** A drill: an empty folder, in which what is restored stays. No budget, and no second try. */
  readonly keepIn?: string
  readonly now: () => Date
  readonly logger: RunLogger
  readonly signal?: AbortSignal
  /** Threads that hash; two when left out. */
  readonly threads?: number
  readonly onProgress?: (progress: TestProgress & { snapshotId: string }) => void
  readonly wanted?: WantedTest
  /** Of the contract's terms, where they are known. */
  readonly agreed?: Agreed
  /** What contracts owe of these snapshots, which are all that the repository holds; null where none is known. */
  readonly tiersOf?: (listing: Listing, isOwn: (id: string) => boolean) => readonly OwedTier[] | null
  /** The collector's seed for a sample of what the repository holds now; null when there is none to be had. */
  readonly fetchSeed?: (snapshotIds: readonly string[]) => Promise<CollectorSeed | null>
}

/** All that a repository holds. */
export interface Listing {
  readonly repository: Repo
  readonly listed: readonly Snap[]
}

/** Revealed after the inventory that it names by digest. */
export interface CollectorSeed {
  readonly value: string
  readonly inventory: string
}

export interface WantedTest {
  /** Left out: `requested` with files, else `scheduled`. */
  readonly reason?: 'scheduled' | 'ladder' | 'requested' | 'drill'
  /** A full ID, or its first digits; left out: the newest snapshot, and with a sample an older one too. */
  readonly snapshotId?: string
  /** Every file, not a sample. */
  readonly full?: boolean
  /** Beside a full test of the newest: samples of the older ones whose turn it is. */
  readonly withOlder?: boolean
  /** Path texts: these files, or all in these folders. */
  readonly files?: readonly string[]
  /** From the collector; left out: our own, or what {@link RestoreTestContext} `fetchSeed` brings. */
  readonly seed?: CollectorSeed
  /** The collector's name for a request of files; its snapshot must then be the set's own. */
  readonly request?: string
}

/** One snapshot's test. */
export interface OneTest {
  readonly context: RestoreTestContext
  readonly seed: TestRequest['seed']
  readonly pool: DigestPool
  readonly snapshot: Pick<Snap, 'id'>
  /** Infinity without a budget of time. */
  readonly endsAtMs: number
  /** It is an older snapshot's turn. */
  readonly isLadder: boolean
  /** Null: what it restores says nothing of how the set is now. */
  readonly coverage: CoverageRun | null
  readonly isRetest?: boolean
}

export function requestOf(
  { context, seed, pool, snapshot, endsAtMs, isLadder, isRetest, coverage }: OneTest,
  manifest: ManifestFile | null,
): TestRequest {
  const { set, restic, stateDir, now, signal, onProgress } = context
  const { files, minConclusive } = set.restoreTest
  const plain: Wanted = isLadder ? { mode: 'sample', files } : wantedOf(context)
  const strata = coverage && plain.mode === 'sample' ? strataOf(context, coverage) : null
  const wanted = plain.mode === 'sample' && strata ? { ...plain, strata } : plain
  return {
    restic,
    wanted,
    ...(coverage && { coverage }),
    seed,
    pool,
    now,
    snapshotId: snapshot.id,
    expected: (isWanted) => expectedOf(restic, snapshot, manifest, signal, isWanted),
    manifest: manifest === null || manifest.isOfAnotherTree ? null : manifest.sha256,
    reason: isRetest
      ? 'retest'
      : (context.wanted?.reason ??
        (wanted.mode === 'requested' ? 'requested' : isLadder ? 'ladder' : 'scheduled')),
    // Of files that somebody asked for, every one must have an answer.
    minimum: wanted.mode === 'requested' ? null : (minConclusive ?? files),
    metadataFails: set.restoreTest.metadata === 'fail',
    method: isDrill(context) ? 'disk' : set.restoreTest.method,
    scratch: {
      base: context.scratchDir ?? join(stateDir, 'scratch'),
      roots: set.paths,
      isExcluded: excludedBy(set.exclude),
      repositoryUrl: set.repository.url,
      ...(context.scratchDir === undefined && { memory: SHARED_MEMORY }),
      ...(context.keepIn !== undefined && { keepIn: context.keepIn }),
    },
    ...(set.restoreTest.budget.bytes !== undefined &&
      !isDrill(context) && { budgetBytes: set.restoreTest.budget.bytes }),
    ...(endsAtMs < Infinity && { deadlineMs: Math.max(1_000, endsAtMs - now().getTime()) }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress: (at) => onProgress({ ...at, snapshotId: snapshot.id }) }),
  }
}

function strataOf({ set, agreed }: RestoreTestContext, coverage: CoverageRun): StrataRequest {
  const canaries = (agreed?.canaries ?? set.restoreTest.canaries).map(bytePathOf)
  const most = Math.ceil(set.restoreTest.files / PART_OF_SAMPLE)
  return { canaries, most, standingOf: (item) => coverage.standingOf(item), rotation: coverage.rotation }
}

/** So many times the random files are those that are picked for being new, or never restored. */
const PART_OF_SAMPLE = 5

/** The manifest was made from this very listing, and holds more; a snapshot's ID is the digest of its tree. */
export async function* expectedOf(
  restic: Restic,
  { id }: Pick<Snap, 'id'>,
  manifest: ManifestFile | null,
  signal: AbortSignal | undefined,
  isWanted?: (path: BytePath) => boolean,
): ReturnType<TestRequest['expected']> {
  if (manifest && !manifest.isOfAnotherTree)
    return yield* expectedOfManifest((await openManifest(manifest, isWanted)).entries)
  const listed = expectedOfListing(restic.list(id, { stallMs: STALL_MS, ...(signal && { signal }) }))
  yield* manifest ? withWitnesses(listed, manifest) : listed
}

/**
 * `restic repair snapshots` leaves files in place of which it has lost a part; what it left out altogether cannot be told
 * from what `rewrite` was asked to leave out.
 */
async function* withWitnesses(
  listed: ReturnType<TestRequest['expected']>,
  manifest: ManifestFile,
): ReturnType<TestRequest['expected']> {
  const known = readPrevious(await openManifest(manifest))
  try {
    for await (const batch of listed) {
      const items: Expected[] = []
      for (const item of batch) {
        const entry = item.isResolved ? await known.at(item.path) : null
        items.push(entry ? withWitness(item, entry) : item)
      }
      yield items
    }
    await known.drain()
  } finally {
    await known.close()
  }
}

export function wantedOf({ wanted, set }: RestoreTestContext): Wanted {
  if (wanted?.files && wanted.files.length > 0)
    return { mode: 'requested', paths: wanted.files.map(fromPathText) }
  return wanted?.full ? { mode: 'full' } : { mode: 'sample', files: set.restoreTest.files }
}

export function drawsSamples(context: RestoreTestContext): boolean {
  return wantedOf(context).mode === 'sample' || context.wanted?.withOlder === true
}

export function seedFrom({ wanted }: RestoreTestContext): 'agent' | 'collector' {
  return wanted?.seed === undefined ? 'agent' : 'collector'
}

export function manifestsOf({ stateDir, set }: RestoreTestContext): string {
  return join(stateDir, 'manifests', set.id)
}

export function isDrill({ keepIn }: RestoreTestContext): boolean {
  return keepIn !== undefined
}
