import { userInfo } from 'node:os'
import type { Contract } from '@bevis/shared/contract/schema'
import type { PlannedSnapshot, RetentionReason } from '@bevis/shared/contract/retention'
import { BevisError } from '@bevis/shared/error'
import { setDigest, setOf } from '../config.ts'
import { cureOfCode } from '../cure.ts'
import { observeRetention } from '../evidence/observe-repository.ts'
import { keepOwnRuns, readOwnRuns } from '../evidence/own-runs.ts'
import { loadClock } from '../outbox/clock.ts'
import { acceptAnomalies } from '../run/anomaly.ts'
import { describeHold, loadHold, releaseHold } from '../run/hold.ts'
import { loadInventoryBase } from '../run/inventory-base.ts'
import { UNKNOWN_REPOSITORY, knownRepository } from '../run/repository.ts'
import { refused } from '../run/retention-plan.ts'
import type { RetentionResult } from '../run/retention.ts'
import { placeOf } from '../restic/location.ts'
import { publicLocation } from '../restic/restic.ts'
import { readContractFile, toldTexts } from './contract-text.ts'
import { inventoryJson } from './inventory.ts'
import { recorderOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { CLOCK_BAD_MS } from './status.ts'
import { alignColumns, formatBytes, formatInstant, paint } from './terminal.ts'
import type { ProgressLine } from './terminal.ts'
import { workOn } from './work.ts'
import type { Bench, WorkOptions } from './work.ts'

/** A clock that was compared longer ago may have run away since. */
const CLOCK_OLD_MS = 72 * 3_600_000

/** Shows, or removes, what a contract no longer owes: 0 done, 1 held, 2 nothing certain can be said or done. */
export async function retentionCommand(
  opened: Opened,
  id: string,
  options: WorkOptions & { readonly apply: boolean; readonly contract: string | null },
): Promise<Outcome> {
  const { runRetention } = await import('../run/retention.ts')
  const { config, state } = opened
  const set = setOf(config, id)
  const story = (bench: Bench, progress: ProgressLine): Promise<RetentionResult> => {
    keepOwnRuns(state)
    return runRetention({
      ...bench,
      sharing: config.sets.filter(
        ({ repository }) => placeOf(repository.url) === placeOf(set.repository.url),
      ),
      contracts: contractsFor(options.contract ?? set.contractFile, () => toldTexts(opened, bench)),
      own: readOwnRuns(state.folder),
      apply: options.apply,
      isUnattended: !options.send,
      clockDoubt: clockDoubt(opened),
      onProgress: (step, done, total) =>
        progress.update(step, total === 0 ? null : done / total, `${done} of ${total} snapshots`),
    })
  }
  const result = await workOn(
    opened,
    { id, what: 'retention', isLook: !options.apply },
    options,
    story,
    ({ error }) => ({
      // A hold has been kept, as it should be: status tells of the hold itself.
      outcome: error === null || error.code === 'RETENTION_HELD' ? 'passed' : 'inconclusive',
      error: error?.code === 'RETENTION_HELD' ? null : error,
    }),
  )
  return outcomeOf(id, result, options.apply)
}

/** As a value: that there is no contract is told, and stated, like everything else that keeps it from acting. */
function contractsFor(
  file: string | undefined,
  told: () => readonly Contract[],
): readonly [Contract, ...Contract[]] | BevisError {
  if (file === undefined)
    return refused(
      'the contract’s text is needed on this machine: set contractFile, or name it with --contract',
    )
  try {
    return [readContractFile(file), ...told()]
  } catch (error) {
    return error instanceof BevisError ? error : refused(String(error))
  }
}

function clockDoubt({ state, now }: Opened): string | null {
  const clock = loadClock(state)
  if (clock === null) return 'this host’s clock was never compared with the collector’s'
  if (Math.abs(now().getTime() - Date.parse(clock.at)) > CLOCK_OLD_MS)
    return `this host’s clock was last compared with the collector’s at ${clock.at}`
  return Math.abs(clock.offsetMs) > CLOCK_BAD_MS
    ? `this host’s clock is ${Math.round(clock.offsetMs / 1000)} s off the collector’s`
    : null
}

/** Takes a hold away, with a signed statement of who did, and why. */
export async function releaseHoldCommand(
  opened: Opened,
  id: string,
  options: { readonly reason: string | null },
): Promise<Outcome> {
  const { config, state, now } = opened
  const set = setOf(config, id)
  if (options.reason === null || options.reason.trim() === '')
    throw new BevisError(
      'USAGE',
      'say why: --release-hold --reason "the mass change was the migration of 3 May"',
    )
  const hold = loadHold(state.folder, id)
  if (hold === null)
    return { exit: 0, json: { set: id, released: null }, lines: [`nothing holds the retention of ${id}`] }
  const repository = knownRepository(state.folder, id) ?? UNKNOWN_REPOSITORY
  const { lineage } = set.repository
  const location = publicLocation(set.repository.url)
  const base = await loadInventoryBase(state.folder, { id: repository, location })
  const { username } = userInfo()
  const at = now()
  const recorded = await recorderOf(opened).record(
    observeRetention({
      set: id,
      setDigest: setDigest(set),
      repository: {
        id: repository,
        ...(lineage !== undefined && { lineage }),
        location,
      },
      resticVersion: null,
      startedAt: at,
      endedAt: at,
      exitCode: 0,
      policy: { released: describeHold(hold), by: username, reason: options.reason.slice(0, 2_000) },
      removed: [],
      kept: base?.ids.size ?? 0,
      pruned: false,
      freedBytes: null,
      heldBy: null,
    }),
  )
  // After the statement: a release that nobody can read of is none.
  acceptAnomalies(state.folder, id)
  releaseHold(state.folder, id)
  return {
    exit: 0,
    json: { set: id, released: hold, by: username, reason: options.reason, recorded },
    lines: [
      `${paint('green', '✓')} released by ${username}: ${describeHold(hold)}`,
      `  statement ${recorded.epoch}/${recorded.seq}  ${recorded.paeDigest.slice(0, 16)}`,
    ],
  }
}

function outcomeOf(id: string, result: RetentionResult, apply: boolean): Outcome {
  const { plan, hold, removed, isFirstShown, pruned, freedBytes, manifestsDropped, error, recorded } = result
  const told = error === null ? null : { code: error.code, message: error.message }
  return {
    exit: told === null ? 0 : told.code === 'RETENTION_HELD' ? 1 : 2,
    json: {
      set: id,
      applied: apply,
      contract: plan === null ? null : { id: plan.plan.contract, version: plan.plan.version },
      policy: plan?.policy ?? null,
      go: plan?.go ?? [],
      stay: plan?.stay ?? [],
      foreign: plan?.foreign ?? [],
      hold,
      removed,
      pruned,
      freedBytes,
      manifestsDropped,
      recorded,
      inventory: result.inventory && inventoryJson(result.inventory),
      error: told,
    },
    lines: [
      ...(plan === null
        ? []
        : [
            `${plan.plan.contract}, version ${plan.plan.version}: ${id}`,
            `  about the same for restic: restic ${plan.policy.join(' ')}`,
            ...section(
              'would go',
              plan.go.filter(({ id: one }) => !removed.includes(one)),
            ),
            ...section('stay, though nobody owes them, for nobody knows whose they are', plan.foreign),
            ...stayLines(plan.stay),
          ]),
      ...(apply && told === null ? [doneLine(result)] : []),
      ...(pruned ? [`  pruned${freedBytes === null ? '' : `, ${formatBytes(freedBytes)} freed`}`] : []),
      ...(manifestsDropped > 0 ? [`  ${manifestsDropped} manifests of what is gone were removed`] : []),
      ...(hold !== null && !apply ? [paint('yellow', `! ${describeHold(hold)}`)] : []),
      ...(told !== null
        ? [
            `${paint(told.code === 'RETENTION_HELD' ? 'yellow' : 'red', told.code)}: ${told.message}`,
            `  ${cureOfCode(told.code)}`,
          ]
        : []),
      ...(recorded === null
        ? []
        : [`  statement ${recorded.epoch}/${recorded.seq}  ${recorded.paeDigest.slice(0, 16)}`]),
      ...(told !== null || plan === null || plan.go.length === removed.length
        ? []
        : [
            isFirstShown && apply
              ? 'They are shown for the first time: the next run with --apply removes them.'
              : 'To remove them: bevis-agent retention SET --apply',
          ]),
    ],
  }
}

function doneLine({ removed, plan }: RetentionResult): string {
  if (removed.length === 0) return `${paint('green', '✓')} nothing was removed`
  return `${paint('green', '✓')} removed ${removed.length} snapshots; ${plan?.stay.length ?? 0} stay`
}

const SHOWN = 100

function section(title: string, snapshots: readonly PlannedSnapshot[]): string[] {
  if (snapshots.length === 0) return []
  const rows = snapshots
    .slice(0, SHOWN)
    .map(({ id, start, reasons }) => [
      id.slice(0, 16),
      formatInstant(start),
      reasons.map(describeReason).join('; '),
    ])
  const more = snapshots.length - rows.length
  return [
    `  ${title}: ${snapshots.length}`,
    ...alignColumns(rows, '    '),
    ...(more > 0 ? [`    and ${more} more (--json lists all)`] : []),
  ]
}

/** What stays is usually plain; what stays for another reason than a tier is told. */
function stayLines(stay: readonly PlannedSnapshot[]): string[] {
  const isPlain = ({ reasons }: PlannedSnapshot): boolean =>
    reasons.every(({ kind }) => kind === 'owed' || kind === 'newest')
  return [
    `  stay: ${stay.length}, of which ${stay.filter(isPlain).length} are owed as recovery points`,
    ...section(
      'stay for another reason',
      stay.filter((one) => !isPlain(one)),
    ),
  ]
}

function describeReason(reason: RetentionReason): string {
  switch (reason.kind) {
    case 'owed':
      return `owed to ${reason.tier} ${reason.bucket} until ${untilOf(reason)}`
    case 'doubtful':
      return `${reason.tier} ${reason.bucket} is owed until ${untilOf(reason)}, and nothing in it is certain`
    case 'held':
      return `held: ${reason.authority}`
    case 'newest':
      return 'the newest'
    case 'future-dated':
      return 'dated in the future: look at it'
    case 'served':
      return `${reason.tier} ${reason.bucket} has ${reason.by.slice(0, 8)}`
    case 'ended':
      return `${reason.tier} ${reason.bucket} was owed until ${formatInstant(reason.at)}`
    case 'outside':
      return `not of a time that ${reason.tier} takes`
  }
}

function untilOf({ keepUntil }: { keepUntil: string | null }): string {
  return keepUntil === null ? 'newer ones have followed' : formatInstant(keepUntil)
}
