import { BevisError, errorCodeOf } from '@bevis/shared/error'
import { setOf } from '../config.ts'
import type { SetConfig } from '../config.ts'
import type { BackupProgress, BackupResult } from '../run/backup.ts'
import type { InventoryResult } from '../run/inventory.ts'
import { requireIdentity } from '../evidence/identity.ts'
import { lifecycle } from '../evidence/lifecycle.ts'
import type { Restic } from '../restic/restic.ts'
import { cureOfCode } from '../cure.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { formatBytes, paint } from './terminal.ts'
import { describeInventory, inventoryJson, inventoryResult } from './inventory.ts'
import { canariesIn } from './contract-text.ts'
import { agreedFor } from './test.ts'
import { keepMark, workOn } from './work.ts'
import type { Bench, WorkOptions } from './work.ts'

/** Backs a set up: 0 complete, 1 some of it is missing or it is out of the ordinary, 2 there is no snapshot. */
export async function backupCommand(
  opened: Opened,
  id: string,
  options: WorkOptions & { readonly init: boolean },
): Promise<Outcome> {
  const { runBackup } = await import('../run/backup.ts')
  const { runInventory } = await import('../run/inventory.ts')
  let made: string | null = null
  const result = await workOn(
    opened,
    { id, what: 'backup' },
    options,
    async (bench, progress) => {
      if (options.init) made = await initialise(bench.restic, options.signal)
      const mustBeThere = [...new Set([...canariesIn(bench.set), ...agreedFor(opened, bench).canaries])]
      const backup = await runBackup({
        ...bench,
        mustBeThere,
        onProgress: (at) => progress.update(...progressOf(at)),
      })
      for (const { code, message } of backup.hookErrors) {
        const detail = { set: id, message: message.slice(0, 1000) }
        const identity = requireIdentity(opened.state)
        await bench.recorder.record(lifecycle(identity, 'alarm', opened.now(), { reason: code, detail }))
      }
      if (backup.anomalies.length > 0) await alarmOf(opened, bench, backup)
      if (backup.snapshotId === null || options.signal.aborted) return { ...backup, inventory: null }
      // A backup counts only once an inventory lists it.
      const startedAt = opened.now().toISOString()
      const inventory = await runInventory(bench, backup.listing ?? undefined)
      keepMark(opened, bench.set, 'inventory', startedAt, inventoryResult(inventory))
      return { ...backup, inventory }
    },
    (backup) => ({
      outcome: isEmpty(backup) ? 'empty' : isWhole(backup) ? 'passed' : 'failed',
      error: backup.error,
    }),
  )
  const set = setOf(opened.config, id)
  const outcome = outcomeOf(set, result)
  return made === null ? outcome : { ...outcome, lines: [...outcome.lines, ...nameLines(set, made)] }
}

/** Whoever watches the agents hears of it at once; the statement of the run has it in full. */
async function alarmOf(
  { state, now }: Opened,
  { recorder, set }: Bench,
  { anomalies, snapshotId }: BackupResult,
): Promise<void> {
  const message = anomalies.map(({ text }) => text).join('; ')
  const kinds = anomalies.map(({ kind }) => kind).join(', ')
  const detail = { set: set.id, message: message.slice(0, 1_000), kinds, snapshot: snapshotId }
  await recorder.record(
    lifecycle(requireIdentity(state), 'alarm', now(), { reason: 'ANOMALY_FOUND', detail }),
  )
}

/** Makes the repository if there is none; one that is there is left as it is. @returns its ID */
async function initialise(restic: Restic, signal: AbortSignal): Promise<string> {
  try {
    return await restic.repositoryId({ signal })
  } catch (error) {
    if (errorCodeOf(error) !== 'RESTIC_REPOSITORY_MISSING') throw error
    return restic.init({ signal })
  }
}

/** A contract selects a repository by one of its names: whoever makes it has to know them. */
function nameLines({ repository: { lineage } }: SetConfig, id: string): string[] {
  return [
    `  repository ${id}`,
    lineage === undefined
      ? '  A contract names it by this ID (selector.repository), or by a name that you give it as repository.lineage.'
      : `  A contract names it ${lineage} (selector.repository, as repository.lineage here), or by this ID.`,
  ]
}

function progressOf(at: BackupProgress): [string, number | null, string] {
  const detail = `${at.files} files, ${formatBytes(at.bytes)}`
  if (at.step !== 'backup') return ['witness', null, detail]
  return ['backup', at.totalBytes > 0 ? at.bytes / at.totalBytes : null, detail]
}

/** restic is content with an empty folder, and with excludes that leave nothing; nobody else is. */
function isEmpty({ outcome, tally }: BackupResult): boolean {
  return outcome === 'complete' && tally?.files === 0
}

/** Everything is in the snapshot, and there is a witness of it. */
function isWhole(backup: BackupResult): boolean {
  return backup.outcome === 'complete' && backup.error === null && !isEmpty(backup)
}

function markOf(backup: BackupResult): string {
  if (isEmpty(backup)) return paint('red', '✗ empty')
  if (backup.outcome === 'complete')
    return isWhole(backup) ? paint('green', '✓ complete') : paint('yellow', '! complete, without a witness')
  return backup.outcome === 'partial' ? paint('yellow', '! partial') : paint('red', '✗ failed')
}

function outcomeOf(
  { id, paths }: SetConfig,
  result: BackupResult & { inventory: InventoryResult | null },
): Outcome {
  const { outcome, snapshotId, tally, error, hookErrors, anomalies, recorded, inventory } = result
  const exit = isWhole(result) && anomalies.length === 0 ? 0 : outcome === 'failed' ? 2 : 1
  const told = error instanceof BevisError ? { code: error.code, message: error.message } : null
  return {
    exit,
    json: {
      set: id,
      outcome,
      snapshotId,
      tally,
      error: told,
      hookErrors: hookErrors.map(({ code, message }) => ({ code, message })),
      anomalies,
      recorded,
      inventory: inventory && inventoryJson(inventory),
    },
    lines: [
      `${markOf(result)}  ${id}${snapshotId === null ? '' : `  snapshot ${snapshotId.slice(0, 16)}`}`,
      ...(tally === null
        ? []
        : [
            `  ${tally.witnessed} of ${tally.files} files witnessed, ${formatBytes(tally.bytes)}; ${tally.torn.count} changed while they were read`,
          ]),
      ...(isEmpty(result)
        ? [
            `  nothing was backed up: there is no file in ${paths.join(', ')}, or the excludes leave none`,
            '  Check the paths and excludes of the set, and that what should be mounted there is.',
          ]
        : []),
      ...(told === null ? [] : [`  ${told.code}: ${told.message}`, `  ${cureOfCode(told.code)}`]),
      ...hookErrors.map(
        ({ message }) => `  ${paint('yellow', '!')} ${message}; the snapshot is none the worse for it`,
      ),
      ...anomalies.map(({ text }) => `  ${paint('red', 'ANOMALY_FOUND')}: ${text}`),
      ...(anomalies.length > 0 ? [`  ${cureOfCode('ANOMALY_FOUND')}`] : []),
      `  statement ${recorded.epoch}/${recorded.seq}  ${recorded.paeDigest.slice(0, 16)}`,
      ...(inventory === null ? [] : [`  ${describeInventory(inventory)}`]),
    ],
  }
}
