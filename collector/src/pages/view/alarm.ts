import type { AlarmKind } from '../../store/schema.ts'
import { notice } from '../design/element.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'
import { evidenceHref } from './address.ts'

/** What a person must look at: something in an agent's chain or in the log that should not be possible. */
export interface Alarm {
  kind: AlarmKind
  agent: string | null
  at: string
  /** PAE digest of the statement that it is about; null when it is about several. */
  digest: string | null
  /** In the agent's own words, or an error code. */
  reason: string | null
  /** How many alike there are, this newest one included. */
  count: number
}

/** `The agent raised an alarm: RESTIC_FAILED (6 times)` */
export function nameAlarm({ kind, reason, count }: Alarm, { t }: Locale): string {
  const name = reason === null ? t(`alarm.${kind}`) : `${t(`alarm.${kind}`)}: ${reason}`
  return count === 1 ? name : `${name} ${t('alarm.times', { count })}`
}

export function alarmNotice(alarm: Alarm, locale: Locale): Html {
  const { at, digest } = alarm
  const source =
    digest === null
      ? nothing
      : html` <a href="${evidenceHref(digest)}"><code>${digest.slice(0, 12)}</code></a>`
  return notice(
    'bad',
    html`<strong>${nameAlarm(alarm, locale)}</strong>
      <span class="muted">· ${locale.instant(at)}</span>${source}`,
  )
}
