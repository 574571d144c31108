import { existsSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentConfig, SetConfig } from '../config.ts'
import { loadIdentity } from '../evidence/identity.ts'
import { readHolder, tryLock } from '../lock.ts'
import { readAlarms } from '../outbox/alarm.ts'
import { loadClock } from '../outbox/clock.ts'
import { loadHead } from '../outbox/head.ts'
import { listRefused, readSpool } from '../outbox/queue.ts'
import { deadAttempts, isAtWork, loadAttempts } from '../schedule/attempt.ts'
import type { Attempt } from '../schedule/attempt.ts'
import { loadMark } from '../schedule/mark.ts'
import type { Mark, Work } from '../schedule/mark.ts'
import { inventoryKeeper, isFromAhead, plansOf } from '../schedule/plan.ts'
import { coverageOf, loadCheckLedger } from '../run/check-ledger.ts'
import type { Coverage } from '../run/check-ledger.ts'
import { describeHold, loadHold } from '../run/hold.ts'
import { readCoverage } from '../run/coverage-ledger.ts'
import { knownCopy } from '../run/repository.ts'
import type { State } from '../state.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { describeCoverage, describeRestored } from './coverage.ts'
import { alignColumns, formatBytes, formatDistance, formatInstant, paint } from './terminal.ts'

const WORKS: readonly Work[] = [
  'backup',
  'inventory',
  'restore-test',
  'requested-test',
  'data-check',
  'deletion-probe',
  'retention',
]
/** Shown only where they are scheduled, or were done. */
const OPTIONAL: ReadonlySet<Work> = new Set(['requested-test', 'data-check', 'deletion-probe', 'retention'])

/** Evidence that waits longer than this is told as bad: the collector's silence has become a matter. */
const STALE_SPOOL_MS = 26 * 3_600_000

/** Beyond a contract's clockTolerance, unless it says otherwise: what is stated then does not count. */
export const CLOCK_BAD_MS = 5 * 60_000

/** With less room for the state the next run may not find the words to say that it failed. */
const STATE_NEEDED_BYTES = 32e6

/** A run that is so late is not merely about to begin. */
const OVERDUE_MS = 3_600_000

/** How the agent is: 0 when nothing is wrong, 1 when a person must look. */
export function statusCommand({ config, state, now }: Opened): Outcome {
  const status = readStatus(config, state, now())
  return { exit: status.problems.length === 0 ? 0 : 1, json: status, lines: describe(status, now()) }
}

export type Status = ReturnType<typeof readStatus>

function readStatus(config: AgentConfig, state: State, now: Date) {
  const identity = loadIdentity(state)
  const spool = readSpool(state)
  const refused = listRefused(state, 20)
  const alarms = readAlarms(state.folder)
  const head = loadHead(state)
  const service = runningService(state, now)
  const clock = loadClock(state)
  const retiredAt = state.get('retired')
  const sets = config.sets.map((set) => ({
    set: set.id,
    work: WORKS.map((what) => workOf(config, state, set.id, what, now)).filter(
      ({ what, last, next }) => !OPTIONAL.has(what) || last !== null || next !== null,
    ),
    /** How much of the repository's data was read by checks; null before the first. */
    data: dataOf(state, set),
    /** How much of the set was restored by tests; null before the first. */
    restored: readCoverage(state.folder, set.id),
    /** What stops retention until a person has looked; null when nothing does. */
    hold: loadHold(state.folder, set.id),
  }))
  const problems = [
    ...(identity === null ? ['not enrolled: run bevis-agent enroll'] : []),
    ...(retiredAt === null ? [] : [`this agent retired at ${retiredAt}: nothing runs here any more`]),
    ...alarms.map(({ code, message }) => `${code}: ${message}`),
    ...(alarms.length > 0
      ? [`look at ${join(state.folder, 'ALARM.json')}; the alarm stands until that file is moved away`]
      : []),
    ...untoldWays(state).map(({ way, reason }) => `the alarm could not be told by ${way}: ${reason}`),
    ...(spool.refused > 0
      ? [`the collector refused ${count(spool.refused, 'statement')}: see evidence list --refused`]
      : []),
    ...(spool.oldestAt !== null && now.getTime() - Date.parse(spool.oldestAt) > STALE_SPOOL_MS
      ? [`evidence has waited since ${spool.oldestAt}: check the way to ${config.collector.url}`]
      : []),
    ...serviceProblems(config, service !== null, spool.depth),
    ...roomProblems(state.folder),
    ...(clock !== null && Math.abs(clock.offsetMs) > CLOCK_BAD_MS
      ? [`this host's clock is ${clockText(clock.offsetMs)}: set it (NTP), evidence will not count`]
      : []),
    ...sets.flatMap(({ set, work }) => work.flatMap((each) => workProblems(set, each))),
    ...sets.flatMap(({ set, hold }) =>
      hold === null
        ? []
        : [
            `${set}: ${describeHold(hold)}. Look, then: bevis-agent retention ${set} --release-hold --reason TEXT`,
          ],
    ),
  ]
  return {
    identity,
    service,
    collector: config.collector.url,
    contactAt: state.get('contact'),
    clockOffsetMs: clock?.offsetMs ?? null,
    log: head === null ? null : { origin: head.origin, size: head.size },
    spool,
    refused,
    alarms,
    sets,
    problems,
  }
}

