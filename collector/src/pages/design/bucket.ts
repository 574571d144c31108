import type { Per } from '@bevis/shared/contract/schema'
import type { Locale } from '../language/locale.ts'

/** A tier, from its name in an evaluation: `dayx30`. */
export interface TierName {
  name: string
  per: Per
  keep: number
}

/** Null for a name that is none. */
export function parseTier(name: string): TierName | null {
  const match = /^(hour|day|week|month|year|fiscalYear)x([1-9]\d{0,5})$/.exec(name)
  return match === null ? null : { name, per: match[1] as Per, keep: Number(match[2]) }
}

/** A bucket's name (`2025-03-05`, `2025-W10`, `2025-03-05T22+01:00` …) as a person says it. */
export function nameBucket(per: Per, bucket: string, locale: Locale): string {
  const { t } = locale
  switch (per) {
    case 'hour': {
      const [date = '', hour = ''] = bucket.split('T')
      return t('bucket.hour', { day: locale.day(date), hour: hour.slice(0, 2), offset: hour.slice(2) })
    }
    case 'day':
      return locale.weekday(bucket)
    case 'week':
      return t('bucket.week', { week: Number(bucket.slice(6)), year: bucket.slice(0, 4) })
    case 'month':
      return locale.month(bucket)
    case 'year':
      return bucket
    case 'fiscalYear':
      return t('bucket.fiscalYear', { day: locale.day(bucket) })
  }
}
