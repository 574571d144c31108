import type { Content } from '../design/element.ts'
import { word } from '../design/state.ts'
import { html } from '../html.ts'
import { en } from '../language/en.ts'
import type { Locale } from '../language/locale.ts'

/** The clock tolerance that a contract has when it says nothing else. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000

/** How far an agent's clock is off; above the tolerance it is said loudly. */
export function clock(offsetMs: number | null, locale: Locale): Content {
  if (offsetMs === null) return html`<span class="muted">${locale.t('agent.clockUnknown')}</span>`
  const text = clockText(offsetMs, locale)
  return Math.abs(offsetMs) > CLOCK_TOLERANCE_MS ? word('alarm', text) : text
}

export interface Spool {
  readonly depth: number
  readonly oldestAt: string | null
  /** When the agent told so; left out where that stands beside it. */
  readonly toldAt?: string
}

/** The same without a sign, where it is said loudly elsewhere. */
export function clockText(offsetMs: number, locale: Locale): string {
  const { t } = locale
  if (Math.abs(offsetMs) < 1_000) return t('agent.clockEven')
  const by = locale.duration(Math.abs(offsetMs))
  return offsetMs > 0 ? t('agent.clockAhead', { by }) : t('agent.clockBehind', { by })
}

/** What waits in an agent's outbox, and since when that is known; null: it has not told. */
export function waiting(spool: Spool | null, locale: Locale): Content {
  const { t } = locale
  if (spool === null) return html`<span class="muted">${t('agent.clockUnknown')}</span>`
  if (spool.depth === 0) return html`<span class="muted">${t('agent.spoolNone')}</span>`
  const { depth, oldestAt, toldAt } = spool
  const what =
    oldestAt === null
      ? locale.number(depth)
      : t('agent.spoolSome', { count: depth, since: locale.instant(oldestAt) })
  return toldAt === undefined
    ? what
    : html`${what} <span class="under">${t('agent.toldAt', { at: locale.instant(toldAt) })}</span>`
}

export function versionsOf(versions: Record<string, string>): string {
  return Object.entries(versions)
    .map(([name, version]) => (namesItself(name, version) ? version : `${name} ${version}`))
    .join(' · ')
}

/** The same, and that it has not told any. */
export function versionsTold(versions: Record<string, string>, { t }: Locale): Content {
  const told = versionsOf(versions)
  return told === '' ? html`<span class="muted">${t('agent.clockUnknown')}</span>` : told
}

/** `bevis-agent 0.1.0` says itself what it is. */
export function namesItself(name: string, version: string): boolean {
  return version.startsWith(`${name} `) || version.startsWith(`bevis-${name} `)
}

/** A planned run by its name, or by the agent's own word for it. */
export function nameRun(what: string, { t }: Locale): string {
  return Object.hasOwn(en.run, what) ? t(`run.${what as keyof typeof en.run}`) : what
}
