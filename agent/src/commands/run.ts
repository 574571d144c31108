import { join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import nodeCron from 'node-cron'
import pino from 'pino'
import { configWarnings } from '../config-warning.ts'
import { requireIdentity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import { lock } from '../lock.ts'
import { openDelivery } from '../outbox/delivery.ts'
import { readSpool } from '../outbox/queue.ts'
import { isAboutTrust } from '../outbox/send.ts'
import type { SendReport } from '../outbox/send.ts'
import { parseDuration } from '../quantity.ts'
import { openDispatch } from '../schedule/dispatch.ts'
import type { Ending } from '../schedule/dispatch.ts'
import { forgetAttempt } from '../schedule/attempt.ts'
import { loadMark, saveMark } from '../schedule/mark.ts'
import { plansOf, requestPlans } from '../schedule/plan.ts'
import type { Plan } from '../schedule/plan.ts'
import { VERSION } from '../version.ts'
import { loadDecided } from './asked.ts'
import { isPassing, startChild } from './child.ts'
import type { Child } from './child.ts'
import { stateDeaths } from './death.ts'
import { heartbeat } from './heartbeat.ts'
import { recorderOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { sendByChild } from './send.ts'
import { openNotifier } from './systemd.ts'

/** The command that does each kind of work. */
const COMMANDS = {
  backup: 'backup',
  inventory: 'inventory',
  'restore-test': 'test',
  'requested-test': 'test',
  'data-check': 'check',
  'deletion-probe': 'probe-deletion',
  retention: 'retention',
} as const

/** Last words may take this long to reach the collector; then they wait for the next start. */
const LAST_SEND_MS = 5_000

/**
 * The service: schedules, signs of life, and an outbox that empties. It ends when `signal` says so.
 * @throws BevisError NOT_ENROLLED, STATE_LOCKED when another service works on the same state
 */
export async function runCommand(
  opened: Opened,
  options: { program: string; configFile: string; signal: AbortSignal },
): Promise<Outcome> {
  const { config, state, now } = opened
  const identity = requireIdentity(state)
  const held = await lock(join(state.folder, 'run.lock'), 'bevis-agent run', { waitMs: 3_000, now })
  const logger = pino({
    level: config.log,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level) => ({ level }) },
  })
  const notifier = openNotifier((err) => logger.warn({ err }, 'systemd could not be told'))
  const recorder = recorderOf(opened)
  const plans = plansOf(config.sets)
  const children = new Set<Child>()

  const delivery = openDelivery(
    (signal) => sendByChild(options.program, options.configFile, signal),
    tellReport,
  )
  /** Who has retired is heard no more: what is said after it would be taken for a stolen key's. */
  const isRetired = (): boolean => state.get('retired') !== null
  const say = async (event: 'started' | 'heartbeat' | 'stopped'): Promise<void> => {
    if (isRetired()) return
    await recorder.record(heartbeat(opened, identity, event, plans))
    delivery.poke()
  }

  const asked = requestPlans(config.sets, (set) => {
    const [first] = loadDecided(opened).accepted.filter((request) => request.set === set)
    return first === undefined ? null : new Date(first.askedAt)
  })
  const dispatch = openDispatch({ plans: [...plans, ...asked], state, now, start: startWork })
  const heartbeatMs = parseDuration(config.heartbeat)
  let heardAt = now().getTime()
  const tick = async (): Promise<void> => {
    if (isRetired()) {
      if (readSpool(state).depth > 0) delivery.poke()
      return
    }
    if (children.size === 0) for (const { set, what } of await stateDeaths(opened)) tellDeath(set, what)
    dispatch.tick()
    // Commands by hand record too, and need not be able to send.
    if (readSpool(state).depth > 0) delivery.poke()
    if (Math.abs(now().getTime() - heardAt) < heartbeatMs) return // a clock that was put back is no silence
    heardAt = now().getTime()
    await say('heartbeat')
  }
  const tell = (err: unknown): void => logger.error({ err }, 'the minute’s work failed')

  await say('started')
  logger.info(
    { agent: identity.agent, tenant: identity.tenant, version: VERSION, sets: config.sets.length },
    'started',
  )
  if (isRetired()) logger.warn('this agent has retired: nothing runs any more')
  for (const warning of configWarnings(config, now())) logger.warn({ warning }, 'the configuration')
  const minutes = nodeCron.schedule('* * * * *', () => tick().catch(tell), { noOverlap: true })
  await tick()
  notifier.ready()
  notifier.watch(() => state.get('identity') !== null) // the loop turns, and the database answers

  await new Promise<void>((resolve) => {
    if (options.signal.aborted) resolve()
    else options.signal.addEventListener('abort', () => resolve(), { once: true })
  })

  notifier.stopping()
  logger.info({ running: children.size }, 'stopping')
  await minutes.stop()
  for (const child of children) child.stop()
  await dispatch.close()
  await delivery.close()
  await say('stopped')
  await sendByChild(options.program, options.configFile, AbortSignal.timeout(LAST_SEND_MS))
  notifier.close()
  held.release()
  logger.info('stopped')
  return { exit: 0, json: { stopped: true }, lines: [] }

  function tellDeath(set: string, what: string): void {
    logger.error({ set, what }, 'a run had died')
  }

  /** Runs one piece of work as a child, and looks at how it ended. */
  async function startWork({ set, what }: Plan): Promise<Ending> {
    const startedAt = now().toISOString()
    const child = startChild(options.program, [
      COMMANDS[what],
      set,
      ...(what === 'retention' ? ['--apply'] : []),
      ...(what === 'requested-test' ? ['--requested'] : []),
      ...(what === 'restore-test' ? ['--full-if-due'] : []),
      '--json',
      '--no-send',
      '--config',
      options.configFile,
    ])
    children.add(child)
    logger.info({ set, what }, 'begun')
    const ending = await child.ended
    children.delete(child)
    const { status, signal, code, isCrash, said } = ending
    logger[status === 0 ? 'info' : 'warn'](
      { set, what, status, signal, code, ...(said !== '' && { said }) },
      'ended',
    )
    if (options.signal.aborted) return 'stopped'
    if (code === 'STATE_LOCKED') return 'locked'
    const mark = loadMark(state, set, what)
    // A set may have been seen first in this same millisecond.
    if (!mark || mark.outcome === 'new' || mark.startedAt < startedAt) {
      // It ended before it could say so itself: without a mark it would be owed at once again, and for ever.
      const outcome = isCrash ? 'crashed' : 'failed'
      saveMark(state, set, what, { startedAt, endedAt: now().toISOString(), outcome, code })
    }
    if (isCrash) {
      forgetAttempt(state, { set, what })
      const detail = { set, what, status, signal } // what it said stays in the log: nobody knows what is in it
      await recorder.record(lifecycle(identity, 'alarm', now(), { reason: 'the run crashed', detail }))
    }
    delivery.poke()
    return isPassing(ending) ? 'hindered' : 'done'
  }

  function tellReport({ logged, refused, failure, alarms }: SendReport): void {
    if (logged > 0) logger.info({ logged }, 'evidence is in the log')
    if (refused > 0) logger.error({ refused }, 'the collector refused evidence')
    for (const alarm of alarms) logger.error(alarm, 'ALARM')
    if (failure instanceof BevisError)
      logger[isAboutTrust(failure.code) ? 'error' : 'warn'](
        { code: failure.code, reason: failure.message },
        'not sent',
      )
    if (!isRetired()) dispatch.tick() // the collector may have asked for something
  }
}
