import { BevisError } from '@bevis/shared/error'
import { openCheckpointBy } from '@bevis/shared/log/checkpoint'
import { verifyVerdicts } from '../compliance/verify.ts'
import { checkContracts } from '../contract/check.ts'
import { readCheckpointFile, swapCheckpointFile } from '../log/checkpoint-file.ts'
import { checkLog } from '../log/fsck.ts'
import { checkProjection } from '../projection/check.ts'
import { copiesFolder } from '../report/service/copies.ts'
import { checkIssued } from '../report/service/issued.ts'
import { rebuildProjection } from '../projection/rebuild.ts'
import { readLogKeys } from '../log-keys.ts'
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
  if (options.writeCheckpoint !== true) return check(opened, options)
  await writeLostCheckpoint(opened)
  const checked = await check(opened, options)
  const { checkpointFile } = opened.config
  const said =
    `${checkpointFile} was missing and is written from this database. From now on this database counts as the ` +
    'newest: had it been set back before, agents that saw more of the log will refuse it and say so.'
  return { ...checked, lines: [said, ...checked.lines] }
}

/**
 * @throws BevisError USAGE or LOG_ROLLED_BACK when the file is there, LOG_INCONSISTENT when it holds another
 * head, or the log has any other fault
 */
async function writeLostCheckpoint({ config, store }: Opened): Promise<void> {
  const { origin, checkpointFile } = config
  const { known } = readLogKeys(config.state, origin)
  const there = await readCheckpointFile(checkpointFile)
  if (there !== null) {
    const head = await newestCheckpoint(store.db)
    throw refusalToReplace(checkpointFile, there, head?.size ?? 0, known)
  }
  const lock = await store.lock('log', 30_000)
  try {
    const head = await newestCheckpoint(store.db)
    const filed = head?.note ?? null
    const { findings } = await store.db.transaction().execute((tx) => checkLog(tx, { keys: known, filed }))
    if (filed === null || findings.length > 0) {
      throw new BevisError('LOG_INCONSISTENT', 'the log itself is not sound: run fsck, and mend that first')
    }
    await swapCheckpointFile(checkpointFile, null, filed)
  } finally {
    lock.release()
  }
}

/** Why a file that is there stays as it is, and what its content means. */
function refusalToReplace(
  file: string,
  note: string,
  databaseSize: number,
  keys: Parameters<typeof openCheckpointBy>[1],
): BevisError {
  const kept = `${file} is there and stays as it is`
  let size: number
  try {
    size = openCheckpointBy(note, keys).size
  } catch (cause) {
    const means = 'it is no head that this log signed: it is another log\u2019s, or somebody changed it'
    return new BevisError('LOG_INCONSISTENT', `${kept}: ${means}`, { cause })
  }
  if (size > databaseSize) {
    return new BevisError(
      'LOG_ROLLED_BACK',
      `${kept}: it proves that ${size} entries were signed, and the database ends at ${databaseSize}. ` +
        'The database was set back, and evidence that was receipted is missing from it: restore the newest one. ' +
        'Writing the file anew would hide that',
    )
  }
  return new BevisError(
    'USAGE',
    `${kept}: it holds the head of ${size} entries, so it is not lost, and only the collector itself moves it`,
  )
}

async function check(opened: Opened, options: FsckOptions): Promise<Outcome> {
  const { config, store } = opened
  const { origin, checkpointFile } = config
  const { known: keys, closures } = readLogKeys(config.state, origin)
  const filed = await readCheckpointFile(checkpointFile)
  const [log, contracts, reports] = await store.db
    .transaction()
    .execute(
      async (tx) =>
        [
          await checkLog(tx, { keys, filed }),
          await checkContracts(tx),
          await checkIssued(tx, copiesFolder(checkpointFile)),
        ] as const,
    )
  const isReadable = log.findings.length === 0 && options.logOnly !== true
  const differences = isReadable ? await checkProjection(store, { origin, closures }) : []
  const { statements, stamps, leaves, checkpoints } = log
  const findings = [...log.findings, ...contracts, ...reports]
  const isClean = findings.length === 0 && differences.length === 0
  const projection = isReadable
    ? 'the derived tables are as the log leads to'
    : 'the derived tables were not looked at'
  return {
    exit: isClean ? 0 : 1,
    json: { clean: isClean, statements, stamps, leaves, checkpoints, findings, differences },
    lines: [
      ...findings.map(({ place, problem }) => `${place}: ${problem}`),
      ...differences.map(({ table, row }) => `${table} ${row}: is not what the log leads to (see rebuild)`),
      isClean
        ? `Clean: ${statements} statements, ${leaves} leaves, ${checkpoints} signed heads; ${projection}.`
        : `Not clean: ${findings.length} findings in the log, the contracts and the reports, ${differences.length} in the derived tables.`,
    ],
  }
}

/**
 * Judges every contract cleanly beside its stored verdict, then drops the derived tables and derives them anew, all at
 * once or not at all.
 */
export async function rebuildCommand({ config, store, now }: Opened): Promise<Outcome> {
  const { origin } = config
  const { closures } = readLogKeys(config.state, origin)
  const verdicts = await verifyVerdicts(store, now())
  const statements = await store.write((tx) => rebuildProjection(tx, { origin, closures }))
  const wrong = verdicts.filter(({ outcome }) => outcome === 'different' || outcome === 'failed')
  const same = verdicts.filter(({ outcome }) => outcome === 'same').length
  return {
    exit: wrong.length === 0 ? 0 : 1,
    json: { statements, verdicts },
    lines: [
      ...wrong.map(({ contract, at, outcome, detail }) =>
        outcome === 'different'
          ? `${contract}: a clean evaluation as of ${at} differs from the stored verdict in its ${detail}`
          : `${contract}: cannot be evaluated as of ${at}: ${detail}`,
      ),
      `The derived tables were derived anew from ${statements} statements.`,
      `Of ${verdicts.length} stored verdicts ${same} came out the same from a clean evaluation.`,
    ],
  }
}
