import { sha256 } from '@bevis/shared/crypto'
import { parseDuration } from '../quantity.ts'
import { readCron } from '../cron.ts'
import type { Cron } from '../cron.ts'
import { placeOf } from '../restic/location.ts'
import type { Mark, Work } from './mark.ts'

/** The part of a set's configuration that says when. */
export interface Scheduled {
  readonly id: string
  readonly repository: { readonly url: string }
  readonly backup: { readonly cron?: string; readonly timezone: string; readonly jitter: string }
  readonly restoreTest: {
    readonly cron?: string
    readonly timezone?: string
    readonly jitter: string
    readonly files: number
    readonly fullEvery?: string
  }
  readonly inventory: { readonly every: string }
  readonly dataCheck?: { readonly cron?: string; readonly timezone?: string; readonly jitter: string }
  readonly deletionProbe?: { readonly every?: string }
  readonly retention?: { readonly fromContract: boolean; readonly every: string }
}

/** One kind of work on one set, and when it is due. */
export interface Plan {
  readonly set: string
  readonly what: Work
  /** What no two runs may work on at once. */
  readonly repository: string
  /**
   * The instant since which a run is owed, or null when none is. A run that was missed while the machine was off,
   * asleep or busy stays owed: one run, however many were missed.
   */
  owedSince(mark: Mark, now: Date): Date | null
  /** When it is due next, if nothing is missed. */
  next(mark: Mark, now: Date): Date | null
}

/** Everything that is done on a schedule. A repository that several sets share is listed once. */
export function plansOf(sets: readonly Scheduled[]): Plan[] {
  return sets.flatMap((set) => [
    ...cronPlan(set, 'backup', set.backup.cron, set.backup.timezone, set.backup.jitter),
    ...(set.id === inventoryKeeper(sets, set.repository.url)?.id ? [inventoryPlan(sets, set)] : []),
    ...cronPlan(
      set,
      'restore-test',
      set.restoreTest.cron,
      set.restoreTest.timezone ?? set.backup.timezone,
      set.restoreTest.jitter,
    ),
    ...cronPlan(
      set,
      'data-check',
      set.dataCheck?.cron,
      set.dataCheck?.timezone ?? set.backup.timezone,
      set.dataCheck?.jitter ?? 'PT0S',
    ),
    // Each set for itself: a probe says something about the credentials that it was made with.
    ...(set.deletionProbe?.every === undefined
      ? []
      : [intervalPlan(set, 'deletion-probe', parseDuration(set.deletionProbe.every))]),
    // The first run only shows what a later one removes.
    ...(set.retention?.fromContract === true
      ? [intervalPlan(set, 'retention', parseDuration(set.retention.every))]
      : []),
  ])
}

/** More than a clock is put back by while it is kept right; beyond it, nothing that is stated counts anyway. */
const PUT_BACK_MS = 5 * 60_000

/**
 * Whether a run was marked at a time that has not come: by a clock that was wrong and has been put right. When it
 * ran nobody knows, so it must not keep anything from running until that time comes.
 */
export function isFromAhead({ startedAt }: Pick<Mark, 'startedAt'>, now: Date): boolean {
  return Date.parse(startedAt) > now.getTime() + PUT_BACK_MS
}

/** Tests that were asked for, as soon as they can be: `askedAt` says since when one waits, null for none. */
export function requestPlans(
  sets: readonly Pick<Scheduled, 'id' | 'repository'>[],
  askedAt: (set: string) => Date | null,
): Plan[] {
  return sets.map((set) => ({
    set: set.id,
    what: 'requested-test',
    repository: placeOf(set.repository.url),
    owedSince: () => askedAt(set.id),
    next: () => askedAt(set.id),
  }))
}

/** The set under whose name the inventories of a repository are kept. */
export function inventoryKeeper<S extends { repository: { url: string } }>(
  sets: readonly S[],
  repository: string,
): S | undefined {
  const place = placeOf(repository)
  return sets.find((set) => placeOf(set.repository.url) === place)
}

function cronPlan(
  set: Scheduled,
  what: Work,
  expression: string | undefined,
  timezone: string,
  jitter: string,
): Plan[] {
  if (expression === undefined) return []
  const cron: Cron = readCron(expression, timezone)
  const delayed = (slot: Date | null): Date | null =>
    slot === null
      ? null
      : new Date(slot.getTime() + jitterMs(`${set.id}\n${what}\n${slot.toISOString()}`, jitter))
  return [
    {
      set: set.id,
      what,
      repository: placeOf(set.repository.url),
      owedSince(mark, now) {
        const slot = cron.before(now)
        const due = delayed(slot)
        if (slot === null || due === null) return null
        if (slot.getTime() <= Date.parse(mark.startedAt) && !isFromAhead(mark, now)) return null
        return due.getTime() <= now.getTime() ? due : null
      },
      next: (_, now) => delayed(cron.after(now)),
    },
  ]
}

function inventoryPlan(sets: readonly Scheduled[], keeper: Scheduled): Plan {
  const place = placeOf(keeper.repository.url)
  const sharing = sets.filter(({ repository }) => placeOf(repository.url) === place)
  const everyMs = Math.min(...sharing.map(({ inventory }) => parseDuration(inventory.every)))
  return intervalPlan(keeper, 'inventory', everyMs)
}

/** What was never done is done at once: nothing can be told without it. */
function intervalPlan(set: Scheduled, what: Work, everyMs: number): Plan {
  const dueAt = (mark: Mark, now: Date): Date => {
    if (isFromAhead(mark, now)) return now
    return new Date(mark.outcome === 'new' ? mark.startedAt : Date.parse(mark.startedAt) + everyMs)
  }
  return {
    set: set.id,
    what,
    repository: placeOf(set.repository.url),
    owedSince: (mark, now) => (dueAt(mark, now).getTime() <= now.getTime() ? dueAt(mark, now) : null),
    next: (mark, now) => new Date(Math.max(dueAt(mark, now).getTime(), now.getTime())),
  }
}

/** A point of the span that is the same each time it is asked for, so that a restart does not draw again. */
function jitterMs(slot: string, span: string): number {
  const bytes = sha256(new TextEncoder().encode(slot))
  const fraction = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32
  return Math.floor((fraction * parseDuration(span)) / 1000) * 1000
}
