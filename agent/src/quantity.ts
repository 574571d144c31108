import { z } from 'zod'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** A size in a configuration, `20GB` or `512MiB` or a plain number; its value is in bytes. */
export const size = z.union([z.string(), z.number()]).transform((input, context) => {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{0,3})$/.exec(String(input))
  const unit = UNITS[match?.[2] ?? '']
  const bytes = match === null || unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit)
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    context.addIssue('a size is needed, such as 20GB or 512MiB')
    return z.NEVER
  }
  return bytes
})

/** An ISO 8601 duration of days, hours, minutes, seconds: one that has the same length everywhere. It stays text. */
export const duration = z
  .string({ error: 'a duration is needed, such as PT12H, PT10M or P7D' })
  .refine((text) => Number.isFinite(parseDuration(text)), {
    error: 'a duration is needed, such as PT12H, PT10M or P7D (months and years have no fixed length)',
  })

/** Milliseconds of a duration that {@link duration} accepted; NaN for any other text. */
export function parseDuration(text: string): number {
  try {
    const parsed = Temporal.Duration.from(text)
    if (parsed.years !== 0 || parsed.months !== 0 || parsed.sign < 0) return Number.NaN
    const weeksAsDays = parsed.with({ weeks: 0, days: parsed.days + parsed.weeks * 7 })
    return weeksAsDays.total('milliseconds')
  } catch {
    return Number.NaN
  }
}