/** What is on a full disk can be read, and nothing be added: no statement, no mark of a run that failed for it. */
function roomProblems(folder: string): string[] {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  if (free >= STATE_NEEDED_BYTES) return []
  return [
    `${formatBytes(free)} are free for ${folder}: make room, ${formatBytes(STATE_NEEDED_BYTES)} at least, or no run can be recorded`,
  ]
}

/** By which ways nobody could be told of an alarm. */
function untoldWays(state: State): { way: string; reason: string }[] {
  const text = state.get('alarm-untold')
  return text === null ? [] : (JSON.parse(text) as { way: string; reason: string }[])
}

function dataOf(state: State, set: SetConfig): Coverage | null {
  const repository = knownCopy(state.folder, set)
  const ledger = repository === null ? null : loadCheckLedger(state.folder, repository)
  return ledger === null ? null : coverageOf(ledger)
}

function workOf(config: AgentConfig, state: State, set: string, what: Work, now: Date) {
  const url = config.sets.find(({ id }) => id === set)?.repository.url ?? ''
  const keeper = what === 'inventory' ? (inventoryKeeper(config.sets, url)?.id ?? set) : set
  const mark = loadMark(state, keeper, what)
  const plan = plansOf(config.sets).find((candidate) => candidate.set === keeper && candidate.what === what)
  const seen = loadIdentity(state)?.enrolledAt ?? now.toISOString()
  const usable = mark === null || isFromAhead(mark, now) ? null : mark
  const basis: Mark = usable ?? { startedAt: seen, endedAt: seen, outcome: 'new', code: null }
  const attempt = loadAttempts(state).find((one) => one.set === keeper && one.what === what)
  const isDead = deadAttempts(state, now).some((one) => one.set === keeper && one.what === what)
  const runningSince = attempt?.endedAt === null && !isDead ? attempt.startedAt : null
  // The first run that was owed since the last one, not the latest: that one may be due this very minute.
  const owedSince = plan?.next(basis, new Date(basis.startedAt)) ?? null
  const isWaiting = runningSince !== null || isAtWork(state.folder, url, now)
  return {
    what,
    last: lastOf(mark, runningSince === null ? attempt : undefined),
    runningSince,
    next: plan?.next(basis, now)?.toISOString() ?? null,
    /** Since when it should have begun, if that is long ago and nothing keeps it waiting. */
    overdueSince:
      owedSince === null || isWaiting || now.getTime() - owedSince.getTime() < OVERDUE_MS
        ? null
        : owedSince.toISOString(),
  }
}
type WorkStatus = ReturnType<typeof workOf>

/** The newest run, whatever became of it: one that left no mark was interrupted, or died. */
function lastOf(mark: Mark | null, attempt: Attempt | undefined): Mark | null {
  const done = mark === null || mark.outcome === 'new' ? null : mark
  if (attempt === undefined || (done !== null && done.startedAt > attempt.startedAt)) return done
  const { startedAt, endedAt } = attempt
  return { startedAt, endedAt: endedAt ?? startedAt, outcome: 'interrupted', code: null }
}

function workProblems(set: string, { what, last, overdueSince }: WorkStatus): string[] {
  const late =
    overdueSince === null
      ? []
      : [`the ${what} of ${set} is overdue since ${formatInstant(overdueSince)}: see that the service runs`]
  if (last === null) {
    // Nothing is protected before the first backup; the rest has its time.
    return what === 'backup' ? [`${set} has never been backed up`] : late
  }
  return [...badEnd(set, what, last), ...late]
}

