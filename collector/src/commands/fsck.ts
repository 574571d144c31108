import { BevisError } from '@bevis/shared/error'
import { formatVkey, parseVkey } from '@bevis/shared/log/checkpoint'
import { checkContracts } from '../contract/text.ts'
import { readCheckpointFile, swapCheckpointFile } from '../log/checkpoint-file.ts'
import { checkLog } from '../log/fsck.ts'
import { checkProjection } from '../projection/check.ts'
import { rebuildProjection } from '../projection/rebuild.ts'
import { readKeyFile } from '../state.ts'
import { newestCheckpoint } from '../store/read/checkpoints.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

export interface FsckOptions {
  /** Leave the derived tables alone. */
  readonly logOnly?: boolean
  /** Where the separate file of the last signed head is lost: write it from this database, if that is sound. */
  readonly writeCheckpoint?: boolean
}

/** Checks everything; changes nothing, but for a lost file that it is told to write. */
export async function fsckCommand(opened: Opened, options: FsckOptions): Promise<Outcome> {
  if (options.writeCheckpoint === true) await writeLostCheckpoint(opened)
  return check(opened, options)
}

/** @throws BevisError USAGE when the file is there, LOG_INCONSISTENT when the log has any other fault */
async function writeLostCheckpoint({ config, store, files }: Opened): Promise<void> {
  const { origin, checkpointFile } = config
  if ((await readCheckpointFile(checkpointFile)) !== null) {
    throw new BevisError(
      'USAGE',
      `${checkpointFile} is there: nothing may replace it but the collector itself`,
    )
  }
  const lock = await store.lock('log', 30_000)
  try {
    const head = await newestCheckpoint(store.db)
    const filed = head?.note ?? null
    const key = parseVkey(formatVkey(origin, readKeyFile(files.logKey).spki))
    const { findings } = await store.db.transaction().execute((tx) => checkLog(tx, { key, filed }))
    if (filed === null || findings.length > 0) {
      throw new BevisError('LOG_INCONSISTENT', 'the log itself is not sound: run fsck, and mend that first')
    }
    await swapCheckpointFile(checkpointFile, null, filed)
  } finally {
    lock.release()
  }
}

async function check(opened: Opened, options: FsckOptions): Promise<Outcome> {
  const { config, store, files } = opened
  const { origin, checkpointFile } = config
  const key = parseVkey(formatVkey(origin, readKeyFile(files.logKey).spki))
  const filed = await readCheckpointFile(checkpointFile)
  const [log, contracts] = await store.db
    .transaction()
    .execute(async (tx) => [await checkLog(tx, { key, filed }), await checkContracts(tx)] as const)
  const isReadable = log.findings.length === 0 && options.logOnly !== true
  const differences = isReadable ? await checkProjection(store, origin) : []
  const { statements, leaves, checkpoints } = log
  const findings = [...log.findings, ...contracts]
  const isClean = findings.length === 0 && differences.length === 0
  const projection = isReadable
    ? 'the derived tables are as the log leads to'
    : 'the derived tables were not looked at'
  return {
    exit: isClean ? 0 : 1,
    json: { clean: isClean, statements, leaves, checkpoints, findings, differences },
    lines: [
      ...findings.map(({ place, problem }) => `${place}: ${problem}`),
      ...differences.map(({ table, row }) => `${table} ${row}: is not what the log leads to (see rebuild)`),
      isClean
        ? `Clean: ${statements} statements, ${leaves} leaves, ${checkpoints} signed heads; ${projection}.`
        : `Not clean: ${findings.length} findings in the log and the contracts, ${differences.length} in the derived tables.`,
    ],
  }
}

/** Drops the derived tables and derives them anew, all at once or not at all. */
export async function rebuildCommand({ config, store }: Opened): Promise<Outcome> {
  const statements = await store.write((tx) => rebuildProjection(tx, config.origin))
  return {
    exit: 0,
    json: { statements },
    lines: [`The derived tables were derived anew from ${statements} statements.`],
  }
}
