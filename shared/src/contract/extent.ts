import { DAY_MS, HOUR_MS, parseDay } from './local.ts'
import type { Contract, Per } from './schema.ts'

const LENGTH_MS: Record<Per, number> = {
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 28 * DAY_MS,
  year: 365 * DAY_MS,
  fiscalYear: 365 * DAY_MS,
}

/** At most about so many obligations a contract makes until `at`: what it costs to judge, told without judging. */
export function mostObligations({ versions }: Contract, at: Date): number {
  const inOrder = versions.toSorted((a, b) => (a.effectiveFrom < b.effectiveFrom ? -1 : 1))
  let most = 0
  for (const [place, { effectiveFrom, sets }] of inOrder.entries()) {
    const next = inOrder[place + 1]?.effectiveFrom
    const end = Math.min(at.getTime(), next === undefined ? Infinity : parseDay(next) * DAY_MS)
    for (const { onboardedAt = effectiveFrom, retention } of sets) {
      const begin = parseDay(onboardedAt > effectiveFrom ? onboardedAt : effectiveFrom) * DAY_MS
      for (const { per } of retention.min) most += Math.max(0, Math.ceil((end - begin) / LENGTH_MS[per]) + 1)
    }
  }
  return most
}
