import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { BevisError } from '@bevis/shared/error'
import type { CollectorConfig } from '../config.ts'
import { openLog } from '../log/log.ts'
import type { Log } from '../log/log.ts'
import { openOffice } from '../office.ts'
import type { Office } from '../office.ts'
import { openReceive } from '../receive.ts'
import { readKeyFile, stateFiles } from '../state.ts'
import type { StateFiles } from '../state.ts'
import { openSqliteStore } from '../store/sqlite/open.ts'
import type { Store } from '../store/store.ts'

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
export function openLogOf({ config, store, files, now }: Opened): Promise<Log> {
  const { origin, checkpointFile } = config
  return openLog({ store, signer: readKeyFile(files.logKey), origin, checkpointFile, now })
}

/** The collector's office, for a command that records a decision. */
export async function openOfficeOf(opened: Opened): Promise<Office> {
  const { store, files, now } = opened
  const receive = openReceive({ store, log: await openLogOf(opened), now })
  return openOffice({ receive, signer: readKeyFile(files.officeKey), now })
}
