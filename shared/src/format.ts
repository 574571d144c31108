import { z } from 'zod'

/** RFC 3339 UTC with milliseconds, a real date: `2026-11-23T04:05:06.000Z`. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'an instant like 2026-11-23T04:05:06.000Z is needed')
  .refine((text) => {
    const date = new Date(text)
    return !Number.isNaN(date.getTime()) && date.toISOString() === text
  }, 'there is no such instant')

/** 64 lowercase hex digits: a SHA-256, a snapshot ID. */
export const hex64 = z.string().regex(/^[0-9a-f]{64}$/, '64 lowercase hex digits are needed')

/** A whole number from 0, exact in JSON. */
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

/** A name that people chose: an agent, a tenant, a set. Safe in paths, addresses and logs. */
export const slug = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/,
    'letters, digits, dot, dash and underscore only',
  )

/** The wire form of a date. */
export function toInstant(date: Date): string {
  return date.toISOString()
}
