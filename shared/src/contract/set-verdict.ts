import type {
  Dimension,
  FindingAnswer,
  ObligationAnswer,
  ObligationState,
  SetAnswer,
  SnapshotAnswer,
} from './answer.ts'
import { COUNTED_STATES, DIMENSIONS } from './answer.ts'
import { Purged, weighCeiling } from './ceiling.ts'
import type { Owed } from './copies.ts'
import { weighCopy } from './copies.ts'
import { tellDoubts } from './doubt.ts'
import type { Excused } from './exclusion.ts'
import { excusedDays } from './exclusion.ts'
import { Generations } from './generation.ts'
import type { History } from './history.ts'
import type { HoldInForce } from './hold.ts'
import { holdsOn } from './hold.ts'
import { Ladder } from './ladder.ts'
import { Courses } from './obligation.ts'
import type { Tally } from './owing.ts'
import { Owing } from './owing.ts'
import type { Point } from './point.ts'
import type { Touched } from './points.ts'
import type { SetTest } from './proof.ts'
import { failedOf, lastProof, testsOf, weighFailures, weighProof } from './proof.ts'
import { weighRecoveryPoint } from './recovery-point.ts'
import { lazily } from './series.ts'
import { show } from './shown.ts'
import type { Shown } from './shown.ts'
import { weighSilence } from './silence.ts'
import type { Situation } from './situation.ts'
import type { TierLine } from './tier-line.ts'
import type { SetTerms } from './timeline.ts'
import { Opinion, formatInstant, worst } from './verdict.ts'

/** One set, judged. */
export interface SetVerdict {
  answer: SetAnswer
  findings: FindingAnswer[]
  /** Of its obligations those that are live, or ended otherwise than kept. */
  unsettled: ObligationAnswer[]
}

/** One set of a contract, judged as time goes on. */
export class SetJudge {
  readonly #situation: Situation
  readonly #id: string
  readonly #terms: SetTerms
  readonly #history: History
  readonly #excused: readonly Excused[]
  readonly #courses: Courses
  readonly #owing: readonly Owing[]
  readonly #tally: Tally = new Map()
  /** The same, with the hosts that earlier versions name: what of theirs is there stays under the ceiling. */
  readonly #kept: History
  readonly #purged = new Purged()
  /** What lies in repositories that only earlier versions name. */
  readonly #left: readonly { history: History; purged: Purged }[]
  readonly #ladder: Ladder
  #tests: SetTest[] | undefined
  readonly #failed = new Map<History, Point[]>()
  #generations = new Map<TierLine, Generations>()

  constructor(situation: Situation, id: string, versions: readonly SetTerms[]) {
    const terms = versions.at(-1)
    if (terms === undefined) throw new RangeError(`the set ${id} has no terms`)
    this.#situation = situation
    this.#id = id
    this.#terms = terms
    this.#history = situation.historyOf(terms)
    const ever = withEarlierHosts(versions, terms)
    this.#kept = situation.historyOf(ever)
    this.#left = leftBehind(situation, versions, ever).map((history) => ({ history, purged: new Purged() }))
    this.#excused = excusedDays(situation.versions, situation.events, id)
    this.#courses = new Courses(versions, (own, line, index) => this.#generationsOf(own, line).endOf(index))
    this.#owing = this.#courses.all.map(
      (course) => new Owing(course, situation.historyOf(course.terms), this.#excused, this.#tally),
    )
    this.#ladder = new Ladder(this.#owing)
  }

  #generationsOf(terms: SetTerms, line: TierLine): Generations {
    let own = this.#generations.get(line)
    if (own === undefined) {
      own = new Generations(this.#situation.historyOf(terms), line)
      this.#generations.set(line, own)
    }
    return own
  }

