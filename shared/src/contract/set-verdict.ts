import type { Dimension, FindingAnswer, ObligationAnswer, ObligationState, SetAnswer } from './answer.ts'
import { COUNTED_STATES, DIMENSIONS } from './answer.ts'
import { weighCeiling } from './ceiling.ts'
import type { Owed } from './copies.ts'
import { weighCopy } from './copies.ts'
import { tellDoubts } from './doubt.ts'
import { excusedDays } from './exclusion.ts'
import { Generations } from './generation.ts'
import { holdsOn } from './hold.ts'
import { weighLadder } from './ladder.ts'
import type { Obligation } from './obligation.ts'
import { obligationsOf } from './obligation.ts'
import { testsOf, weighFailures, weighProof } from './proof.ts'
import { weighRecoveryPoint } from './recovery-point.ts'
import { weighSilence } from './silence.ts'
import type { Situation } from './situation.ts'
import { judge } from './state.ts'
import type { TierLine } from './tier-line.ts'
import type { SetTerms } from './timeline.ts'
import { Opinion, formatInstant, worst } from './verdict.ts'

/** One set, judged. */
export interface SetVerdict {
  answer: SetAnswer
  findings: FindingAnswer[]
}

export function judgeSet(situation: Situation, id: string, versions: readonly SetTerms[]): SetVerdict {
  const { at, events } = situation
  const terms = versions.at(-1)
  if (terms === undefined) throw new RangeError(`the set ${id} has no terms`)
  const history = situation.historyOf(terms)
  const excused = excusedDays(situation.versions, events, id)
  const owed = judgeObligations(situation, versions, excused)
  const live = owed.filter(({ obligation }) => obligation.keepUntil > at)
  const opinions = opinionsOn(id)
  for (const one of live) weighObligation(opinions, one)
  /** A set that the version in force no longer names owes what it owed, and nothing new. */
  const isPromised = terms.to > at
  if (isPromised) weighRecoveryPoint(opinions.points, history, excused, at)
  if (isPromised || live.length > 0) weighSilence(opinions.evidence, history, at)

  const holds = holdsOn(situation.versions, events, id, terms.calendar, at)
  const { restoreTest, retention, copies = [] } = terms.set
  let snapshots: SetAnswer['snapshots']
  if (retention.max !== undefined || holds.length > 0) {
    opinions.ceiling.weigh('compliant')
    const removals = situation.removalsOf(history.lineage)
    snapshots = weighCeiling(opinions.ceiling, history, holds, removals, at)
  }
  if (restoreTest !== undefined && isPromised) {
    opinions.proof.weigh('compliant')
    const tests = testsOf(history, at)
    weighProof(opinions.proof, history, restoreTest, tests, at)
    const historyOf = (obligation: Obligation) => situation.historyOf(obligation.terms)
    const obligations = owed.map(({ obligation }) => obligation)
    weighLadder(opinions.proof, history, restoreTest, obligations, historyOf, tests, at)
  } else {
    const unpromised = new Opinion(id, 'not-applicable')
    weighFailures(unpromised, history, at)
    opinions.proof.findings.push(...unpromised.findings)
  }
  for (const copy of copies) {
    opinions.copies.weigh('compliant')
    const place = situation.copyPlaceOf(copy.repository, terms)
    weighCopy(opinions.copies, history, copy, place, live, situation.index, at)
  }
  const { flawedTests } = situation.viewOf(terms.set.selector.repository, terms)
  tellDoubts(opinions.evidence, history, flawedTests, situation.index, at)
  return conclude(id, owed, opinions, snapshots, at)
}

function judgeObligations(
  situation: Situation,
  versions: readonly SetTerms[],
  excused: ReturnType<typeof excusedDays>,
): Owed[] {
  const generations = new Map<TierLine, Generations>()
  const obligations = obligationsOf(versions, situation.at, (terms, line, index) => {
    let own = generations.get(line)
    if (own === undefined) {
      own = new Generations(situation.historyOf(terms), line)
      generations.set(line, own)
    }
    return own.endOf(index)
  })
  const histories = new Map(versions.map((terms) => [terms, situation.historyOf(terms)]))
  return obligations.flatMap((obligation) => {
    const history = histories.get(obligation.terms)
    if (history === undefined) return []
    return [{ obligation, history, judgement: judge(obligation, history, excused, situation.at) }]
  })
}

