import { covers } from '@bevis/shared/contract/cover'
import { readCron } from '../cron.ts'
import { parseDuration } from '../quantity.ts'
import type { Scheduled } from './plan.ts'

/** What a contract asks of one set, as far as a schedule can keep or break it. Durations ISO 8601. */
export interface Promised {
  readonly schedule: {
    readonly every: string
    readonly rpo?: string | undefined
    readonly lateGrace: string
    readonly days: 'all' | 'business'
  }
  readonly restoreTest?:
    | {
        readonly every: string
        readonly grace: string
        readonly mode?: 'sample' | 'full'
        readonly sample?: { readonly files: number } | undefined
        readonly fullEvery?: string | undefined
        readonly ladder?: string | undefined
      }
    | undefined
  readonly evidence: { readonly inventoryEvery: string; readonly freshFor: string }
  readonly selector: { readonly requiredPaths: readonly string[] }
}

/** How far ahead a schedule is looked at: past the next change of clocks, and past a monthly one twice. */
const REACH_DAYS = 400

/** What this set's schedule cannot keep of its contract, in words. Empty when it can. */
export function brokenPromises(
  set: Scheduled & { readonly paths: readonly string[] },
  promised: Promised,
  now: Date,
): string[] {
  const { schedule, restoreTest, evidence, selector } = promised
  const rpo = schedule.rpo ?? schedule.every
  const backups = gapsOf(set.backup.cron, set.backup.timezone, now)
  // On closed days no backup is owed, so only the shortest gap is certain to count.
  const gapMs = schedule.days === 'all' ? Math.max(...backups) : Math.min(...backups)
  const tests = gapsOf(set.restoreTest.cron, set.restoreTest.timezone ?? set.backup.timezone, now)
  return [
    ...(set.backup.cron === undefined
      ? [`no backup is scheduled, and the contract has an RPO of ${spell(rpo)}`]
      : gapMs + parseDuration(set.backup.jitter) > lengthMs(rpo) + lengthMs(schedule.lateGrace)
        ? [
            `"${set.backup.cron}" leaves up to ${spellMs(gapMs)} between two backups: it cannot keep an RPO of ${spell(rpo)}`,
          ]
        : []),
    ...(restoreTest === undefined
      ? []
      : set.restoreTest.cron === undefined
        ? [`no restore test is scheduled, and the contract asks for one every ${spell(restoreTest.every)}`]
        : Math.max(...tests) > lengthMs(restoreTest.every) + lengthMs(restoreTest.grace)
          ? [
              `"${set.restoreTest.cron}" leaves up to ${spellMs(Math.max(...tests))} between two restore tests: the contract asks for one every ${spell(restoreTest.every)}`,
            ]
          : []),
    ...(restoreTest === undefined ? [] : brokenDepth(set.restoreTest, restoreTest)),
    ...(restoreTest?.ladder !== undefined &&
    set.restoreTest.cron !== undefined &&
    Math.max(...tests) > lengthMs(restoreTest.ladder)
      ? [
          `"${set.restoreTest.cron}" leaves up to ${spellMs(Math.max(...tests))} between two restore tests: the contract’s ladder asks for each tier’s oldest snapshot every ${spell(restoreTest.ladder)}`,
        ]
      : []),
    ...(parseDuration(set.inventory.every) > lengthMs(evidence.freshFor)
      ? [
          `an inventory every ${spell(set.inventory.every)} is older than the ${spell(evidence.freshFor)} that the contract takes for fresh`,
        ]
      : []),
    ...selector.requiredPaths
      .filter((required) => !covers(set.paths, [required]))
      .map((required) => `the contract requires ${required}, which is in none of the set's paths`),
  ]
}

/** Whether as much is restored as is promised. */
function brokenDepth(
  { files, fullEvery }: Scheduled['restoreTest'],
  promised: NonNullable<Promised['restoreTest']>,
): string[] {
  const often = promised.mode === 'full' ? promised.every : promised.fullEvery
  const isTooSeldom =
    often !== undefined &&
    (fullEvery === undefined || lengthMs(fullEvery) > lengthMs(often) + lengthMs(promised.grace))
  const sample = promised.mode === 'full' ? undefined : promised.sample?.files
  return [
    ...(isTooSeldom
      ? [
          `the contract asks for a restore of everything every ${spell(often)}, and restoreTest.fullEvery is ${fullEvery === undefined ? 'not set' : spell(fullEvery)}`,
        ]
      : []),
    ...(sample !== undefined && files < sample
      ? [`the contract asks for samples of ${sample} files, and restoreTest.files is ${files}`]
      : []),
  ]
}

/** Milliseconds between consecutive runs. */
function gapsOf(expression: string | undefined, timezone: string, now: Date): number[] {
  if (expression === undefined) return []
  const cron = readCron(expression, timezone)
  const end = now.getTime() + REACH_DAYS * 86_400_000
  const gaps: number[] = []
  let last = cron.after(now)
  // A schedule of minutes shows all its gaps within days; nobody waits for half a million of them.
  while (last !== null && last.getTime() < end && gaps.length < 2_000) {
    const next = cron.after(last)
    if (next !== null) gaps.push(next.getTime() - last.getTime())
    last = next
  }
  return gaps.length === 0 ? [Infinity] : gaps
}

/** A duration with months or years at its shortest, so that a doubt is told. */
function lengthMs(text: string): number {
  return Temporal.Duration.from(text).total({
    unit: 'milliseconds',
    relativeTo: Temporal.PlainDate.from('2027-02-01'),
  })
}

function spell(text: string): string {
  return new Intl.DurationFormat('en', { style: 'long' }).format(Temporal.Duration.from(text))
}

function spellMs(ms: number): string {
  if (!Number.isFinite(ms)) return 'more than a year'
  const whole = Temporal.Duration.from({ minutes: Math.round(ms / 60_000) })
  return new Intl.DurationFormat('en', { style: 'long' }).format(
    whole.round({ largestUnit: ms > 2 * 86_400_000 ? 'days' : 'hours' }),
  )
}
