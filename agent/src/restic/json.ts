import { BevisError } from '@bevis/shared/error'
import type { z } from 'zod'

/** One JSON text of restic, of the wanted shape. RESTIC_OUTPUT_INVALID names the place, and what was there. */
export function parseOutput<T>(schema: z.ZodType<T>, text: string, what: string): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BevisError('RESTIC_OUTPUT_INVALID', `${what} is no JSON: ${text.slice(0, 200)}`, { cause })
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const problem = result.error.issues[0]
  const place = problem?.path.join('.') ?? ''
  throw new BevisError(
    'RESTIC_OUTPUT_INVALID',
    `${what}, ${place}: ${problem?.message}: ${text.slice(0, 200)}`,
  )
}
