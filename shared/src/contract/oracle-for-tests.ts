/**
 * The contract specification once more, written as plainly as its tables are and with nothing of the engine: every
 * instant by Temporal, every state looked up anew among all that happened. Slow, and only for tests.
 */
import type { ObligationState, Verdict } from './answer.ts'

export interface World {
  /** By their start. `run`: null for a snapshot that nobody reported. */
  backups: { id: string; start: number; run: { end: number; isWhole: boolean } | null; covers: boolean }[]
  /** `ids`: what a complete one listed; null for one that failed. */
  inventories: { takenAt: number; ids: ReadonlySet<string> | null }[]
  tests: { snapshot: string; end: number; passed: boolean }[]
  retentions: { start: number; end: number; removed: readonly string[]; pruned: boolean }[]
}

export interface OracleTier {
  per: 'hour' | 'day' | 'week' | 'month' | 'year' | 'fiscalYear'
  keep: number
  countBasis: 'calendar' | 'expected'
  anchor?: number
  fyEnd?: string
  closeAfter?: string
}

export interface OracleTerms {
  effectiveFrom: string
  policy: 'extend-live' | 'prospective'
  tiers: OracleTier[]
}

export interface OracleContract {
  zone: string
  dayStartsAt: string
  business: boolean
  closed: ReadonlySet<string>
  lateGrace: string
  every: string
  onboardedAt: string
  maxAge: string | null
  purgeGrace: string
  test: { every: string; grace: string } | null
  exclusions: { from: string; to: string }[]
  versions: OracleTerms[]
}

export interface OracleObligation {
  tier: string
  from: number
  due: number
  keepUntil: number
  state: ObligationState
  /** A satisfying snapshot stands in the newest inventory, however old that is. */
  hasWitness: boolean
}

interface Bucket {
  from: number
  to: number
}

const FRESH = 'PT26H'
const UNKNOWN = 'PT72H'
const SILENCE = 'P7D'

export class Oracle {
  readonly #contract: OracleContract
  readonly #world: World
  readonly #at: number

  constructor(contract: OracleContract, world: World, at: number) {
    this.#contract = contract
    this.#world = world
    this.#at = at
  }

