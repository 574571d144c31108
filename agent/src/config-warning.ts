import type { AgentConfig } from './config.ts'
import { skippedDay } from './cron.ts'
import { parseDuration } from './quantity.ts'
import { isWithin } from './tree/path.ts'

/** How long a deletion probe proves that a copy is immutable. */
const PROBE_COUNTS_FOR = 'P31D'

/** What is allowed but probably not meant, in words. */
export function configWarnings(config: AgentConfig, now: Date): string[] {
  const warnings: string[] = []
  const { url } = config.collector
  if (url.startsWith('http:') && !/^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/]|$)/.test(url)) {
    warnings.push(
      `collector.url: ${url} is not encrypted: whoever listens reads what the evidence says; use https`,
    )
  }
  for (const set of config.sets) {
    const { retention: asked } = set
    if (asked?.fromContract === true && set.contractFile === undefined)
      warnings.push(
        `set ${set.id}, retention: nothing is removed without the contract's text on this machine: set contractFile`,
      )
    if (asked?.fromContract === true && asked.prune === 'never')
      warnings.push(
        `set ${set.id}, retention.prune: what is removed keeps its space, and its data, until something prunes`,
      )
    const { id, backup: planned, restoreTest: tested, dataCheck: checked } = set
    if (set.hooks.snapshotFs === 'vss' && process.platform !== 'win32') {
      warnings.push(`set ${id}, hooks.snapshotFs: vss is of Windows; restic refuses to back up with it here`)
    }
    if (parseDuration(set.deletionProbe.every ?? 'P1D') > parseDuration(PROBE_COUNTS_FOR)) {
      warnings.push(
        `set ${id}, deletionProbe.every: a contract takes a probe for ${PROBE_COUNTS_FOR} as proof; probe more often`,
      )
    }
    for (const canary of tested.canaries.filter((path) => !set.paths.some((root) => isWithin(path, root)))) {
      warnings.push(`set ${id}, restoreTest.canaries: ${canary} is not in the set's paths: it is not tested`)
    }
    for (const [part, cron, zone] of [
      ['backup', planned.cron, planned.timezone],
      ['restoreTest', tested.cron, tested.timezone ?? planned.timezone],
      ['dataCheck', checked.cron, checked.timezone ?? planned.timezone],
    ] as const) {
      const day = cron === undefined ? null : skippedDay(cron, zone, now)
      if (day === null) continue
      warnings.push(
        `set ${id}, ${part}.cron: on ${day.toString()} clocks in ${zone} skip "${cron}"; it runs an hour later then`,
      )
    }
  }
  return warnings
}
