import { pino } from 'pino'
import type { Logger } from 'pino'
import type { CollectorConfig } from './config.ts'

/** What never belongs into a log line, wherever it appears. */
const SECRETS = [
  'authorization',
  'cookie',
  'password',
  'token',
  'seed',
  'payload',
  'envelope',
  'sig',
  'set-cookie',
]

/** Lines of JSON on standard output. `silent` is for tests. */
export function createLogger(level: CollectorConfig['logLevel'] | 'silent'): Logger {
  const paths = SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])
  return pino({ level, base: null, redact: { paths, censor: '[left out]' } })
}