  obligations(): OracleObligation[] {
    const { versions } = this.#contract
    const begun = versions.filter((version) => this.#midnight(version.effectiveFrom) <= this.#at)
    return begun.flatMap((version, place) => {
      const from = this.#midnight(version.effectiveFrom)
      const next = begun[place + 1]
      const to = next === undefined ? Infinity : this.#midnight(next.effectiveFrom)
      return version.tiers.flatMap((tier) =>
        this.#buckets(tier)
          .filter((bucket) => bucket.from >= from && bucket.from < to && bucket.from <= this.#at)
          .filter((bucket) => bucket.from >= this.#dayStart(this.#onboarded(versions)))
          .filter((bucket) => this.#isExpected(tier, bucket))
          .map((bucket) => this.#judge(tier, bucket, begun.slice(place + 1))),
      )
    })
  }

  dimensions(obligations: readonly OracleObligation[]): Record<string, Verdict> {
    const live = obligations.filter(({ keepUntil }) => keepUntil > this.#at)
    const points: Verdict[] = [this.#recoveryPoint()]
    const retention: Verdict[] = []
    for (const { state, hasWitness } of live) {
      if (state === 'missed') points.push('breached')
      if (state === 'late') points.push('at-risk')
      if (state === 'unknown') (hasWitness ? retention : points).push('unknown')
      if (state === 'lost') retention.push('breached')
      if (state === 'stale') retention.push('at-risk')
    }
    return {
      points: worst(points),
      retention: worst(retention),
      ceiling: this.#contract.maxAge === null ? 'not-applicable' : worst(this.#ceilings()),
      proof: this.#contract.test === null ? 'not-applicable' : this.#proof(this.#contract.test),
      evidence: this.#silence(),
    }
  }

  #judge(tier: OracleTier, bucket: Bucket, later: readonly OracleTerms[]): OracleObligation {
    let keepUntil = this.#keepUntil(tier, bucket)
    let name = `${tier.per}x${tier.keep}`
    for (const version of later) {
      const effect = this.#midnight(version.effectiveFrom)
      const pair = version.tiers.find(({ per }) => per === tier.per)
      if (version.policy === 'prospective' || keepUntil <= effect || pair === undefined) continue
      keepUntil = Math.max(effect, this.#keepUntil(pair, bucket))
      name = `${pair.per}x${pair.keep}`
    }
    const end = tier.per === 'fiscalYear' ? this.#add(bucket.to, tier.closeAfter ?? 'P1Y') : bucket.to
    const due = this.#add(end, this.#contract.lateGrace)
    const told = { tier: name, from: bucket.from, due, keepUntil }
    if (this.#isExcused(bucket)) return { ...told, state: 'excused', hasWitness: false }
    const window = tier.per === 'fiscalYear' ? { from: bucket.to, to: end + 1 } : bucket
    const live = { window, anchor: tier.anchor, end, due, keepUntil }
    if (this.#at < keepUntil) return { ...told, ...this.#stateAt(live, this.#at) }
    const { state, hasWitness } = this.#stateAt(
      { ...live, end: Math.min(end, keepUntil), due: Math.min(due, keepUntil) },
      keepUntil,
    )
    const last = state === 'met' || state === 'stale' ? 'discharged' : state
    return { ...told, state: last, hasWitness }
  }

  /** Rows 3 to 8 of the table. */
  #stateAt(
    one: { window: Bucket; anchor: number | undefined; end: number; due: number; keepUntil: number },
    at: number,
  ): { state: ObligationState; hasWitness: boolean } {
    const inventory = this.#newest(at, one.keepUntil)
    const inWindow = this.#world.backups.filter(
      ({ start }) =>
        start >= one.window.from &&
        start < one.window.to &&
        (one.anchor === undefined || this.#weekday(start) === one.anchor),
    )
    const satisfying = inWindow.filter((backup) => this.#satisfies(backup, at))
    if (inventory !== undefined) {
      if (satisfying.some(({ id }) => inventory.ids.has(id))) {
        const state =
          at <= this.#add(inventory.takenAt, FRESH)
            ? 'met'
            : at <= this.#add(inventory.takenAt, UNKNOWN)
              ? 'stale'
              : 'unknown'
        return { state, hasWitness: true }
      }
    }
    if (at < one.end) return { state: 'pending', hasWitness: false }
    if (at < one.due) return { state: 'late', hasWitness: false }
    if (inventory !== undefined) {
      const listedBefore = (id: string) =>
        this.#complete().some(({ takenAt, ids }) => takenAt <= inventory.takenAt && ids.has(id))
      if (satisfying.some(({ id }) => listedBefore(id))) return { state: 'lost', hasWitness: false }
      const unattested = inWindow.some(
        ({ id, run, covers, start }) =>
          covers &&
          start <= at &&
          inventory.ids.has(id) &&
          !this.#isRefuted(id, at) &&
          (run === null || run.end > at),
      )
      if (unattested) return { state: 'unknown', hasWitness: false }
    }
    const isSeen = inventory !== undefined && inventory.takenAt >= one.due
    return { state: isSeen ? 'missed' : 'unknown', hasWitness: false }
  }

  #satisfies({ id, run, covers }: World['backups'][number], at: number): boolean {
    if (run === null || !run.isWhole || !covers || run.end > at || this.#isRefuted(id, at)) return false
    return this.#complete().some(({ takenAt, ids }) => takenAt <= at && ids.has(id))
  }

  #failures(id: string, at: number): number {
    let failures = 0
    for (const test of this.#world.tests) {
      if (test.snapshot !== id || test.end > at) continue
      failures = test.passed ? 0 : failures + 1
    }
    return failures
  }

  #isRefuted(id: string, at: number): boolean {
    return this.#failures(id, at) >= 2
  }

  #complete(): { takenAt: number; ids: ReadonlySet<string> }[] {
    return this.#world.inventories.flatMap(({ takenAt, ids }) => (ids === null ? [] : [{ takenAt, ids }]))
  }

  #newest(at: number, before = Infinity) {
    return this.#complete().findLast(({ takenAt }) => takenAt <= at && takenAt < before)
  }

  #recoveryPoint(): Verdict {
    const at = this.#at
    const inventory = this.#newest(at)
    const newest =
      inventory &&
      this.#world.backups.findLast((one) => this.#satisfies(one, at) && inventory.ids.has(one.id))
    const limitOf = (from: number): number => {
      const { every, lateGrace } = this.#contract
      let left = this.#add(this.#add(from, every), lateGrace) - from
      for (let now = from; ;) {
        const day = this.#dayOf(now)
        const end = this.#dayStart(day.add({ days: 1 }))
        if (!this.#isIdle(day)) {
          if (now + left <= end) return now + left
          left -= end - now
        }
        now = end
      }
    }
    const from = newest?.start ?? this.#dayStart(this.#onboarded(this.#contract.versions))
    if (at <= limitOf(from)) return 'compliant'
    const keeping = this.#world.backups.some(
      ({ id, start, run, covers }) =>
        inventory?.ids.has(id) === true &&
        covers &&
        start > from &&
        start <= at &&
        (run === null || run.end > at) &&
        !this.#isRefuted(id, at) &&
        limitOf(start) >= at,
    )
    if (keeping) return 'unknown'
    return inventory !== undefined && inventory.takenAt > limitOf(from) ? 'breached' : 'unknown'
  }

  #ceilings(): Verdict[] {
    const at = this.#at
    const newest = this.#newest(at)
    const { maxAge, purgeGrace } = this.#contract
    if (newest === undefined || maxAge === null) return []
    return this.#world.backups.map(({ id, start }) => {
      const listings = this.#complete().filter(({ takenAt }) => takenAt <= at)
      const last = listings.findLast(({ ids }) => ids.has(id))
      if (last === undefined) return 'compliant'
      if (!newest.ids.has(id)) {
        const gone = listings.find(({ takenAt }) => takenAt > last.takenAt)
        const isPruned = this.#world.retentions.some(
          (run) =>
            run.pruned &&
            run.end <= at &&
            (run.removed.includes(id) || (gone !== undefined && run.start >= gone.takenAt)),
        )
        if (isPruned) return 'compliant'
      }
      const soft = this.#add(start, maxAge)
      if (at < soft) return 'compliant'
      return at < this.#add(soft, purgeGrace) ? 'at-risk' : 'breached'
    })
  }

  #proof({ every, grace }: { every: string; grace: string }): Verdict {
    const at = this.#at
    const tested = this.#world.tests.filter(({ end, snapshot }) => end <= at && this.#coversOf(snapshot))
    const last = tested.findLast(({ passed }) => passed)?.end
    const due = this.#add(last ?? this.#dayStart(this.#onboarded(this.#contract.versions)), every)
    const age: Verdict = at <= due ? 'compliant' : at <= this.#add(due, grace) ? 'at-risk' : 'breached'
    const inventory = this.#newest(at)
    // A listing from before a failure does not say that its snapshot is gone.
    const unlisted = this.#world.tests.filter(
      ({ passed, end }) => !passed && end <= at && end >= (inventory?.takenAt ?? -Infinity),
    )
    const ids = new Set([...(inventory?.ids ?? []), ...unlisted.map(({ snapshot }) => snapshot)])
    const failed = [...ids].map((id): Verdict => {
      const failures = this.#failures(id, at)
      return failures >= 2 ? 'breached' : failures === 1 ? 'at-risk' : 'compliant'
    })
    return worst([age, ...failed])
  }

  #coversOf(id: string): boolean {
    return this.#world.backups.find((one) => one.id === id)?.covers === true
  }

  #silence(): Verdict {
    const since = this.#newest(this.#at)?.takenAt ?? this.#dayStart(this.#onboarded(this.#contract.versions))
    if (this.#at > this.#add(since, SILENCE)) return 'breached'
    return this.#at > this.#add(since, FRESH) ? 'at-risk' : 'compliant'
  }

  /** Every bucket from a little before the first version to a little after the instant. */
  #buckets(tier: OracleTier): Bucket[] {
    const first = this.#date(this.#contract.versions[0]?.effectiveFrom ?? '').subtract({ years: 2 })
    const last = this.#dayOf(this.#at).add({ days: 2 })
    const buckets: Bucket[] = []
    if (tier.per === 'hour') {
      for (
        let from = this.#dayStart(this.#dayOf(this.#at).subtract({ days: 120 }));
        from <= this.#at;
        from += 3_600_000
      )
        buckets.push({ from, to: from + 3_600_000 })
      return buckets
    }
    for (let start = this.#unitStart(tier, first); Temporal.PlainDate.compare(start, last) < 0;) {
      const next = this.#nextUnit(tier, start)
      buckets.push({ from: this.#dayStart(start), to: this.#dayStart(next) })
      start = next
    }
    return buckets
  }

  #unitStart({ per, fyEnd = '12-31' }: OracleTier, day: Temporal.PlainDate): Temporal.PlainDate {
    switch (per) {
      case 'week':
        return day.subtract({ days: day.dayOfWeek - 1 })
      case 'month':
        return day.with({ day: 1 })
      case 'year':
        return day.with({ month: 1, day: 1 })
      case 'fiscalYear': {
        const [month = 12, date = 31] = fyEnd.split('-').map(Number)
        return Temporal.PlainDate.from({ year: day.year - 1, month, day: date }).add({ days: 1 })
      }
      case 'day':
      case 'hour':
        return day
    }
  }

  #nextUnit(tier: OracleTier, start: Temporal.PlainDate): Temporal.PlainDate {
    switch (tier.per) {
      case 'week':
        return start.add({ weeks: 1 })
      case 'month':
        return start.add({ months: 1 })
      case 'year':
        return start.add({ years: 1 })
      case 'fiscalYear': {
        const [month = 12, date = 31] = (tier.fyEnd ?? '12-31').split('-').map(Number)
        const before = start.subtract({ days: 1 })
        return Temporal.PlainDate.from({ year: before.year + 1, month, day: date }).add({ days: 1 })
      }
      case 'day':
      case 'hour':
        return start.add({ days: 1 })
    }
  }

  #keepUntil(tier: OracleTier, bucket: Bucket): number {
    if (tier.per === 'hour') return bucket.to + tier.keep * 3_600_000
    if (tier.per === 'fiscalYear') {
      const [month = 12, date = 31] = (tier.fyEnd ?? '12-31').split('-').map(Number)
      const end = this.#dayOf(bucket.to - 1)
      const last = Temporal.PlainDate.from({ year: end.year + tier.keep, month, day: date })
      return this.#dayStart(last.add({ days: 1 }))
    }
    let at = bucket
    for (let left = tier.keep; left > 0;) {
      const start = this.#dayOf(at.to)
      at = { from: at.to, to: this.#dayStart(this.#nextUnit(tier, start)) }
      if (tier.countBasis === 'calendar' || this.#isExpected(tier, at)) left -= 1
    }
    return at.to
  }

  #isExpected({ per }: OracleTier, bucket: Bucket): boolean {
    return (per !== 'day' && per !== 'hour') || !this.#isClosed(this.#dayOf(bucket.from))
  }

  #isClosed(day: Temporal.PlainDate): boolean {
    const { business, closed } = this.#contract
    return business && (day.dayOfWeek > 5 || closed.has(day.toString()))
  }

  #isIdle(day: Temporal.PlainDate): boolean {
    return this.#isClosed(day) || this.#isExcludedDay(day)
  }

  #isExcludedDay(day: Temporal.PlainDate): boolean {
    const text = day.toString()
    return this.#contract.exclusions.some(({ from, to }) => from <= text && text <= to)
  }

  /** Wholly within one exclusion. */
  #isExcused({ from, to }: Bucket): boolean {
    const [first, last] = [this.#dayOf(from).toString(), this.#dayOf(to - 1).toString()]
    return this.#contract.exclusions.some((one) => one.from <= first && last <= one.to)
  }

  #onboarded(versions: readonly OracleTerms[]): Temporal.PlainDate {
    const { onboardedAt } = this.#contract
    return this.#date(onboardedAt === '' ? (versions[0]?.effectiveFrom ?? '') : onboardedAt)
  }

  #date(text: string): Temporal.PlainDate {
    return Temporal.PlainDate.from(text)
  }

  #midnight(text: string): number {
    return this.#date(text).toZonedDateTime({ timeZone: this.#contract.zone }).epochMilliseconds
  }

  #dayStart(day: Temporal.PlainDate): number {
    const { zone, dayStartsAt } = this.#contract
    return day.toPlainDateTime(Temporal.PlainTime.from(dayStartsAt)).toZonedDateTime(zone).epochMilliseconds
  }

  #dayOf(instant: number): Temporal.PlainDate {
    let day = this.#local(instant).toPlainDate().add({ days: 1 })
    while (this.#dayStart(day) > instant) day = day.subtract({ days: 1 })
    return day
  }

  #weekday(instant: number): number {
    return this.#dayOf(instant).dayOfWeek
  }

  #local(instant: number): Temporal.ZonedDateTime {
    return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(this.#contract.zone)
  }

  #add(instant: number, duration: string): number {
    return this.#local(instant).add(Temporal.Duration.from(duration)).epochMilliseconds
  }
}

const ORDER: readonly Verdict[] = ['compliant', 'at-risk', 'unknown', 'breached']

function worst(verdicts: readonly Verdict[]): Verdict {
  return ORDER[Math.max(0, ...verdicts.map((one) => ORDER.indexOf(one)))] ?? 'compliant'
}
