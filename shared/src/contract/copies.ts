import type { FactIndex } from './facts.ts'
import type { Candidate } from './candidate.ts'
import type { History } from './history.ts'
import { happenedAt } from './known.ts'
import type { Lineage, Listed } from './lineage.ts'
import type { Obligation } from './obligation.ts'
import type { Point } from './point.ts'
import { idIn } from './point.ts'
import type { Copy } from './schema.ts'
import type { Judgement } from './state.ts'
import type { Opinion } from './verdict.ts'

/** A repository that holds copies, and its snapshots by the number of their first ID. */
export interface CopyPlace {
  lineage: Lineage
  ofRoot: (root: number) => readonly Point[]
}

/** An obligation that is live, and what it stands on. */
export interface Owed {
  obligation: Obligation
  judgement: Judgement
  history: History
}

/** How old the newest proof may be that the copies cannot be deleted. */
const PROBE_AGE = 'P31D'

/** One copy: whether what is owed lies there too, whether that is known, and whether it can be deleted. */
export function weighCopy(
  opinion: Opinion,
  history: History,
  copy: Copy,
  place: CopyPlace,
  owed: readonly Owed[],
  index: FactIndex,
  at: number,
): void {
  const inventory = place.lineage.newest(at)
  weighAge(opinion, history, copy, inventory, at)
  if (inventory !== undefined) {
    for (const one of owed) weighOwed(opinion, history, copy, place, inventory, one, at)
  }
  if (copy.immutableFor !== undefined) weighProbe(opinion, history, copy, place.lineage, index, at)
}

function weighAge(
  opinion: Opinion,
  { terms }: History,
  { repository }: Copy,
  inventory: Listed | undefined,
  at: number,
): void {
  const { freshFor, unknownAfter } = terms.set.evidence
  const { zone } = terms.calendar
  if (at < terms.onboardedAt) return
  const since = inventory === undefined ? terms.onboardedAt : zone.add(inventory.takenAt, freshFor)
  const unknownFrom = inventory === undefined ? since : zone.add(inventory.takenAt, unknownAfter)
  opinion.deadlines.push(since, unknownFrom)
  if (inventory !== undefined && at <= since) return
  const known = inventory !== undefined && at <= unknownFrom
  opinion.weigh(known ? 'at-risk' : 'unknown')
  opinion.find(known ? 'copy-stale' : 'copy-unknown', since, { repository }, [inventory?.fact])
}

function weighOwed(
  opinion: Opinion,
  { terms }: History,
  { repository, lag }: Copy,
  place: CopyPlace,
  inventory: Listed,
  owed: Owed,
  at: number,
): void {
  const { obligation, judgement } = owed
  const { candidate, witness, row } = judgement
  if (candidate === undefined || witness === undefined || row === 7) return
  if (isCopied(candidate.point, place, inventory, at)) return
  if (others(owed, at).some(({ point }) => isCopied(point, place, inventory, at))) return
  const due = terms.calendar.zone.add(obligation.due, lag)
  opinion.deadlines.push(due)
  opinion.weigh(at < due ? 'at-risk' : 'breached')
  const bucket = obligation.line.buckets.label(obligation.bucket)
  const detail = { repository, tier: obligation.tier, bucket, snapshot: witness }
  opinion.find(at < due ? 'copy-late' : 'copy-missing', due, detail, [inventory.fact])
}

/** Known by its first ID and its tree: copying gives a new ID and keeps both. */
function isCopied(point: Point, { lineage, ofRoot }: CopyPlace, inventory: Listed, at: number): boolean {
  const same = ofRoot(point.rootNumber)
  if (same.length === 0) return false
  const trees = new Set([point.tree])
  for (const { point: twin, since } of point.twins) if (since <= at) trees.add(twin.tree)
  return same.some((one) => trees.has(one.tree) && idIn(one, inventory, lineage, at) !== undefined)
}

/** What could stand for the obligation as well. */
function others({ obligation, judgement, history }: Owed, at: number): readonly Candidate[] {
  const { line, bucket } = obligation
  const { from, to } = line.windowOf(bucket)
  const { inventory } = judgement
  return Array.from(history.between(from, to)).filter(
    (candidate) =>
      inventory !== undefined &&
      line.isAnchored(candidate.start) &&
      history.satisfies(candidate, at) &&
      history.idIn(candidate, inventory, at) !== undefined,
  )
}

function weighProbe(
  opinion: Opinion,
  { terms }: History,
  { repository }: Copy,
  { repositories }: Lineage,
  index: FactIndex,
  at: number,
): void {
  const probes = index.probes
    .filter((probe) => repositories.has(probe.predicate.repository.id) && happenedAt(probe) <= at)
    .toSorted((a, b) => happenedAt(a) - happenedAt(b))
  const newest = probes.at(-1)
  const isCurrent = newest !== undefined && at <= terms.calendar.zone.add(happenedAt(newest), PROBE_AGE)
  const outcome = isCurrent ? newest.predicate.outcome : 'none'
  if (outcome === 'refused') return
  // However often it is probed, it is one breach, from when it was first seen.
  const before = probes.findLastIndex((probe) => probe.predicate.outcome !== newest?.predicate.outcome)
  const first = isCurrent ? probes[before + 1] : newest
  opinion.weigh(outcome === 'allowed' ? 'breached' : 'unknown')
  opinion.find(
    outcome === 'allowed' ? 'deletion-allowed' : 'deletion-unproven',
    first === undefined ? terms.onboardedAt : happenedAt(first),
    { repository, outcome },
    [first, newest],
  )
}
