/** Between which instants of an outside clock a statement was made and logged. */

/** A verified stamp over a checkpoint of the log. */
export interface LoggedStamp {
  /** How many leaves the checkpoint signs that was stamped. */
  readonly size: number
  /** Where its token lies in the log; null while it is not in the log that is looked at. */
  readonly leafIndex: number | null
  readonly genTime: string
  readonly accuracyMs: number
  readonly validUntil: string
  readonly authority: string
}

/** A statement's place: what its own signature embeds, and where the log has it. */
export interface Placed {
  /** How many leaves its agent had verified when it was made; null or 0 for none. */
  readonly embeddedSize: number | null
  readonly leafIndex: number
}

/** Null where nothing proves it. Instants. */
export interface ProvenBounds {
  /** It was made after this: the checkpoint that it embeds holds a token of then. */
  readonly madeAfter: string | null
  /** It was logged after this: the token lies before it in the log. */
  readonly loggedAfter: string | null
  /** It was made and logged before this: the first stamp over a checkpoint that includes it. */
  readonly before: string | null
}

/**
 * The stamps that can be relied on at an instant: those whose certificates are valid, and those that had been
 * stamped anew, as leaves of a later stamped checkpoint, before their own ended.
 */
export function standingStamps(stamps: readonly LoggedStamp[], at: Date): LoggedStamp[] {
  const standing: LoggedStamp[] = []
  // From the newest checkpoint down: whatever vouches for a token covers a larger one.
  for (const stamp of stamps.toSorted((a, b) => b.size - a.size)) {
    const { leafIndex, validUntil } = stamp
    const isValid = Date.parse(validUntil) >= at.getTime()
    const isRenewed = (other: LoggedStamp): boolean =>
      leafIndex !== null && other.size > leafIndex && latestOf(other) <= Date.parse(validUntil)
    if (isValid || standing.some(isRenewed)) standing.push(stamp)
  }
  return standing.toSorted((a, b) => a.size - b.size)
}

/** Works out bounds for many statements; the stamps are looked through once. */
export function provenBounds(stamps: readonly LoggedStamp[]): (placed: Placed) => ProvenBounds {
  const bySize = stamps.toSorted((a, b) => a.size - b.size)
  /** The earliest proof over this or any larger checkpoint: a larger one includes what the smaller one does. */
  const earliest: number[] = []
  for (const [n, stamp] of [...bySize.entries()].toReversed())
    earliest[n] = Math.min(latestOf(stamp), earliest[n + 1] ?? Infinity)
  const byLeaf = stamps
    .flatMap(({ leafIndex, ...stamp }) => (leafIndex === null ? [] : [{ ...stamp, leafIndex }]))
    .toSorted((a, b) => a.leafIndex - b.leafIndex)
  const newest: number[] = []
  for (const [n, stamp] of byLeaf.entries())
    newest[n] = Math.max(earliestOf(stamp), newest[n - 1] ?? -Infinity)
  const tokensBefore = (size: number): string | null => {
    const count = lowerBound(byLeaf.length, (n) => (byLeaf[n]?.leafIndex ?? 0) >= size)
    return count === 0 ? null : toText(newest[count - 1])
  }
  return ({ embeddedSize, leafIndex }) => ({
    madeAfter: embeddedSize === null ? null : tokensBefore(embeddedSize),
    loggedAfter: tokensBefore(leafIndex),
    before: toText(earliest[lowerBound(bySize.length, (n) => (bySize[n]?.size ?? 0) > leafIndex)]),
  })
}

/** What the bounds contradict, in words; null where they do not. `receivedAt` is the collector's claim. */
export function contradictionOf(
  { loggedAfter, before }: ProvenBounds,
  receivedAt: string,
  toleranceMs: number,
): string | null {
  const claimed = Date.parse(receivedAt)
  if (loggedAfter !== null && claimed < Date.parse(loggedAfter) - toleranceMs)
    return `received at ${receivedAt}, says the collector; what lies before it was stamped at ${loggedAfter}`
  if (before !== null && claimed > Date.parse(before) + toleranceMs)
    return `received at ${receivedAt}, says the collector; it was stamped at ${before} already`
  return null
}

function earliestOf({ genTime, accuracyMs }: Pick<LoggedStamp, 'genTime' | 'accuracyMs'>): number {
  return Date.parse(genTime) - accuracyMs
}

function latestOf({ genTime, accuracyMs }: Pick<LoggedStamp, 'genTime' | 'accuracyMs'>): number {
  return Date.parse(genTime) + accuracyMs
}

/** The first of 0 … length for which it is true; length when none is. It must stay true once it is. */
function lowerBound(length: number, isTrue: (n: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isTrue(middle)) high = middle
    else low = middle + 1
  }
  return low
}

function toText(ms: number | undefined): string | null {
  return ms === undefined || !Number.isFinite(ms) ? null : new Date(ms).toISOString()
}
