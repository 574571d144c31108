import type { History } from './history.ts'
import type { Opinion } from './verdict.ts'

/** The evidence dimension: how long it has been since a complete inventory was taken. */
export function weighSilence(opinion: Opinion, { terms, lineage }: History, at: number): void {
  const { freshFor, unknownAfter, silenceBreachAfter } = terms.set.evidence
  const { zone } = terms.calendar
  const inventory = lineage.newest(at)
  const since = inventory?.takenAt ?? terms.onboardedAt
  const staleFrom = zone.add(since, freshFor)
  const breachedFrom = zone.add(since, silenceBreachAfter)
  // What it lists grows stale and unknown with it.
  opinion.deadlines.push(staleFrom, zone.add(since, unknownAfter), breachedFrom)
  if (at <= staleFrom) return
  opinion.weigh(at > breachedFrom ? 'breached' : 'at-risk')
  opinion.find('silence', staleFrom, { verdict: opinion.verdict }, [inventory?.fact])
}