  /** Takes note of what has come, by history. */
  extend(touched: ReadonlyMap<History, Touched>): void {
    const own = touched.get(this.#history)
    const kept = touched.get(this.#kept)
    if (kept !== undefined) this.#purged.extend(kept, this.#kept)
    for (const { history, purged } of this.#left) {
      const left = touched.get(history)
      if (left !== undefined) purged.extend(left, history)
    }
    if (own === undefined || isTested(own)) this.#tests = undefined
    for (const history of this.#failed.keys()) {
      const one = touched.get(history)
      if (one === undefined || isTested(one)) this.#failed.delete(history)
    }
    const since = [...touched.values()].reduce((first, one) => Math.min(first, one.since), Infinity)
    for (const owing of this.#owing) {
      owing.reopen(since)
      owing.touch(touched.get(owing.history)?.starts ?? [])
    }
    this.#ladder.reopen(since)
    this.#generations = new Map()
  }

  /** The verdict at the situation's instant. */
  judge(): SetVerdict {
    const { at, events, versions, index } = this.#situation
    const [id, terms, history] = [this.#id, this.#terms, this.#history]
    const standing = this.#owing.map((owing) =>
      owing.judge(at, (obligation) => this.#courses.settle(obligation), this.#courses.hasGenerations),
    )
    const open = standing.flatMap((one) => one.open)
    const live = open.filter(({ obligation }) => obligation.keepUntil > at)
    const opinions = opinionsOn(id)
    for (const one of live) weighObligation(opinions, one)
    /** A set that the version in force no longer names owes what it owed, and nothing new. */
    const isPromised = terms.to > at
    if (isPromised) weighRecoveryPoint(opinions.points, history, this.#excused, at)
    if (isPromised || live.length > 0) weighSilence(opinions.evidence, history, at)

    const holds = holdsOn(versions, events, id, terms.calendar, at)
    const { retention, copies = [] } = terms.set
    let snapshots: (() => SnapshotAnswer[]) | undefined
    if (retention.max !== undefined || holds.length > 0) {
      opinions.ceiling.weigh('compliant')
      const removals = this.#situation.removalsOf(history.lineage)
      const there = weighCeiling(opinions.ceiling, this.#kept, holds, removals, this.#purged, at)
      const left = this.#left.map((one) => this.#weighLeft(opinions.ceiling, one, holds))
      snapshots = () => [there, ...left].flatMap((answers) => answers())
    }
    this.#weighTests(opinions.proof, isPromised, live)
    for (const copy of isPromised || live.length > 0 ? copies : []) {
      opinions.copies.weigh('compliant')
      const place = this.#situation.copyPlaceOf(copy.repository, terms)
      weighCopy(opinions.copies, history, copy, place, live, index, at)
    }
    const { flawedTests } = this.#situation.viewOf(terms.set.selector.repository, terms).points
    tellDoubts(opinions.evidence, history, flawedTests, index, at)
    // One copy of what may be many.
    const obligations = () =>
      new Array<ObligationAnswer>().concat(...standing.map(({ answers }) => answers()))
    const sum = { open, tally: this.#tally, obligations, ...(snapshots !== undefined && { snapshots }) }
    const concluded = conclude(id, sum, opinions, at)
    show(concluded.answer, this.#shown())
    return { ...concluded, unsettled: standing.flatMap((one) => one.unsettled) }
  }

  #shown(): Shown {
    const { at } = this.#situation
    const { restoreTest } = this.#terms.set
    const tests = restoreTest === undefined ? [] : (this.#tests ??= testsOf(this.#history, at))
    return {
      tested: tests.length > 0,
      passed: restoreTest !== undefined && lastProof(restoreTest, tests) !== undefined,
      listed: this.#history.lineage.newest(at) !== undefined,
    }
  }

  #weighLeft(
    opinion: Opinion,
    { history, purged }: { history: History; purged: Purged },
    holds: readonly HoldInForce[],
  ): () => SnapshotAnswer[] {
    const removals = this.#situation.removalsOf(history.lineage)
    const own = this.#history.lineage.repositories
    return weighCeiling(opinion, history, holds, removals, purged, this.#situation.at, own)
  }

  #weighTests(opinion: Opinion, isPromised: boolean, live: readonly Owed[]): void {
    const { at } = this.#situation
    const [terms, history] = [this.#terms, this.#history]
    const { restoreTest } = terms.set
    if (restoreTest === undefined || !isPromised) {
      const unpromised = new Opinion(this.#id, 'not-applicable')
      this.#weighFailures(unpromised, live)
      opinion.findings.push(...unpromised.findings)
      return
    }
    const tests = (this.#tests ??= testsOf(history, at))
    opinion.weigh('compliant')
    weighProof(opinion, history, restoreTest, tests, at)
    this.#weighFailures(opinion, live)
    this.#ladder.weigh(opinion, history, restoreTest, tests, at)
  }

  /** Of the set as it is now, and of what an earlier version's repositories and hosts still owe. */
  #weighFailures(opinion: Opinion, live: readonly Owed[]): void {
    const told = new Set<string>()
    for (const history of new Set([this.#history, ...live.map((one) => one.history)])) {
      const failed = this.#failed.get(history) ?? failedOf(history)
      this.#failed.set(history, failed)
      weighFailures(opinion, history, failed, told, this.#situation.at)
    }
  }
}

function isTested({ added, tested }: Touched): boolean {
  return tested.length > 0 || added.some(({ tests }) => tests.length > 0)
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
  if (state === 'pending' || state === 'late') opinion.deadlines.push(pendingUntil, due)
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

/** What is owed and was owed; the lists may be long, and are put together when somebody wants them. */
interface Sum {
  /** Live, or kept from being settled by one that is. */
  open: readonly Owed[]
  tally: Tally
  obligations: () => ObligationAnswer[]
  snapshots?: () => SnapshotAnswer[]
}

function conclude(
  id: string,
  sum: Sum,
  opinions: Opinions,
  at: number,
): Pick<SetVerdict, 'answer' | 'findings'> {
  const all = DIMENSIONS.map((dimension) => opinions[dimension])
  const verdicts = DIMENSIONS.map((dimension) => [dimension, opinions[dimension].verdict] as const)
  const deadlines = all.flatMap((opinion) => opinion.deadlines).filter((one) => one > at)
  const nextDeadline = deadlines.length === 0 ? undefined : deadlines.reduce((a, b) => Math.min(a, b))
  const obligations = lazily(sum.obligations)
  const snapshots = sum.snapshots && lazily(sum.snapshots)
  const answer: SetAnswer = {
    id,
    headline: worst(all.map(({ verdict }) => verdict)),
    dimensions: Object.fromEntries(verdicts) as SetAnswer['dimensions'],
    counts: countsOf(sum, at),
    rate: rateOf(sum),
    ...(nextDeadline !== undefined && { nextDeadline: formatInstant(nextDeadline) }),
    get obligations() {
      return obligations()
    },
  }
  if (snapshots !== undefined) {
    Object.defineProperty(answer, 'snapshots', { enumerable: true, get: snapshots })
  }
  return { answer, findings: all.flatMap(({ findings }) => findings) }
}

/** What is still live, by state; of what is past only what was discharged. */
function countsOf({ open, tally }: Sum, at: number): Record<ObligationState, number> {
  const counts = Object.fromEntries(COUNTED_STATES.map((state) => [state, 0])) as Record<
    ObligationState,
    number
  >
  counts.discharged = tally.get('discharged') ?? 0
  for (const { obligation, judgement } of open) {
    if (judgement.state === 'discharged' || obligation.keepUntil > at) counts[judgement.state] += 1
  }
  return counts
}

function rateOf({ open, tally }: Sum): number | null {
  const count = (state: ObligationState) =>
    (tally.get(state) ?? 0) + open.filter(({ judgement }) => judgement.state === state).length
  const kept = count('met') + count('discharged')
  const settled = kept + count('missed') + count('lost')
  return settled === 0 ? null : kept / settled
}

/** An amendment that names other hosts frees nothing of the earlier ones, unless another set has taken them over. */
function withEarlierHosts(versions: readonly SetTerms[], terms: SetTerms): SetTerms {
  const { selector } = terms.set
  const others = terms.version.sets.filter(({ id }) => id !== terms.set.id)
  const isTakenOver = (host: string): boolean => others.some((set) => set.selector.hosts.includes(host))
  const earlier = versions.flatMap(({ set }) => set.selector.hosts).filter((host) => !isTakenOver(host))
  const hosts = [...new Set([...selector.hosts, ...earlier])]
  if (hosts.length === selector.hosts.length) return terms
  return { ...terms, set: { ...terms.set, selector: { ...selector, hosts } } }
}

/** An amendment that names another repository does not empty the one before: by today's terms, what is there counts. */
function leftBehind(situation: Situation, versions: readonly SetTerms[], terms: SetTerms): History[] {
  const own = situation.historyOf(terms).lineage.repositories
  const { selector } = terms.set
  return [...new Set(versions.map(({ set }) => set.selector.repository))]
    .filter((repository) => repository !== selector.repository)
    .map((repository) =>
      situation.historyOf({ ...terms, set: { ...terms.set, selector: { ...selector, repository } } }),
    )
    .filter(({ lineage }) => [...lineage.repositories].some((id) => !own.has(id)))
}