type Opinions = Record<Dimension, Opinion>

/** Points, retention and evidence are always promised; the rest only where the contract says so. */
function opinionsOn(id: string): Opinions {
  const promised = new Set<Dimension>(['points', 'retention', 'evidence'])
  const of = (dimension: Dimension) =>
    new Opinion(id, promised.has(dimension) ? 'compliant' : 'not-applicable')
  return {
    points: of('points'),
    retention: of('retention'),
    ceiling: of('ceiling'),
    proof: of('proof'),
    copies: of('copies'),
    evidence: of('evidence'),
  }
}

function weighObligation({ points, retention }: Opinions, { obligation, judgement }: Owed): void {
  const { state, row, witness, inventory, candidate, since } = judgement
  const { due, pendingUntil, line, bucket, tier } = obligation
  const opinion = state === 'lost' || state === 'stale' || row === 4 ? retention : points
  if (state === 'pending' || state === 'late') opinion.deadlines.push(due)
  if (state === 'late' || state === 'stale') opinion.weigh('at-risk')
  else if (state === 'missed' || state === 'lost') opinion.weigh('breached')
  else if (state === 'unknown') opinion.weigh('unknown')
  else return
  const snapshot = witness ?? candidate?.point.snapshot.id
  const detail = {
    tier,
    bucket: line.buckets.label(bucket),
    row,
    ...(snapshot !== undefined && { snapshot }),
  }
  opinion.find(state, since ?? pendingUntil, detail, [candidate?.run, inventory?.fact])
}

function conclude(
  id: string,
  owed: readonly Owed[],
  opinions: Opinions,
  snapshots: SetAnswer['snapshots'],
  at: number,
): SetVerdict {
  const all = DIMENSIONS.map((dimension) => opinions[dimension])
  const verdicts = DIMENSIONS.map((dimension) => [dimension, opinions[dimension].verdict] as const)
  const deadlines = all.flatMap((opinion) => opinion.deadlines).filter((one) => one > at)
  const nextDeadline = deadlines.length === 0 ? undefined : deadlines.reduce((a, b) => Math.min(a, b))
  const answer: SetAnswer = {
    id,
    headline: worst(all.map(({ verdict }) => verdict)),
    dimensions: Object.fromEntries(verdicts) as SetAnswer['dimensions'],
    counts: countsOf(owed, at),
    rate: rateOf(owed),
    ...(nextDeadline !== undefined && { nextDeadline: formatInstant(nextDeadline) }),
    obligations: owed.map(formatObligation),
    ...(snapshots !== undefined && { snapshots }),
  }
  return { answer, findings: all.flatMap(({ findings }) => findings) }
}

/** What is still live, by state; of what is past only what was discharged. */
function countsOf(owed: readonly Owed[], at: number): Record<ObligationState, number> {
  const counts = Object.fromEntries(COUNTED_STATES.map((state) => [state, 0])) as Record<
    ObligationState,
    number
  >
  for (const { obligation, judgement } of owed) {
    if (judgement.state === 'discharged' || obligation.keepUntil > at) counts[judgement.state] += 1
  }
  return counts
}

function rateOf(owed: readonly Owed[]): number | null {
  let kept = 0
  let settled = 0
  for (const { judgement } of owed) {
    const isKept = judgement.state === 'met' || judgement.state === 'discharged'
    if (isKept) kept += 1
    if (isKept || judgement.state === 'missed' || judgement.state === 'lost') settled += 1
  }
  return settled === 0 ? null : kept / settled
}

function formatObligation({ obligation, judgement }: Owed): ObligationAnswer {
  const { tier, line, bucket, due, keepUntil } = obligation
  const { state, since } = judgement
  const { row, candidate } = judgement
  // What is only there, and does not satisfy, is no witness.
  const witness = row === 7 ? undefined : (judgement.witness ?? candidate?.point.snapshot.id)
  return {
    tier,
    bucket: line.buckets.label(bucket),
    from: formatInstant(bucket.from),
    to: formatInstant(bucket.to),
    due: formatInstant(due),
    keepUntil: keepUntil === Infinity ? null : formatInstant(keepUntil),
    state,
    ...(witness !== undefined && { witness }),
    ...(since !== undefined && { since: formatInstant(since) }),
  }
}
