/** Stored manifests go when their snapshot is gone from a complete listing and nobody owes it: not before. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { listManifests, openManifest } from '../manifest/file.ts'
import type { RunLogger } from './repository.ts'

export interface UpkeepRequest {
  readonly stateDir: string
  readonly set: string
  /** A complete listing of the set's repository, taken just now. */
  readonly listed: readonly Snap[]
  /** Whether a snapshot of this start would be owed by any contract. */
  readonly isOwed: (start: Date) => boolean
  readonly logger: RunLogger
}

/** How many went. One that cannot be read stays: nobody can say when its snapshot was made. */
export async function dropManifests(request: UpkeepRequest): Promise<number> {
  const { stateDir, set, listed, isOwed, logger } = request
  const there = new Set(listed.flatMap(({ id, original }) => [id, original ?? id]))
  const manifests = await listManifests(join(stateDir, 'manifests', set))
  let dropped = 0
  // The newest is what the next backup carries digests over from.
  for (const found of manifests.slice(0, -1)) {
    if (there.has(found.snapshot)) continue
    try {
      const { header, entries } = await openManifest(found)
      await entries.return(undefined)
      // A lost snapshot is owed still: what it held is evidence.
      if (isOwed(new Date(header.snapshot.time))) continue
      await rm(found.file)
      dropped += 1
    } catch (err) {
      logger.warn({ set, file: found.file, err }, 'a manifest could not be looked at, and stays')
    }
  }
  return dropped
}
