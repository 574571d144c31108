import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { CollectorConfig } from '../config.ts'
import { openLog } from '../log/log.ts'
import type { Log } from '../log/log.ts'
import { openOffice } from '../office.ts'
import type { Office } from '../office.ts'
import { openReceive } from '../receive.ts'
import { readLogKeys } from '../log-keys.ts'
import { readKeyFile, readSecretFile, stateFiles } from '../state.ts'
import type { StateFiles } from '../state.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import type { Store } from '../store/store.ts'
import type { Stamper } from '../time/stamper.ts'

/** What a command gets: the configuration, and the database until it ends. */
export interface Opened {
  readonly config: CollectorConfig
  readonly store: Store
  readonly files: StateFiles
  readonly now: () => Date
}

/** Whether `init` has made a collector there. */
function isMade({ state }: CollectorConfig): boolean {
  return existsSync(join(state, 'collector.db'))
}

/** As `withStore`, with null where there is no collector (yet). */
export function withStoreIfAny<T>(
  config: CollectorConfig | null,
  now: () => Date,
  work: (opened: Opened | null) => Promise<T>,
): Promise<T> {
  return config === null || !isMade(config) ? work(null) : withStore(config, now, work)
}

/**
 * Opens the database for a command, and closes it whatever happens.
 * @throws BevisError USAGE before `init`
 */
export async function withStore<T>(
  config: CollectorConfig,
  now: () => Date,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  if (!isMade(config)) {
    throw new BevisError(
      'USAGE',
      `there is no collector in ${config.state} yet: run \`bevis-collector init\` first`,
    )
  }
  const store = await openSqliteStore({ stateFolder: config.state })
  try {
    return await work({ config, store, files: stateFiles(config.state), now })
  } finally {
    await store.close()
  }
}

/** The log of an opened collector, compared with its last signed head. */
export async function openLogOf({ config, store, now }: Opened): Promise<Log> {
  const { origin, checkpointFile } = config
  return openLog({ store, ...readLogKeys(config.state, origin), origin, checkpointFile, now })
}

/** The collector's office, for a command that records a decision. */
export async function openOfficeOf(opened: Opened): Promise<Office> {
  const { store, files, now } = opened
  const receive = openReceive({ store, log: await openLogOf(opened), now })
  return openOffice({ receive, signer: readKeyFile(files.officeKey), now })
}

/** Whoever stamps, and the roots of its authorities in PEM. */
export interface Stamping {
  readonly stamper: Stamper
  readonly tsaChain: string
}

/**
 * The stamper of the configured authorities; undefined where there are none. What reads certificates costs as much
 * memory as half of the start, so only those have it who are stamped.
 */
export async function openStamperOf({ config, store, now }: Opened, log: Log): Promise<Stamping | undefined> {
  if (config.timestamps.length === 0) return undefined
  const { readCertificates } = await import('@bevis/shared/time/certificate')
  const { openStamper } = await import('../time/stamper.ts')
  const authorities = config.timestamps.map(({ url, ca, policy }) => {
    const pem = readSecretFile(ca)
    try {
      return { url, policy, pem, roots: readCertificates(pem) }
    } catch (cause) {
      const said = `timestamps: ${ca}: ${errorMessageOf(cause)}`
      throw new BevisError('CONFIG_INVALID', said, { cause })
    }
  })
  const stamper = openStamper({ store, log, authorities, now })
  // Several may share a root, and a chain has it once.
  const roots = new Set(
    authorities.flatMap(
      ({ pem }) => pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [],
    ),
  )
  return { stamper, tsaChain: `${[...roots].join('\n')}\n` }
}