function badEnd(set: string, what: Work, { outcome, code, startedAt }: Mark): string[] {
  const reason = code === null ? '' : `: ${code}`
  switch (outcome) {
    case 'passed':
      return []
    case 'empty':
      return [`the last ${what} of ${set} held no file: nothing is protected`]
    case 'inconclusive':
      return [`the last ${what} of ${set} was inconclusive${reason}`]
    case 'interrupted':
      return [`the last ${what} of ${set}, begun ${formatInstant(startedAt)}, was interrupted: run it again`]
    default:
      return what === 'deletion-probe' && outcome === 'failed' && code === null
        ? [`the storage of ${set} lets this agent delete snapshots: it is not append-only`]
        : [`the last ${what} of ${set} ${outcome}${reason}`]
  }
}

/** Without the service nothing is done on time, and nothing is sent. */
function serviceProblems({ sets }: AgentConfig, isRunning: boolean, waiting: number): string[] {
  if (isRunning) return []
  const isScheduled = sets.some(
    ({ backup, restoreTest, dataCheck, deletionProbe, retention }) =>
      retention?.fromContract === true ||
      (backup.cron ?? restoreTest.cron ?? dataCheck.cron ?? deletionProbe.every) !== undefined,
  )
  const waits =
    waiting === 0 ? [] : [`${count(waiting, 'statement')} ${waiting === 1 ? 'waits' : 'wait'} to be sent`]
  const idle = isScheduled ? ['nothing that is scheduled will run'] : []
  if (waits.length + idle.length === 0) return []
  return [`the service is not running, ${[...idle, ...waits].join(', and ')}: start it (bevis-agent run)`]
}

/** Whether the service runs: it holds this lock as long as it lives. */
function runningService(state: State, now: Date) {
  const file = join(state.folder, 'run.lock')
  if (!existsSync(file)) return null
  const lock = tryLock(file, 'status', now)
  lock?.release()
  return lock === null ? readHolder(file) : null
}

function describe(status: Status, now: Date): string[] {
  const { identity, service, spool, problems } = status
  const clock = status.clockOffsetMs === null ? 'not measured' : clockText(status.clockOffsetMs)
  const facts = [
    [
      'agent',
      identity === null
        ? paint('red', 'not enrolled')
        : `${identity.agent} of ${identity.tenant}, epoch ${identity.epoch}`,
    ],
    [
      'service',
      service === null ? paint('yellow', 'not running') : `running since ${formatInstant(service.since)}`,
    ],
    [
      'collector',
      `${status.collector}, last contact ${status.contactAt === null ? 'never' : formatDistance(status.contactAt, now)}`,
    ],
    [
      'log',
      status.log === null
        ? 'nothing verified yet'
        : `${status.log.origin}, verified up to ${count(status.log.size, 'entry', 'entries')}`,
    ],
    [
      'outbox',
      spool.depth === 0
        ? 'empty'
        : `${count(spool.depth, 'statement')}, the oldest from ${formatDistance(spool.oldestAt ?? now.toISOString(), now)}`,
    ],
    ['clock', clock],
  ]
  const table = status.sets.flatMap(({ set, work, data, restored }) => [
    ...work.map(({ what, last, next, runningSince }) => [
      set,
      what,
      outcomeText(last),
      last === null ? '' : formatDistance(last.endedAt, now),
      runningSince !== null
        ? `running since ${formatInstant(runningSince)}`
        : next === null
          ? ''
          : Date.parse(next) <= now.getTime()
            ? 'due now'
            : `next ${formatDistance(next, now)}`,
    ]),
    ...(data === null ? [] : [[set, 'data read', ...describeCoverage(data, now)]]),
    ...(restored === null ? [] : [[set, 'restored', ...describeRestored(restored, now)]]),
  ])
  return [
    ...alignColumns(facts),
    '',
    ...alignColumns(table),
    '',
    ...(problems.length === 0
      ? [paint('green', '✓ nothing is wrong')]
      : problems.map((problem) => paint('red', `✗ ${problem}`))),
  ]
}

function clockText(offsetMs: number): string {
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1)
  return seconds === '0.0'
    ? "in step with the collector's"
    : `${seconds} s ${offsetMs > 0 ? 'ahead of' : 'behind'} the collector's`
}

function outcomeText(mark: Mark | null): string {
  if (mark === null) return paint('dim', '– never')
  if (mark.outcome === 'passed') return paint('green', '✓ passed')
  return mark.outcome === 'inconclusive'
    ? paint('yellow', '? inconclusive')
    : paint('red', `✗ ${mark.outcome}`)
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}
