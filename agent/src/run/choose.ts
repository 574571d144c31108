/** Which snapshots a test is about: the set's newest, and with a sample those older ones whose turn it is. */
import { BevisError } from '@bevis/shared/error'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { snapOf } from '../evidence/observe.ts'
import { listManifests, openManifest } from '../manifest/file.ts'
import type { Snapshot } from '../restic/restic.ts'
import { isWithin } from '../tree/path.ts'

export interface ChoiceRequest {
  /** All snapshots of the repository, or why it cannot be opened. */
  readonly listed: readonly Snapshot[] | BevisError
  /** Of the set's manifests. */
  readonly folder: string
  readonly paths: readonly string[]
  readonly host: string
  readonly snapshotId?: string
  /** Whoever named the snapshot may only name one of this set. */
  readonly isOwnOnly?: boolean
  /** Chooses among the set's snapshots before the newest, oldest first; null: none of them. */
  readonly olderOf: ((ids: readonly string[], newest: string) => readonly string[]) | null
}

export interface Chosen {
  /** The newest, or the one that was named; then the older ones. */
  readonly snapshots: readonly Snap[]
  /** Set: none of them can be tested now, which has to be told of each. */
  readonly error: BevisError | null
}

/**
 * @throws BevisError what keeps the repository shut; NOTHING_TO_TEST when no snapshot is known at all; USAGE when
 * the repository has none of the wanted name
 */
export async function chooseSnapshots(request: ChoiceRequest): Promise<Chosen> {
  const { listed, snapshotId } = request
  if (listed instanceof BevisError) {
    const known = await lastKnown(request)
    if (!known) throw listed
    return { snapshots: [known], error: listed }
  }
  const own = listed
    .filter((one) => isOfSet(one, request))
    .toSorted((one, other) => (one.timeNs < other.timeNs ? 1 : -1))
  if (snapshotId !== undefined) {
    return { snapshots: [snapOf(named(request.isOwnOnly ? own : listed, snapshotId))], error: null }
  }
  const [newest, ...others] = own
  if (!newest) {
    const message = `the repository holds no snapshot of ${request.paths.join(', ')} from ${request.host}`
    throw new BevisError('NOTHING_TO_TEST', message)
  }
  const byId = new Map(others.map((one) => [one.id, one]))
  const older = request.olderOf?.([...byId.keys()].toReversed(), newest.id) ?? []
  return { snapshots: [newest, ...older.flatMap((id) => byId.get(id) ?? [])].map(snapOf), error: null }
}

/** The set's snapshots are this host's, and hold each of its paths. */
function isOfSet({ hostname, paths }: Snapshot, request: ChoiceRequest): boolean {
  return (
    hostname === request.host && request.paths.every((path) => paths.some((held) => isWithin(path, held)))
  )
}

function named(listed: readonly Snapshot[], wanted: string): Snapshot {
  const found = /^[0-9a-f]{8,64}$/.test(wanted) ? listed.filter(({ id }) => id.startsWith(wanted)) : []
  const [only] = found
  if (only && found.length === 1) return only
  const message = `${found.length === 0 ? 'no' : 'more than one'} snapshot ${wanted}: give its ID, at least 8 digits`
  throw new BevisError('USAGE', message)
}

/** When the repository does not answer, the last manifest still says what should be in it. */
async function lastKnown({ folder, snapshotId = '' }: ChoiceRequest): Promise<Snap | null> {
  const manifests = await listManifests(folder)
  for (const found of manifests.toReversed()) {
    if (!found.snapshot.startsWith(snapshotId)) continue
    try {
      const { header, entries } = await openManifest(found)
      await entries.return(undefined)
      return header.snapshot
    } catch {
      // A damaged manifest names no snapshot; an older one may.
    }
  }
  return null
}
