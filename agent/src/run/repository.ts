/** Which repository a run is about, also when it cannot be opened. */
import { readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError, errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { Repo } from '@bevis/shared/evidence/predicates'
import { hex64 } from '@bevis/shared/format'
import type { SetConfig } from '../config.ts'
import { publicLocation } from '../restic/location.ts'
import type { Restic, Snapshot, Survey } from '../restic/restic.ts'

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

export interface RepositoryContext {
  readonly set: SetConfig
  readonly restic: Restic
  readonly stateDir: string
  readonly signal?: AbortSignal
}

/** A repository in one place. */
export type Copy = Pick<Repo, 'id' | 'location'>

/** What a repository holds, and when that was asked. */
export interface Listing {
  readonly identity: Identity
  readonly takenAt: Date
  readonly listed: readonly Snapshot[] | BevisError
}

/** A failure must be recorded too, and a statement names its repository: so the last known ID is remembered. */
export async function identifyRepository(context: RepositoryContext): Promise<Identity> {
  await unlockLeftBehind(context)
  return identify(context)
}

/**
 * As above, and meanwhile something else that opens the repository: nearly all the time of both is to derive a key.
 * Which it is, is not asked again while its config is the same file; whether it can be opened, the other work says.
 * A repository that cannot be named has the other stopped, and nothing that came of it counts.
 */
export async function identifyBeside<T>(
  context: RepositoryContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<{ identity: Identity; result: T | null }> {
  await unlockLeftBehind(context)
  // The first restic of a set makes its cache. Beside a first backup the naming has failed, rarely, and cost it.
  if (knownConfig(context.stateDir, context.set.id).id === null) {
    const identity = await identifyAgain(context)
    const { signal = new AbortController().signal } = context
    return { identity, result: identity.error ? null : await work(signal) }
  }
  const shut = new AbortController()
  const signal = AbortSignal.any([shut.signal, ...(context.signal ? [context.signal] : [])])
  const asked = identifyAgain(context).then((identity) => {
    if (identity.error) shut.abort()
    return identity
  })
  const [identity, result] = await Promise.all([asked, work(signal)])
  return { identity, result: identity.error ? null : result }
}

/** Which repository it is and what snapshots it has, as above. */
export async function surveyRepository(
  context: RepositoryContext,
): Promise<{ identity: Identity; listed: Survey | BevisError }> {
  await unlockLeftBehind(context)
  const { restic, signal } = context
  const listing = restic.survey(signal ? { signal } : {}).catch(toBevisError)
  const [identity, listed] = await Promise.all([identifyAgain(context), listing])
  return { identity, listed: identity.error ?? listed }
}

/** A lock that a killed restic of ours left would keep the repository shut for every run to come. */
async function unlockLeftBehind({ restic, signal }: RepositoryContext): Promise<void> {
  await restic.unlockOwn(signal ? { signal } : {}).catch(() => [])
}

async function identifyAgain(context: RepositoryContext): Promise<Identity> {
  const { restic, set, stateDir } = context
  const { id, config } = knownConfig(stateDir, set.id)
  const isSame = id !== null && config !== undefined && restic.configDigest() === config
  if (isSame) return { repository: { id, ...namesOf(context) }, error: null }
  const identity = await identify(context)
  // What restic has no word for may be of the moment, and a name is not worth a night's backup.
  return identity.error?.code === 'RESTIC_FAILED' ? identify(context) : identity
}

async function identify(context: RepositoryContext): Promise<Identity> {
  const { restic, set, stateDir, signal } = context
  const folder = join(stateDir, 'repositories')
  const file = join(folder, set.id)
  const known = knownConfig(stateDir, set.id)
  try {
    const before = restic.configDigest()
    const id = await restic.repositoryId(signal ? { signal } : {})
    // Another config by now would be another's ID.
    const config = restic.configDigest() === before ? before : undefined
    if (id !== known.id || config !== known.config) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const lines = config === undefined ? id : `${id}\n${config}`
      await writeFile(`${file}.part`, lines, { mode: 0o600, flush: true })
      await rename(`${file}.part`, file)
    }
    return { repository: { id, ...namesOf(context) }, error: null }
  } catch (cause) {
    const id = known.id ?? UNKNOWN_REPOSITORY
    return { repository: { id, ...namesOf(context) }, error: toBevisError(cause) }
  }
}

function namesOf({ set, restic }: RepositoryContext): Pick<Repo, 'lineage' | 'location'> {
  const { lineage } = set.repository
  return { ...(lineage !== undefined && { lineage }), location: restic.location }
}

function toBevisError(cause: unknown): BevisError {
  return cause instanceof BevisError
    ? cause
    : new BevisError(errorCodeOf(cause), errorMessageOf(cause), { cause })
}

/** The ID of a set's repository as it was when it was last opened; null when it never was. */
export function knownRepository(stateDir: string, set: string): string | null {
  return knownConfig(stateDir, set).id
}

/** As above, and where the set has it. */
export function knownCopy(stateDir: string, set: SetConfig): Copy | null {
  const id = knownRepository(stateDir, set.id)
  return id === null ? null : { id, location: publicLocation(set.repository.url) }
}

/**
 * The name of a file about one copy of a repository: byte copies of it have its ID, and what was seen of one says nothing
 * of the others.
 */
export function nameOfCopy({ id, location }: Copy): string {
  return `${id}-${sha256Hex(location).slice(0, 16)}`
}

/** With the digest of the config that it was read from, where that could be looked at. */
function knownConfig(stateDir: string, set: string): { id: string | null; config: string | undefined } {
  try {
    const lines = readFileSync(join(stateDir, 'repositories', set), 'utf8').split('\n')
    const [id, config] = lines.map((line) => hex64.safeParse(line).data)
    return { id: id ?? null, config }
  } catch {
    return { id: null, config: undefined }
  }
}
