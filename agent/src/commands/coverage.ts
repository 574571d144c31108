import type { Coverage } from '../run/check-ledger.ts'
import { formatDistance, paint } from './terminal.ts'

/** Three cells: how much of the data was read, since when, and how far this cycle is. */
export function describeCoverage(coverage: Coverage, now: Date): [string, string, string] {
  const { share, since, cycleShare, completedAt, damagedShare } = coverage
  const damaged = damagedShare === 0 ? '' : paint('red', `, ${percent(damagedShare)} with damage`)
  const last =
    completedAt === null ? 'no cycle complete' : `last complete ${formatDistance(completedAt, now)}`
  return [
    `${percent(share)}${damaged}`,
    since === null ? '' : `since ${formatDistance(since, now)}`,
    `cycle at ${percent(cycleShare)}, ${last}`,
  ]
}

/** Never 100 % while something is left, never 0 % when something is there. */
function percent(share: number): string {
  const rounded = Math.round(share * 100)
  if (share > 0 && share < 1) return `${Math.min(99, Math.max(1, rounded))} %`
  return `${rounded} %`
}
