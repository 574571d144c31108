import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
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

/** Lines of JSON, on standard output if no other destination is named. `silent` is for tests. */
export function createLogger(
  level: CollectorConfig['logLevel'] | 'silent',
  destination?: DestinationStream,
): Logger {
  const paths = SECRETS.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.*["${name}"]`])
  const options = { level, base: null, redact: { paths, censor: '[left out]' } }
  return destination === undefined ? pino(options) : pino(options, destination)
}
