import { execFile } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { Logger } from 'pino'
import { openCompliance } from '../compliance/open.ts'
import { environment } from '../config.ts'
import type { CollectorConfig } from '../config.ts'
import type { RegisterPages } from '../http/context.ts'
import { buildServer } from '../http/server.ts'
import { clockTrouble } from '../http/readiness.ts'
import { headOfTheHour } from '../log/cosignatures.ts'
import type { Log } from '../log/log.ts'
import { submitHead } from '../log/submit.ts'
import { createLogger } from '../logger.ts'
import { openOffice } from '../office.ts'
import { openReceive } from '../receive.ts'
import { readKeyFile } from '../state.ts'
import type { Store } from '../store/store.ts'
import { openLogOf, openStamperOf, withStore } from './open.ts'

export { createLogger }

const run = promisify(execFile)

/** How long a stop waits for requests under way; systemd waits longer. */
const STOP_MS = 20_000

/** Serves until it is told to stop. There is one server for one state folder. */
export async function serveCommand(
  config: CollectorConfig,
  options: { now: () => Date; registerPages?: RegisterPages | undefined; stopped: Promise<string> },
): Promise<void> {
  const { now, registerPages, stopped } = options
  assertPrivate(config)
  const logger = createLogger(config.logLevel)
  await withStore(config, now, async (opened) => {
    chmodSync(config.state, 0o700)
    const { store } = opened
    const lock = await store.lock('serve', 0)
    const log = await openLogOf(opened)
    if (log.trouble !== null) {
      const { code, message } = log.trouble
      logger.fatal({ code }, `nothing is signed, and no evidence taken, until this is mended: ${message}`)
    }
    const receive = openReceive({ store, log, now })
    const compliance = openCompliance({ store, now })
    const office = openOffice({ receive, signer: readKeyFile(opened.files.officeKey), now })
    const stamps = await openStamperOf(opened, log)
    const parts = { config, store, log, receive, compliance, office, stamps, logger, now, registerPages }
    const app = await buildServer(parts)
    const address = await listen(app, config)
    logger.info({ address, origin: log.origin, size: (await log.head()).size }, 'listening')
    await notifySystemd('--ready', logger)
    let isToldOfClock = false
    const ticking = tickEvery(
      config.tick,
      async () => {
        const { evaluated, transitions, failures } = await compliance.tick()
        for (const { contract, error } of failures) logger.error({ contract, err: error }, 'not evaluated')
        if (transitions > 0) logger.info({ evaluated, transitions }, 'verdicts changed')
        const trouble = await clockTrouble(store, now())
        if (trouble !== null && !isToldOfClock) logger.error({ code: trouble.code }, trouble.message)
        isToldOfClock = trouble !== null
      },
      logger,
    )
    const witnessed = tickEvery(
      config.tick,
      () => submitHeads({ store, log, now }, config.logWitnesses, logger),
      logger,
    )
    const stamped = tickEvery(
      config.tick,
      async () => {
        const { failures = [] } = (await stamps?.stamper.stampIfDue()) ?? {}
        for (const { url, error } of failures) logger.warn({ url, err: error }, 'no stamp of this clock')
      },
      logger,
    )
    const signal = await stopped
    logger.info({ signal }, 'stopping')
    await notifySystemd('--stopping', logger)
    const giveUp = setTimeout(() => app.server.closeAllConnections(), STOP_MS)
    await app.close()
    clearTimeout(giveUp)
    await Promise.all([ticking.stop(), witnessed.stop(), stamped.stop()])
    lock.release()
  })
}

/** Shows the head of the hour, then the newest, to every outside log witness; one that fails keeps none from the others. */
async function submitHeads(
  parts: { store: Store; log: Log; now: () => Date },
  witnesses: CollectorConfig['logWitnesses'],
  logger: Logger,
): Promise<void> {
  const { store, log, now } = parts
  if (witnesses.length === 0 || log.trouble !== null) return
  const hourly = await headOfTheHour(store.db, log, now())
  const heads = [...(hourly === null ? [] : [hourly]), await log.head()]
  await Promise.all(
    witnesses.map(async (witness) => {
      try {
        for (const head of heads) await submitHead(parts, witness, head)
      } catch (error) {
        logger.error({ err: error, witness: witness.url }, 'a log witness has not cosigned')
      }
    }),
  )
}

/** @throws BevisError CONFIG_INVALID when the address is taken, or none of ours */
async function listen(
  app: Awaited<ReturnType<typeof buildServer>>,
  { listen: place }: CollectorConfig,
): Promise<string> {
  try {
    return await app.listen(place)
  } catch (cause) {
    const said = `listen: ${place.host}:${place.port} cannot be listened on: ${errorMessageOf(cause)}`
    throw new BevisError('CONFIG_INVALID', said, { cause })
  }
}

/**
 * Passwords and sessions are not sent over a network in the clear.
 * @throws BevisError CONFIG_INVALID
 */
export function assertPrivate({
  listen: { host, port },
  tls,
}: Pick<CollectorConfig, 'listen' | 'tls'>): void {
  if (tls !== undefined || /^(localhost|127(\.\d{1,3}){3}|(0*:)+0*1)$/i.test(host)) return
  throw new BevisError(
    'CONFIG_INVALID',
    `listen: ${host}:${port} can be reached from other machines, and there is no tls: passwords would cross the ` +
      `network in the clear. Give it tls (key, cert), or listen on 127.0.0.1:${port} behind a reverse proxy`,
  )
}

/** Runs again and again, one at a time, the next one `ms` after the last has ended. */
function tickEvery(ms: number, work: () => Promise<void>, logger: Logger): { stop(): Promise<void> } {
  const ended = new AbortController()
  const loop = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      try {
        await work()
      } catch (error) {
        logger.error({ err: error }, `the tick failed: ${errorMessageOf(error)}`)
      }
      await sleep(ms, undefined, { signal: ended.signal }).catch(() => undefined) // woken by the stop
    }
  }
  const done = loop()
  return {
    stop: () => {
      ended.abort()
      return done
    },
  }
}

/** Tells systemd how far we are; by its own tool, since Node has no datagram Unix sockets. */
async function notifySystemd(what: '--ready' | '--stopping', logger: Logger): Promise<void> {
  if (environment.notifySocket === undefined) return
  try {
    await run('systemd-notify', [what])
  } catch (error) {
    logger.warn(`systemd was not told ${what}: ${errorMessageOf(error)}`)
  }
}
