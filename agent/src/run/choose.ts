/**
 * Which snapshots a test is about: the set's newest, and with a sample those older ones whose turn it is, and those that
 * restic cannot read, of which a manifest says that they are the set's.
 */
import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import type { Snap } from '@bevis/shared/evidence/predicates'
import { snapOf } from '../evidence/observe.ts'
import { findManifest, listManifests, openManifest } from '../manifest/file.ts'
import type { ManifestFile } from '../manifest/file.ts'
import type { Snapshot, Survey } from '../restic/restic.ts'
import { nanosecondsOf } from '../restic/time.ts'
import { isWithin } from '../tree/path.ts'

export interface ChoiceRequest {
  /** What the repository holds, or why it cannot be opened. */
  readonly listed: Survey | BevisError
  /** Of the set's manifests. */
  readonly folder: string
  readonly paths: readonly string[]
  readonly host: string
  readonly at: Date
  readonly snapshotId?: string
  /** Whoever named the snapshot may only name one of this set. */
  readonly isOwnOnly?: boolean
  /** There is room for one. */
  readonly isOne?: boolean
  /** Chooses among the set's snapshots before the newest, oldest first; null: none of them. */
  readonly olderOf: ((ids: readonly string[], newest: string) => readonly string[]) | null
}

export interface Chosen {
  /** The newest, or the one that was named; then the others. */
  readonly snapshots: readonly Snap[]
  /** Of these, those whose turn it is. */
  readonly older: ReadonlySet<string>
  /** Cannot be read, and nobody knows whose they are. */
  readonly unknown: readonly string[]
  /** Set: none of them can be tested now, which has to be told of each. */
  readonly error: BevisError | null
}

/** Unreadable ones that one test takes along. */
const MOST_UNREADABLE = 20

/** A clock that was put right since the backup. What is dated later than this is not the newest, whatever comes. */
const AHEAD_MS = 10 * 60_000

/**
 * @throws BevisError what keeps the repository shut; NOTHING_TO_TEST when no snapshot is known at all; USAGE when
 * the repository has none of the wanted name; RESTIC_REPOSITORY_DAMAGED when that is all that is known of it
 */
export async function chooseSnapshots(request: ChoiceRequest): Promise<Chosen> {
  const { listed, snapshotId } = request
  const nothing = { older: new Set<string>(), unknown: [] }
  if (listed instanceof BevisError) {
    const known = await lastKnown(request)
    if (!known) throw listed
    return { ...nothing, snapshots: [known], error: listed }
  }
  const own = byNewest(
    listed.snapshots.filter((one) => isOfSet(one, request)),
    request,
  )
  const { unreadable, unknown } = await knownOf(listed.unreadable, request)
  if (snapshotId !== undefined) {
    const readable = (request.isOwnOnly ? own : listed.snapshots).map(snapOf)
    const named = nameOne([...readable, ...unreadable], unknown, snapshotId)
    return { ...nothing, snapshots: [named], error: null }
  }
  const isOthers = own.length === 0 ? () => false : await othersOf(request)
  const readable = own.find((one) => !isOthers(one))
  const others = own.filter((one) => one !== readable)
  const [damaged] = unreadable
  if (!readable && !damaged) {
    const but = others.length > 0 ? ', but those of other sets' : ''
    const message = `the repository holds no snapshot of ${request.paths.join(', ')} from ${request.host}${but}`
    throw unknown.length > 0 ? unreadableOnes(unknown) : new BevisError('NOTHING_TO_TEST', message)
  }
  const newest = readable ? [snapOf(readable)] : []
  // The newest is the newest, whether or not it can be read.
  const isDamagedNewer = damaged !== undefined && byNewest([...newest, damaged], request)[0] === damaged
  if (request.isOne === true)
    return { ...nothing, snapshots: isDamagedNewer ? [damaged] : newest, unknown, error: null }
  const byId = new Map(others.map((one) => [one.id, one]))
  const turns = readable ? (request.olderOf?.([...byId.keys()].toReversed(), readable.id) ?? []) : []
  const older = turns.flatMap((id) => byId.get(id) ?? []).map(snapOf)
  const all = unreadable.slice(0, request.olderOf ? MOST_UNREADABLE : isDamagedNewer ? 1 : 0)
  const first = isDamagedNewer ? [...all.slice(0, 1), ...newest, ...all.slice(1)] : [...newest, ...all]
  return { snapshots: [...first, ...older], older: new Set(older.map(({ id }) => id)), unknown, error: null }
}

