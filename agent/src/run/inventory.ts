/** THE STORY of an inventory: list every snapshot of the repository, tell what has changed, or why it is not known. */
import { BevisError } from '@bevis/shared/error'
import { inventoryDelta, inventoryDigest } from '@bevis/shared/evidence/inventory'
import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import { toInstant } from '@bevis/shared/format'
import { setDigest } from '../config.ts'
import type { SetConfig } from '../config.ts'
import { setSubject, snapOf } from '../evidence/observe.ts'
import type { Draft, Recorded, Recorder } from '../evidence/record.ts'
import { wholeOf } from '../restic/restic.ts'
import type { Restic } from '../restic/restic.ts'
import { loadInventoryBase, saveInventoryBase } from './inventory-base.ts'
import type { InventoryBase } from './inventory-base.ts'
import { surveyRepository } from './repository.ts'
import type { Listing, RunLogger } from './repository.ts'
import { holdIfMany } from './vanished.ts'

/** A whole list this often, so that a reader who lost one inventory is not lost for good. */
const WHOLE_EVERY = 20
/** A statement has at most 256 KiB; this leaves room for all else in it. */
const PART_BYTES = 160 * 1024

export interface InventoryContext {
  /** Any set of the repository: it says where it is, and names the statement. */
  readonly set: SetConfig
  readonly restic: Restic
  readonly recorder: Recorder
  /** What was listed last is kept in `<stateDir>/inventories`. */
  readonly stateDir: string
  readonly now: () => Date
  readonly logger: RunLogger
  readonly signal?: AbortSignal
}

export interface InventoryResult {
  readonly complete: boolean
  /** Snapshots in the repository; null when that is not known. */
  readonly count: number | null
  /** Since the last inventory; all of them in a whole list. */
  readonly added: number
  readonly removed: number
  readonly error: BevisError | null
  /** The last statement: a long list takes several. */
  readonly recorded: Recorded
}

type Delta = ReturnType<typeof inventoryDelta>

/**
 * Lists a repository's snapshots. Whatever goes wrong is recorded; only recording itself can throw.
 * @param known what a run has just listed
 */
export async function runInventory(context: InventoryContext, known?: Listing): Promise<InventoryResult> {
  const { stateDir, recorder } = context
  const { identity, takenAt, listed: found } = known ?? (await list(context))
  const { repository } = identity
  const last = await loadInventoryBase(stateDir, repository)
  const listed = found instanceof BevisError ? found : found.map(snapOf)
  if (listed instanceof BevisError) {
    const { code, message } = listed
    const error = { code, message: message.slice(0, 4_000) }
    const recorded = await recorder.record(
      draftOf(context, repository, takenAt, { ...unchanged(last), error }),
    )
    return { complete: false, count: null, added: 0, removed: 0, error: listed, recorded }
  }
  await holdVanished(context, repository, listed)
  const isWhole = last === null || last.deltas + 1 >= WHOLE_EVERY
  const delta = inventoryDelta(isWhole ? null : last, listed)
  let recorded: Recorded | null = null
  for (const part of partsOf(delta, isWhole ? new Set() : last.ids)) {
    recorded = await recorder.record(draftOf(context, repository, takenAt, part))
  }
  if (recorded === null) throw new BevisError('INTERNAL', 'an inventory has at least one part')
  await remember(context, repository, {
    deltas: isWhole ? 0 : last.deltas + 1,
    ids: new Set(listed.map(({ id }) => id)),
  })
  const { count, added, removed } = delta
  return { complete: true, count, added: added.length, removed: removed.length, error: null, recorded }
}

async function list(context: InventoryContext): Promise<Listing> {
  const takenAt = context.now() // a snapshot that comes while we list may be missing from the list
  const { identity, listed: found } = await surveyRepository(context)
  const listed = found instanceof BevisError ? found : wholeOf(found, identity.repository.location)
  if (listed instanceof BevisError) context.logger.warn({ err: listed }, 'the repository could not be listed')
  return { identity, takenAt, listed }
}

/**
 * A list that is too long for one statement comes in several, each relative to the one before; only the last
 * is complete, so that nobody takes what is still to come for gone.
 */
export function* partsOf(
  delta: Delta,
  base: ReadonlySet<string>,
  partBytes = PART_BYTES,
): Generator<Delta & { complete: boolean }> {
  const ids = new Set(base)
  const added = delta.added.map((snap) => fitSnap(snap, partBytes))
  const removed = [...delta.removed]
  for (let from = delta.base; ;) {
    const part = { added: take(added, partBytes), removed: take(removed, partBytes) }
    for (const { id } of part.added) ids.add(id)
    for (const id of part.removed) ids.delete(id)
    const digest = inventoryDigest(ids)
    const complete = added.length === 0 && removed.length === 0
    yield { base: from, ...part, count: ids.size, digest, complete }
    if (complete) return
    from = digest
  }
}

/** The first of them that fit into half a part, one at least; they leave the list. */
function take<T>(items: T[], partBytes: number): T[] {
  let room = partBytes / 2
  const end = items.findIndex((item) => (room -= Buffer.byteLength(JSON.stringify(item)) + 1) < 0)
  return items.splice(0, end === -1 ? items.length : Math.max(1, end))
}

/** Fewer paths than there are can only make a snapshot prove less than it could. */
function fitSnap(snap: Snap, partBytes: number): Snap {
  let room = partBytes / 4
  const paths = snap.paths.filter((path) => (room -= Buffer.byteLength(JSON.stringify(path)) + 1) >= 0)
  const tags = snap.tags?.filter((tag) => (room -= Buffer.byteLength(JSON.stringify(tag)) + 1) >= 0)
  return { ...snap, paths: paths.slice(0, 1_000), ...(tags && { tags: tags.slice(0, 1_000) }) }
}

/** What an inventory says that could not be taken: nothing new. */
function unchanged(last: InventoryBase | null): Delta & { complete: false } {
  const ids = last?.ids ?? new Set<string>()
  const base = last?.digest ?? null
  return { complete: false, base, added: [], removed: [], count: ids.size, digest: inventoryDigest(ids) }
}

/** Before this listing is what the next one is held against. */
async function holdVanished(
  { stateDir, set, now, logger }: InventoryContext,
  repository: Repo,
  listed: readonly Snap[],
): Promise<void> {
  try {
    const isHeld = await holdIfMany({ stateDir, set: set.id, repository, listed, now: now() })
    if (isHeld) logger.warn({ set: set.id }, 'many snapshots are gone: retention is held')
  } catch (err) {
    logger.warn({ set: set.id, err }, 'many snapshots are gone, and retention could not be held')
  }
}

/** What cannot be kept costs a whole list next time, no more. */
async function remember(
  { stateDir, logger }: InventoryContext,
  repository: Repo,
  base: Omit<InventoryBase, 'digest'>,
): Promise<void> {
  try {
    await saveInventoryBase(stateDir, repository, base)
  } catch (error) {
    logger.warn({ err: error }, 'the inventory could not be kept; the next one is a whole list')
  }
}

function draftOf(
  { set, restic }: InventoryContext,
  repository: Repo,
  takenAt: Date,
  said: Delta & { complete: boolean; error?: { code: string; message: string } },
): Draft<'inventory'> {
  return {
    name: 'inventory',
    subject: setSubject(set.id, setDigest(set)),
    predicate: { tools: { restic: restic.version }, repository, takenAt: toInstant(takenAt), ...said },
  }
}
