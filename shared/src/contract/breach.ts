/** What is not kept, one by one: what clauses on credits count, and what a service report tells as a deviation. */
import type { Answer, Dimension, FindingAnswer, SetAnswer } from './answer.ts'
import { DIMENSIONS } from './answer.ts'

/** The findings that break a promise, by the dimension that they break. */
const BREACHES: Record<Dimension, readonly string[]> = {
  points: ['missed', 'recovery-point-age'],
  retention: ['lost'],
  ceiling: ['over-retained', 'hold-broken'],
  proof: ['proof-overdue', 'full-proof-overdue', 'ladder-overdue', 'refuted'],
  copies: ['copy-missing', 'deletion-allowed'],
  evidence: ['silence'],
}

/** Codes that name a dimension's breach once each. */
const DIMENSION_OF = new Map<string, Dimension>(
  DIMENSIONS.flatMap((dimension) => BREACHES[dimension].map((code) => [code, dimension] as const)),
)

/** One thing that was promised and not kept. */
export interface Breach {
  set: string
  dimension: Dimension
  code: string
  /** `<tier>/<bucket>`, a snapshot, a tier or a repository; empty where the set itself is meant. */
  subject: string
  /** From when it holds, as the evaluation tells it. */
  since: string
  /** The statements it stands on. */
  evidence: readonly string[]
}

/** A clause's measure: a dimension, or one way to break it, such as `retention.lost`. */
export interface Measure {
  dimension: Dimension
  code: string | null
}

/** All that a clause can measure. */
export const MEASURE_NAMES: readonly string[] = DIMENSIONS.flatMap((dimension) => [
  dimension,
  ...BREACHES[dimension].map((code) => `${dimension}.${code}`),
])

/** Null for a measure that nothing here can count. */
export function parseMeasure(text: string): Measure | null {
  const [name = '', code, ...more] = text.trim().split('.')
  const dimension = DIMENSIONS.find((one) => one === name)
  if (dimension === undefined || more.length > 0) return null
  if (code === undefined) return { dimension, code: null }
  return BREACHES[dimension].includes(code) ? { dimension, code } : null
}

export function isOf({ dimension, code }: Pick<Breach, 'dimension' | 'code'>, measure: Measure): boolean {
  return dimension === measure.dimension && (measure.code === null || measure.code === code)
}

/** What is in breach as the answer tells it: what is no longer owed is not among it. By a key that lasts. */
export function breachesOf({ findings }: Answer): Map<string, Breach> {
  const breaches = new Map<string, Breach>()
  for (const finding of findings) {
    const dimension = DIMENSION_OF.get(finding.code)
    const { verdict } = finding.detail
    if (dimension === undefined || (verdict !== undefined && verdict !== 'breached')) continue
    const breach = {
      set: finding.set,
      dimension,
      code: finding.code,
      subject: subjectOf(finding),
      since: finding.at,
      evidence: finding.evidence,
    }
    put(breaches, breach, isObligation(finding) ? '' : finding.at)
  }
  return breaches
}

/** Obligations that ended in breach, whether they are still owed or not. */
export function brokenObligations({ sets }: Answer): Map<string, Breach> {
  const breaches = new Map<string, Breach>()
  for (const set of sets) {
    for (const one of set.obligations) {
      const dimension = one.state === 'missed' ? 'points' : one.state === 'lost' ? 'retention' : null
      if (dimension === null) continue
      const subject = `${one.tier}/${one.bucket}`
      const since = one.since ?? one.due
      put(breaches, { set: set.id, dimension, code: one.state, subject, since, evidence: [] }, '')
    }
  }
  return breaches
}

/** The keys that obligations would have in breach, which both parties have excused. */
export function excusedKeys({ sets }: Answer): Set<string> {
  const breaches = new Map<string, Breach>()
  for (const set of sets) {
    for (const { tier, bucket, state, due } of set.obligations) {
      if (state !== 'excused') continue
      const one = { set: set.id, subject: `${tier}/${bucket}`, since: due, evidence: [] }
      put(breaches, { ...one, dimension: 'points', code: 'missed' }, '')
      put(breaches, { ...one, dimension: 'retention', code: 'lost' }, '')
    }
  }
  return new Set(breaches.keys())
}

/** An amendment renames a tier, and the obligation is the same: it is known by the tier's unit and its bucket. */
function put(breaches: Map<string, Breach>, breach: Breach, since: string): void {
  const { set, code, subject } = breach
  const lasting = subject.replace(/^(\w+?)x\d+\//, '$1/')
  for (let place = 0; ; place++) {
    const key = JSON.stringify([set, code, lasting, since, place])
    if (breaches.has(key)) continue
    breaches.set(key, breach)
    return
  }
}

function isObligation({ code }: FindingAnswer): boolean {
  return code === 'missed' || code === 'lost'
}

function subjectOf({ detail }: FindingAnswer): string {
  const { tier, bucket, snapshot, repository } = detail
  const place = tier !== undefined && bucket !== undefined ? `${tier}/${bucket}` : (snapshot ?? tier)
  return [repository, place].filter((part) => part !== undefined).join(' ')
}

/** True where nobody could say whether the dimension was kept. */
export function isUndecided(set: Pick<SetAnswer, 'dimensions'>, { dimension }: Measure): boolean {
  return set.dimensions[dimension] === 'unknown'
}
