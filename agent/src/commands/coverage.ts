import type { Coverage } from '../run/check-ledger.ts'
import type { SetCoverage } from '../run/coverage-ledger.ts'
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

/** Three cells: how much of the set was restored, since when, and how far this cycle is. */
export function describeRestored(coverage: SetCoverage, now: Date): [string, string, string] {
  const { files, restored, current, since, cycle, lastCycle } = coverage
  const share = (part: number, of: number): string => (of === 0 ? '0 %' : `${floored((part * 100) / of)} %`)
  const changed = current === restored ? '' : `, ${share(current, files)} as it is now`
  const last =
    lastCycle === null
      ? ''
      : `, last ${share(lastCycle.restored, lastCycle.files)} ${formatDistance(lastCycle.at, now)}`
  return [
    `${share(restored, files)} of ${files} files${changed}`,
    since === null ? '' : `since ${formatDistance(since, now)}`,
    `cycle: test ${cycle.tests} of ${cycle.of}, ${share(cycle.restored, files)}${last}`,
  ]
}

/** To a tenth, and never up: that would say that more was restored than was. */
function floored(percent: number): number {
  return Math.floor(percent * 10) / 10
}

/** Never 100 % while something is left, never 0 % when something is there. */
function percent(share: number): string {
  const rounded = Math.round(share * 100)
  if (share > 0 && share < 1) return `${Math.min(99, Math.max(1, rounded))} %`
  return `${rounded} %`
}
