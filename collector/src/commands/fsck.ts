import { formatVkey, parseVkey } from '@bevis/shared/log/checkpoint'
import { readCheckpointFile } from '../log/checkpoint-file.ts'
import { checkLog } from '../log/fsck.ts'
import { checkProjection } from '../projection/check.ts'
import { rebuildProjection } from '../projection/rebuild.ts'
import { readKeyFile } from '../state.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

/** Checks everything; changes nothing. */
export async function fsckCommand(opened: Opened, options: { logOnly?: boolean }): Promise<Outcome> {
  const { config, store, files } = opened
  const { origin, checkpointFile } = config
  const key = parseVkey(formatVkey(origin, readKeyFile(files.logKey).spki))
  const filed = await readCheckpointFile(checkpointFile)
  const log = await store.db.transaction().execute((tx) => checkLog(tx, { key, filed }))
  const isReadable = log.findings.length === 0 && options.logOnly !== true
  const differences = isReadable ? await checkProjection(store, origin) : []
  const { statements, leaves, checkpoints, findings } = log
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
        : `Not clean: ${findings.length} findings in the log, ${differences.length} in the derived tables.`,
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
