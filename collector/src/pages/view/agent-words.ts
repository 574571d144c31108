import type { Content } from '../design/element.ts'
import { word } from '../design/state.ts'
import { html } from '../html.ts'
import { en } from '../language/en.ts'
import type { Locale } from '../language/locale.ts'

/** The clock tolerance that a contract has when it says nothing else. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000

/** How far an agent's clock is off; above the tolerance it is said loudly. */
export function clock(offsetMs: number | null, locale: Locale): Content {
  const { t } = locale
  if (offsetMs === null) return html`<span class="muted">${t('agent.clockUnknown')}</span>`
  if (Math.abs(offsetMs) < 1_000) return t('agent.clockEven')
  const by = locale.duration(Math.abs(offsetMs))
  const text = offsetMs > 0 ? t('agent.clockAhead', { by }) : t('agent.clockBehind', { by })
  return Math.abs(offsetMs) > CLOCK_TOLERANCE_MS ? word('alarm', text) : text
}

/** What waits in an agent's outbox. */
export function waiting(spool: { depth: number; oldestAt: string | null } | null, locale: Locale): Content {
  const { t } = locale
  if (spool === null || spool.depth === 0) return html`<span class="muted">${t('agent.spoolNone')}</span>`
  if (spool.oldestAt === null) return locale.number(spool.depth)
  return t('agent.spoolSome', { count: spool.depth, since: locale.instant(spool.oldestAt) })
}

export function versionsOf(versions: Record<string, string>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(' · ')
}

/** A planned run by its name, or by the agent's own word for it. */
export function nameRun(what: string, { t }: Locale): string {
  return Object.hasOwn(en.run, what) ? t(`run.${what as keyof typeof en.run}`) : what
}
