/** The local day, `2025-03-05`, on which an instant falls. */
export function localDay(at: Date, zone: string): string {
  const instant = Temporal.Instant.fromEpochMilliseconds(at.getTime())
  return instant.toZonedDateTimeISO(zone).toPlainDate().toString()
}

export function startOfDay(day: string, zone: string): Date {
  return new Date(Temporal.PlainDate.from(day).toZonedDateTime(zone).epochMilliseconds)
}

/** The first instant after it. */
export function endOfDay(day: string, zone: string): Date {
  return startOfDay(Temporal.PlainDate.from(day).add({ days: 1 }).toString(), zone)
}
