import { printable } from './terminal.ts'

/** What rooms and stories log to; pino fits as well. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Lines on standard error for a command by hand; the service has pino. An error in `err` is told by its message. */
export function plainLogger(level: (typeof LEVELS)[number]): Logger {
  const logger: Record<(typeof LEVELS)[number], Logger['debug']> = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: () => {},
  }
  for (const each of LEVELS.slice(LEVELS.indexOf(level))) {
    logger[each] = (fields, message) => {
      const err = 'err' in fields && fields.err instanceof Error ? `: ${fields.err.message}` : ''
      process.stderr.write(`${printable(`${each}: ${message}${err}`)}\n`)
    }
  }
  return logger
}
