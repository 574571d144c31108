import type { AlarmKind } from '../../store/schema.ts'
import type { Locale } from '../language/locale.ts'

/** What a person must look at: something in an agent's chain or in the log that should not be possible. */
export interface Alarm {
  kind: AlarmKind
  agent: string | null
  at: string
  /** PAE digest of the statement that it is about; null when it is about several. */
  digest: string | null
}

export function nameAlarm(kind: AlarmKind, { t }: Locale): string {
  return t(`alarm.${kind}`)
}
