/**
 * A set's promise in restic's own words, for people who know those. It is never what decides: `restic forget` counts
 * periods that have snapshots, in the offset that each snapshot was stored with, and knows neither weekdays nor fiscal
 * years, holds or broken runs.
 */
import type { ContractSet, Per, Tier } from './schema.ts'

const OPTIONS: Record<Exclude<Per, 'fiscalYear'>, string> = {
  hour: 'hourly',
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
  year: 'yearly',
}

/**
 * Arguments of `restic forget` that keep at least what is owed while backups run on time.
 * @param paths of the set's snapshots, where others of the host lie in the same repository: in one group, the day's
 * last would be kept, whoever's it is
 */
export function policyAsRestic(
  { selector, retention }: Pick<ContractSet, 'selector' | 'retention'>,
  paths: readonly string[] = [],
): string[] {
  const most = new Map<string, number>()
  for (const tier of retention.min)
    most.set(nameOf(tier), Math.max(keepOf(tier), most.get(nameOf(tier)) ?? 0))
  const options = [...most].map(([name, keep]) => `--keep-${name} ${keep}`)
  // By default restic groups by host and paths, so that a renamed one leaves a group that never empties.
  const own = paths.map((path) => `--path '${path.replaceAll("'", `'\\''`)}'`)
  return ['forget', ...selector.hosts.map((host) => `--host ${host}`), ...own, "--group-by ''", ...options]
}

function nameOf({ per, anchor }: Tier): string {
  // Whatever was taken last in a week need not be of its day: of each day, then.
  if (anchor !== undefined) return 'daily'
  return per === 'fiscalYear' ? 'monthly' : OPTIONS[per]
}

const DAYS: Record<Per, number> = { hour: 1, day: 1, week: 7, month: 31, year: 366, fiscalYear: 366 }

/** The period that runs has its snapshot already, so one more than were promised to be closed. */
function keepOf({ per, keep, anchor }: Tier): number {
  if (anchor !== undefined) return (keep + 1) * DAYS[per]
  return per === 'fiscalYear' ? (keep + 2) * 12 : keep + 1
}
