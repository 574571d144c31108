import type { Bucket } from './bucket.ts'
import { TierLine } from './tier-line.ts'
import type { SetTerms } from './timeline.ts'

/** One recovery point that is owed, under the version in force when its bucket began. */
export interface Obligation {
  terms: SetTerms
  line: TierLine
  bucket: Bucket
  due: number
  pendingUntil: number
  /** `<per>x<keep>` of the terms that decide how long it is kept now. */
  tier: string
  /** Infinity while a tier of generations has not seen enough later ones. */
  keepUntil: number
}

/** When a bucket of a tier of generations ended; null while it has not. */
export type GenerationEnd = (terms: SetTerms, line: TierLine, index: number) => number | null

/** The obligations of one tier under one version, in the order of their buckets. */
export class Course {
  readonly terms: SetTerms
  readonly line: TierLine
  #next: Bucket

  constructor(terms: SetTerms, line: TierLine) {
    this.terms = terms
    this.line = line
    const first = Math.max(terms.from, terms.onboardedAt)
    const bucket = line.buckets.bucketOf(first)
    this.#next = bucket.from < first ? line.buckets.next(bucket) : bucket
  }

  /** Those whose bucket has begun by `at` and that have not been given yet; how long they are kept is not said yet. */
  extend(at: number): Obligation[] {
    const { terms, line } = this
    const { buckets } = line
    const obligations: Obligation[] = []
    for (; this.#next.from < terms.to && this.#next.from <= at; this.#next = buckets.next(this.#next)) {
      const bucket = this.#next
      if (!buckets.isExpected(bucket)) continue
      const times = { due: line.dueOf(bucket), pendingUntil: line.pendingUntil(bucket), keepUntil: Infinity }
      obligations.push({ terms, line, bucket, tier: line.name, ...times })
    }
    return obligations
  }
}

/** One set's tiers through its versions, and how long each of their obligations is kept. */
export class Courses {
  /** By version, then as the version lists its tiers. */
  readonly all: readonly Course[]
  /** True if the end of an obligation may depend on what is listed. */
  readonly hasGenerations: boolean
  readonly #versions: readonly SetTerms[]
  readonly #lines: ReadonlyMap<SetTerms, readonly TierLine[]>
  readonly #endOf: GenerationEnd

  constructor(versions: readonly SetTerms[], endOf: GenerationEnd) {
    this.#versions = versions
    this.#endOf = endOf
    this.#lines = new Map(versions.map((terms) => [terms, linesOf(terms)]))
    this.all = [...this.#lines].flatMap(([terms, lines]) => lines.map((line) => new Course(terms, line)))
    this.hasGenerations = this.all.some(({ line }) => line.tier.basis === 'generations')
  }

  /** Until when it is kept, by its own version and by the amendments that reach it. */
  settle(obligation: Obligation): void {
    const { terms, line, bucket } = obligation
    obligation.tier = line.name
    obligation.keepUntil = lastingOf(terms, line, bucket, this.#endOf)
    for (const later of this.#versions) {
      if (later.version.amendmentPolicy === 'prospective') continue
      amend(obligation, this.#lines.get(terms) ?? [], later, this.#lines.get(later) ?? [], this.#endOf)
    }
  }
}

function linesOf({ set, calendar }: SetTerms): TierLine[] {
  return set.retention.min.map((tier) => new TierLine(tier, calendar, set.schedule.lateGrace))
}

function lastingOf(terms: SetTerms, line: TierLine, bucket: Bucket, endOf: GenerationEnd): number {
  if (line.tier.basis === 'buckets') return line.keptUntil(bucket)
  return endOf(terms, line, bucket.index) ?? Infinity
}

/** An amendment reaches what is still live when it takes effect, and never back before that. */
function amend(
  obligation: Obligation,
  own: readonly TierLine[],
  later: SetTerms,
  lines: readonly TierLine[],
  endOf: GenerationEnd,
): void {
  const { terms, line, keepUntil } = obligation
  if (later.from <= terms.from || keepUntil <= later.from) return
  const paired = pairOf(line, own, lines)
  if (paired === undefined) return
  obligation.keepUntil = Math.max(later.from, lastingOf(later, paired, bucketIn(paired, obligation), endOf))
  obligation.tier = paired.name
}

/**
 * Tiers pair by their unit. Where a unit has several, those with the same anchor and basis pair in their order;
 * what is left over pairs with the unit's first.
 */
function pairOf(line: TierLine, own: readonly TierLine[], lines: readonly TierLine[]): TierLine | undefined {
  const { per, anchor, basis } = line.tier
  const isAlike = ({ tier }: TierLine) => tier.per === per && tier.anchor === anchor && tier.basis === basis
  const place = own.filter(isAlike).indexOf(line)
  const same = lines.filter(({ tier }) => tier.per === per)
  return same.filter(isAlike)[place] ?? same.find(({ tier }) => tier.anchor === anchor) ?? same[0]
}

/** The bucket as the later version's calendar has it: of the same days, whatever hour they start at. */
function bucketIn(line: TierLine, { line: own, bucket }: Obligation): Bucket {
  if (line.tier.per === 'hour') return bucket
  if (line.tier.per === 'fiscalYear') {
    return line.buckets.bucketOf(line.calendar.startOf(own.calendar.dayOf(bucket.to - 1)))
  }
  return line.buckets.bucketOf(line.calendar.startOf(own.calendar.dayOf(bucket.from)))
}
