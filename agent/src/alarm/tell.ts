/**
 * Tells somebody of alarms by ways that do not lead through the collector: it may be the one in doubt. What cannot be
 * told now is told with the next pass; nothing is told twice.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { AlarmConfig } from '../config.ts'

/** What is told. */
export interface Told {
  readonly at: string
  readonly code: string
  readonly message: string
  /** The file that holds the proof, if there is one. */
  readonly proof: string | null
  readonly told?: Readonly<Record<string, string>>
}

type Way = 'mail' | 'webhook' | 'file'

const TIMEOUT_MS = 20_000

/**
 * @param mark is called when somebody has been told by one way
 * @returns the ways that failed, each with its reason
 */
export async function tellAlarms<A extends Told>(
  alarms: readonly A[],
  about: { readonly agent: string; readonly tenant: string; readonly collector: string },
  config: AlarmConfig,
  mark: (alarm: A, way: Way) => void,
): Promise<{ way: Way; reason: string }[]> {
  const failures = new Map<Way, string>()
  for (const alarm of alarms) {
    for (const way of ['file', 'mail', 'webhook'] as const) {
      if (config[way] === undefined || alarm.told?.[way] !== undefined || failures.has(way)) continue
      try {
        await tell(way, alarm, about, config)
        mark(alarm, way)
      } catch (error) {
        failures.set(way, errorMessageOf(error)) // the others of this way wait with it
      }
    }
  }
  return Array.from(failures, ([way, reason]) => ({ way, reason }))
}

async function tell(
  way: Way,
  alarm: Told,
  about: { readonly agent: string; readonly tenant: string; readonly collector: string },
  config: AlarmConfig,
): Promise<void> {
  const { at, code, message, proof } = alarm
  const said = { ...about, host: hostname(), at, code, message, proof }
  if (way === 'file' && config.file !== undefined) {
    appendFileSync(config.file, `${JSON.stringify(said)}\n`, { mode: 0o600, flush: true })
  }
  if (way === 'webhook' && config.webhook !== undefined) {
    const { ok, status } = await fetch(config.webhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(said),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (!ok) {
      throw new BevisError('COLLECTOR_UNREACHABLE', `${config.webhook} answers ${status}`)
    }
  }
  if (way === 'mail' && config.mail !== undefined) await mail(config.mail, said)
}

async function mail(
  config: NonNullable<AlarmConfig['mail']>,
  said: Told & {
    readonly agent: string
    readonly tenant: string
    readonly collector: string
    readonly host: string
  },
): Promise<void> {
  // Loaded only when there is something to tell, which is hardly ever.
  const { createTransport } = await import('nodemailer')
  const { hostname: host, port, protocol } = new URL(config.server)
  const isTls = protocol === 'smtps:'
  const transport = createTransport({
    host: host.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isTls ? 465 : 25) : Number(port),
    secure: isTls,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    ...(config.user !== undefined && {
      auth: { user: config.user, pass: readPassword(config.passwordFile) },
    }),
  })
  const text = [
    said.message,
    '',
    `code       ${said.code}`,
    `agent      ${said.agent} of ${said.tenant}, on ${said.host}`,
    `collector  ${said.collector}`,
    `since      ${said.at}`,
    ...(said.proof === null
      ? []
      : [
          `proof      ${said.proof}`,
          '',
          'Keep a copy of that file where the provider cannot reach it. Whoever knows the log’s key can check it:',
          '  bevis-verify fork FILE --trust trust.yaml',
        ]),
    '',
    'Evidence is kept on the host and is not lost. `bevis-agent status` shows the alarm until it is put away.',
    '',
  ].join('\n')
  try {
    await transport.sendMail({
      from: config.from,
      to: config.to,
      subject: `Bevis ALARM ${said.code}: ${said.agent}`,
      text,
    })
  } finally {
    transport.close()
  }
}

function readPassword(file: string | undefined): string {
  if (file === undefined) throw new BevisError('CONFIG_INVALID', 'alarm.mail: a user needs a passwordFile')
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new BevisError('SECRET_UNREADABLE', `alarm.mail.passwordFile: ${file} cannot be read`, { cause })
  }
}
