/** Which repository a run is about, also when it cannot be opened. */
import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BevisError, errorCodeOf } from '@bevis/shared/error'
import type { Repo } from '@bevis/shared/evidence/predicates'
import { hex64 } from '@bevis/shared/format'
import type { SetConfig } from '../config.ts'
import type { Restic } from '../restic/restic.ts'

/** What stories log to; pino fits. */
export interface RunLogger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** The ID in a statement about a repository that never could be opened. */
export const UNKNOWN_REPOSITORY = '0'.repeat(64)

export interface Identity {
  readonly repository: Repo
  /** Why it cannot be opened now; the ID is then the last one known. */
  readonly error: BevisError | null
}

/** A failure must be recorded too, and a statement names its repository: so the last known ID is remembered. */
export async function identifyRepository(context: {
  readonly set: SetConfig
  readonly restic: Restic
  readonly stateDir: string
  readonly signal?: AbortSignal
}): Promise<Identity> {
  const { restic, set, stateDir, signal } = context
  const folder = join(stateDir, 'repositories')
  const file = join(folder, set.id)
  const known = knownRepository(stateDir, set.id)
  const limits = signal ? { signal } : {}
  const { lineage } = set.repository
  const named = { ...(lineage !== undefined && { lineage }), location: restic.location }
  try {
    // A lock that a killed restic of ours left would keep the repository shut for every run to come.
    await restic.unlockOwn(limits).catch(() => [])
    const id = await restic.repositoryId(limits)
    if (id !== known) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(`${file}.part`, id, { mode: 0o600, flush: true })
      await rename(`${file}.part`, file)
    }
    return { repository: { id, ...named }, error: null }
  } catch (cause) {
    const id = known ?? UNKNOWN_REPOSITORY
    const error =
      cause instanceof BevisError ? cause : new BevisError(errorCodeOf(cause), String(cause), { cause })
    return { repository: { id, ...named }, error }
  }
}

/** The ID of a set's repository as it was when it was last opened; null when it never was. */
export function knownRepository(stateDir: string, set: string): string | null {
  try {
    return hex64.safeParse(readFileSync(join(stateDir, 'repositories', set), 'utf8')).data ?? null
  } catch {
    return null
  }
}
