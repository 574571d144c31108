/** What may be removed of one set, and everything that stands against removing anything at all. */
import { hostname } from 'node:os'
import { covers } from '@bevis/shared/contract/cover'
import { parseDuration } from '@bevis/shared/contract/duration'
import { indexFacts } from '@bevis/shared/contract/facts'
import { DAY_MS } from '@bevis/shared/contract/local'
import { planRetention } from '@bevis/shared/contract/retention'
import type { PlannedSnapshot, RetentionPlan } from '@bevis/shared/contract/retention'
import { policyAsRestic } from '@bevis/shared/contract/retention-policy'
import type { Contract } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'
import { inventoryDelta } from '@bevis/shared/evidence/inventory'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { Repo, Snap } from '@bevis/shared/evidence/predicates'
import { STATEMENT_TYPE } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { toInstant } from '@bevis/shared/format'
import type { SetConfig } from '../config.ts'
import type { OwnRun } from '../evidence/own-runs.ts'

export interface PlanRequest {
  readonly set: SetConfig
  /** Every set of this configuration that shares the repository, this one included. */
  readonly sharing: readonly SetConfig[]
  /** The texts by which it is judged: what any of them owes stays. The first is the one that decides. */
  readonly contracts: readonly [Contract, ...Contract[]]
  readonly repository: Repo
  /** A complete listing, taken at `at`. */
  readonly listed: readonly Snap[]
  readonly own: readonly OwnRun[]
  readonly at: Date
}

export interface SetPlan {
  readonly plan: RetentionPlan
  readonly go: readonly PlannedSnapshot[]
  readonly stay: readonly PlannedSnapshot[]
  /** Owed by nobody, and nobody knows whose: whoever made them sees to them. */
  readonly foreign: readonly PlannedSnapshot[]
  /** Whether any of the texts would owe a snapshot of this start. */
  readonly isOwedAt: (start: Date) => boolean
  /** What restic would have to be told for about the same; for people, never used. */
  readonly policy: readonly string[]
}

/** Backups that are so late have stopped, whatever their schedule: the last ones must not go by the calendar. */
const STOPPED_MS = 8 * DAY_MS

function stoppedAfterMs({ schedule }: RetentionPlan['terms']): number {
  const { months, days, elapsedMs } = parseDuration(schedule.every)
  return Math.max(STOPPED_MS, 2 * ((months * 31 + days) * DAY_MS + elapsedMs))
}

/** @throws BevisError RETENTION_REFUSED */
export function planSet(request: PlanRequest): SetPlan {
  const { set, contracts, own, repository, listed, at } = request
  const [contract] = contracts
  if (set.contract !== undefined && set.contract !== contract.id)
    throw refused(`the set is configured for ${set.contract}, and the text is that of ${contract.id}`)
  const index = indexFacts([...own, inventoryFact(repository, listed, at)])
  const plans = contracts.map((text) => planRetention({ contract: text, set: set.id, index, at }))
  const [plan] = plans
  if (plan === undefined) throw refused('there is no contract')
  const newestMs = plan.newestStart === null ? -Infinity : Date.parse(plan.newestStart)
  if (at.getTime() - newestMs > stoppedAfterMs(plan.terms))
    throw refused(
      plan.newestStart === null
        ? 'no snapshot is known to be whole: nothing goes before there is one'
        : `the newest whole backup is from ${plan.newestStart}: nothing goes while there is no newer one`,
    )
  /** By those readings that keep it. */
  const kept = new Map<string, PlannedSnapshot>()
  for (const one of plans.flatMap(({ snapshots }) => snapshots.filter(({ goes }) => !goes))) {
    const known = kept.get(one.id)
    kept.set(one.id, known ? { ...known, reasons: [...known.reasons, ...one.reasons] } : one)
  }
  const surplus = plan.snapshots.filter(({ id }) => !kept.has(id))
  const makerOf = makersOf(request)
  const isOwn = ownershipOf(request, plan, makerOf)
  return {
    plan,
    go: surplus.filter(isOwn),
    stay: plan.snapshots.flatMap(({ id }) => kept.get(id) ?? []),
    foreign: surplus.filter((one) => !isOwn(one) && makerOf(one.id) === undefined),
    isOwedAt: (start) => plans.some((one) => one.isOwedAt(start)),
    policy: policyAsRestic(plan.terms, request.sharing.length > 1 ? request.set.paths : []),
  }
}

/** The set for which this agent made a snapshot; undefined where it did not, or has forgotten. */
function makersOf({ own, listed }: PlanRequest): (id: string) => string | undefined {
  const makers = new Map<string, string>()
  for (const { statement } of own) {
    const { predicate } = statement
    if ('outcome' in predicate && 'snapshot' in predicate && predicate.snapshot)
      makers.set(predicate.snapshot.id, predicate.set)
  }
  const originals = new Map(listed.map(({ id, original }) => [id, original]))
  return (id) => makers.get(id) ?? makers.get(originals.get(id) ?? '')
}

/** A snapshot is the set's if this agent made it for the set; else if it cannot be anybody else's. */
function ownershipOf(
  { set, sharing, listed }: PlanRequest,
  { terms }: RetentionPlan,
  makerOf: (id: string) => string | undefined,
): (one: PlannedSnapshot) => boolean {
  const byId = new Map(listed.map((snap) => [snap.id, snap]))
  const others = sharing.filter(({ id }) => id !== set.id)
  return ({ id }) => {
    const maker = makerOf(id)
    if (maker !== undefined) return maker === set.id
    const snap = byId.get(id)
    return (
      snap !== undefined &&
      snap.host === hostname() &&
      covers(snap.paths, terms.selector.requiredPaths) &&
      !others.some(({ paths }) => paths.some((path) => covers(snap.paths, [path])))
    )
  }
}

/** The listing as a fact: it has not been stated yet when it is judged by. */
export function inventoryFact(repository: Repo, listed: readonly Snap[], at: Date): OwnRun {
  const takenAt = toInstant(at)
  const predicate = { repository, takenAt, complete: true, ...inventoryDelta(null, listed) }
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [],
    predicateType: predicateTypeOf('inventory'),
    predicate,
  }
  return { receivedAt: takenAt, statement: statement as unknown as Statement }
}

export function refused(message: string, cause?: unknown): BevisError {
  return new BevisError('RETENTION_REFUSED', message, { cause })
}
