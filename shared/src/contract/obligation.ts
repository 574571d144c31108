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

/** All obligations of one set whose bucket had begun by `at`, by version, tier and bucket. */
export function obligationsOf(versions: readonly SetTerms[], at: number, endOf: GenerationEnd): Obligation[] {
  const obligations: Obligation[] = []
  const lines = new Map(versions.map((terms) => [terms, linesOf(terms)]))
  for (const terms of versions) {
    const first = Math.max(terms.from, terms.onboardedAt)
    for (const line of lines.get(terms) ?? []) {
      const { buckets } = line
      let bucket = buckets.bucketOf(first)
      if (bucket.from < first) bucket = buckets.next(bucket)
      for (; bucket.from < terms.to && bucket.from <= at; bucket = buckets.next(bucket)) {
        if (!buckets.isExpected(bucket)) continue
        const due = line.dueOf(bucket)
        const pendingUntil = line.pendingUntil(bucket)
        const own = { terms, line, bucket, due, pendingUntil, tier: line.name }
        obligations.push({ ...own, keepUntil: lastingOf(terms, line, bucket, endOf) })
      }
    }
  }
  for (const later of versions) {
    if (later.version.amendmentPolicy === 'prospective') continue
    const own = lines.get(later) ?? []
    for (const obligation of obligations) {
      amend(obligation, lines.get(obligation.terms) ?? [], later, own, endOf)
    }
  }
  return obligations
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