/** Of snapshots that cannot be read the set's own manifests still say what they are; the newest first. */
async function knownOf(
  ids: readonly string[],
  request: ChoiceRequest,
): Promise<{ unreadable: Snap[]; unknown: string[] }> {
  const { folder } = request
  const unreadable: Snap[] = []
  const unknown: string[] = []
  const folders = ids.length === 0 ? [] : await foldersBeside(folder)
  for (const id of ids) {
    const found = await findManifest(folder, id)
    const snap = found && (await snapIn(found))
    const others = await Promise.all(folders.map((one) => findManifest(one, id)))
    if (snap) unreadable.push(snap)
    else if (others.every((other) => other === null)) unknown.push(id)
  }
  return { unreadable: byNewest(unreadable, request), unknown }
}

/**
 * Newest first. Those from the future come last, since they have no place of their own: one that came first would keep
 * every later backup from being tested until its date.
 */
function byNewest<T extends { readonly time: string }>(
  snapshots: readonly T[],
  { at }: Pick<ChoiceRequest, 'at'>,
): T[] {
  const aheadNs = BigInt(at.getTime() + AHEAD_MS) * 1_000_000n
  return snapshots
    .map((one) => ({ one, ns: nanosecondsOf(one.time) }))
    .map(({ one, ns }) => ({ one, ns, isAhead: ns > aheadNs }))
    .toSorted((one, other) => Number(one.isAhead) - Number(other.isAhead) || (one.ns < other.ns ? 1 : -1))
    .map(({ one }) => one)
}

/**
 * What another set backed up, though it holds this set's paths: of `/` with excludes, say. Such a snapshot has its turn
 * among the older ones, since a contract may count it; but it is not this set's newest. Under the very same paths it is
 * this set's too, that may have had another name.
 */
async function othersOf({ folder, paths }: ChoiceRequest): Promise<(one: Snapshot) => boolean> {
  const idsIn = async (one: string): Promise<string[]> =>
    (await listManifests(one)).map(({ snapshot }) => snapshot)
  const own = new Set(await idsIn(folder))
  const folders = await foldersBeside(folder)
  const others = new Set((await Promise.all(folders.map(idsIn))).flat())
  const scope = paths.map((path) => resolve(path)).toSorted()
  return ({ id, original = id, paths: held }) =>
    [id, original].some((one) => others.has(one)) &&
    ![id, original].some((one) => own.has(one)) &&
    held.toSorted().join('\n') !== scope.join('\n')
}

/** Of the other sets of this configuration, which may share the repository. */
async function foldersBeside(folder: string): Promise<string[]> {
  const above = dirname(folder)
  const entries = await readdir(above, { withFileTypes: true }).catch(() => [])
  return entries
    .flatMap((one) => (one.isDirectory() ? join(above, one.name) : []))
    .filter((one) => one !== folder)
}

/** Null: a damaged manifest names no snapshot. */
async function snapIn(found: ManifestFile): Promise<Snap | null> {
  try {
    const { header, entries } = await openManifest(found)
    await entries.return(undefined)
    return header.snapshot
  } catch {
    return null
  }
}

export function unreadableOnes(ids: readonly string[]): BevisError {
  const message = `restic cannot read ${ids.length} snapshot files, first ${ids[0]}; whose they are is not known`
  return new BevisError('RESTIC_REPOSITORY_DAMAGED', message)
}

/** The set's snapshots are this host's, and hold each of its paths. */
function isOfSet({ hostname, paths }: Snapshot, request: ChoiceRequest): boolean {
  return (
    hostname === request.host && request.paths.every((path) => paths.some((held) => isWithin(path, held)))
  )
}

function nameOne(known: readonly Snap[], unknown: readonly string[], wanted: string): Snap {
  const isWanted = (id: string): boolean => /^[0-9a-f]{8,64}$/.test(wanted) && id.startsWith(wanted)
  const found = known.filter(({ id }) => isWanted(id))
  const hidden = unknown.filter(isWanted)
  const [only] = found
  if (only && found.length + hidden.length === 1) return only
  if (hidden.length === 1 && !only) throw unreadableOnes(hidden)
  const message = `${only ? 'more than one' : 'no'} snapshot ${wanted}: give its ID, at least 8 digits`
  throw new BevisError('USAGE', message)
}

/** When the repository does not answer, the last manifest still says what should be in it. */
async function lastKnown({ folder, snapshotId = '' }: ChoiceRequest): Promise<Snap | null> {
  const manifests = await listManifests(folder)
  for (const found of manifests.toReversed()) {
    if (!found.snapshot.startsWith(snapshotId)) continue
    const snap = await snapIn(found)
    // Where a manifest is damaged, an older one may still name a snapshot.
    if (snap) return snap
  }
  return null
}
