/** Nanoseconds since 1970 of a time as Go writes it: '2026-11-23T06:14:54.150055116+01:00'. Throws RangeError. */
export function nanosecondsOf(goTime: string): bigint {
  return Temporal.Instant.from(goTime).epochNanoseconds
}
