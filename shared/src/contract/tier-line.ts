import type { Bucket, Buckets } from './bucket.ts'
import { bucketsOf } from './bucket.ts'
import type { Calendar } from './calendar.ts'
import { weekdayOf } from './local.ts'
import type { Tier } from './schema.ts'

const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN']

/** A fiscal year may be closed until the next one ends, where the contract does not say. */
const CLOSE_AFTER = 'P1Y'

/** One tier in one set's calendar: its buckets, and which snapshots serve them. */
export class TierLine {
  readonly tier: Tier
  readonly calendar: Calendar
  readonly buckets: Buckets
  readonly #lateGrace: string

  constructor(tier: Tier, calendar: Calendar, lateGrace: string) {
    this.tier = tier
    this.calendar = calendar
    this.buckets = bucketsOf(tier, calendar)
    this.#lateGrace = lateGrace
  }

  get name(): string {
    return `${this.tier.per}x${this.tier.keep}`
  }

  /** The stretch in which a snapshot serves the bucket, [from, to): for a fiscal year, after its end. */
  windowOf(bucket: Bucket): { from: number; to: number } {
    if (this.tier.per !== 'fiscalYear') return bucket
    // The end of the window is included.
    return { from: bucket.to, to: this.#closedAt(bucket) + 1 }
  }

  /** Until when nothing is expected yet. */
  pendingUntil(bucket: Bucket): number {
    return this.tier.per === 'fiscalYear' ? this.#closedAt(bucket) : bucket.to
  }

  dueOf(bucket: Bucket): number {
    return this.calendar.zone.add(this.pendingUntil(bucket), this.#lateGrace)
  }

  keptUntil(bucket: Bucket): number {
    return this.buckets.keptUntil(bucket, this.tier.keep, this.tier.countBasis)
  }

  /** The bucket that a snapshot serves by its start; undefined if it serves none. */
  servedBy(start: number): Bucket | undefined {
    if (!this.isAnchored(start)) return undefined
    let bucket = this.buckets.bucketOf(start)
    if (this.tier.per === 'fiscalYear') bucket = this.buckets.bucketOf(bucket.from - 1)
    const { from, to } = this.windowOf(bucket)
    return start >= from && start < to ? bucket : undefined
  }

  /** Taken on the tier's day of the week, if it has one. */
  isAnchored(start: number): boolean {
    const { anchor } = this.tier
    return anchor === undefined || WEEKDAYS[weekdayOf(this.calendar.dayOf(start))] === anchor
  }

  #closedAt(bucket: Bucket): number {
    return this.calendar.zone.add(bucket.to, this.tier.closeAfter ?? CLOSE_AFTER)
  }
}
