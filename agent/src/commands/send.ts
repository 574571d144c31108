import { ERROR_CODES, BevisError } from '@bevis/shared/error'
import { z } from 'zod'
import type { SendReport } from '../outbox/send.ts'
import { startChild } from './child.ts'
import { sendEvidence } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'

const failureSchema = z.object({ code: z.enum(ERROR_CODES), message: z.string() })

/** What `evidence send --json` prints. */
const reportSchema = z.object({
  /** Another process is at it. */
  isBusy: z.boolean(),
  logged: z.int(),
  refused: z.int(),
  retryAfterMs: z.number().nullable(),
  alarms: z.array(failureSchema),
  error: failureSchema.nullable(),
})
type Printed = z.output<typeof reportSchema>

/** Sends what waits in the outbox: 0 all of it is in the log, 1 the log or a refusal needs a person, 2 not now. */
export async function sendCommand(opened: Opened, signal: AbortSignal): Promise<Outcome> {
  const report = await sendEvidence(opened, signal)
  const { logged, refused, retryAfterMs, alarms, failure } = report ?? NOTHING
  const error = failure === null ? null : { code: failure.code, message: failure.message }
  const printed: Printed = {
    isBusy: report === null,
    logged,
    refused,
    retryAfterMs,
    alarms: alarms.map(({ code, message }) => ({ code, message })),
    error,
  }
  const sent = report === null ? 'another process is sending' : `${logged} in the log, ${refused} refused`
  return {
    exit: alarms.length > 0 || refused > 0 ? 1 : error === null ? 0 : 2,
    json: printed,
    lines: [sent, ...(error === null ? [] : [`${error.code}: ${error.message}`])],
  }
}

const NOTHING: SendReport = { logged: 0, refused: 0, retryAfterMs: null, alarms: [], failure: null }

/**
 * The same in a process of its own: the service is idle most of the time, and need not keep an HTTP client in memory.
 * @returns null when another process is at it
 */
export async function sendByChild(
  program: string,
  configFile: string,
  signal: AbortSignal,
): Promise<SendReport | null> {
  const child = startChild(program, ['evidence', 'send', '--json', '--config', configFile])
  signal.addEventListener('abort', child.stop, { once: true })
  const { output, said } = await child.ended
  signal.removeEventListener('abort', child.stop)
  const printed = readPrinted(output)
  if (printed === null) {
    return {
      ...NOTHING,
      failure: new BevisError('INTERNAL', `the sending process said nothing: ${said.slice(-300)}`),
    }
  }
  if (printed.isBusy) return null
  const { error, logged, refused, retryAfterMs, alarms } = printed
  return {
    logged,
    refused,
    retryAfterMs,
    alarms,
    failure: error === null ? null : new BevisError(error.code, error.message),
  }
}

function readPrinted(output: string): Printed | null {
  try {
    const value: unknown = JSON.parse(output)
    const report = reportSchema.safeParse(value)
    if (report.success) return report.data
    // The command failed before it could send.
    const { error } = z.object({ error: failureSchema }).parse(value)
    return { isBusy: false, ...NOTHING, alarms: [], error }
  } catch {
    return null
  }
}
