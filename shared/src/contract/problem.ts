import type { Path } from '../yaml.ts'

/** What is wrong, and what to do about it. */
export interface Said {
  message: string
  cure: string
}

/** One thing in both languages. */
export interface Saying {
  en: Said
  da: Said
}

/** One thing wrong with a contract file, or worth a look. Lines and columns from 1. */
export interface Problem extends Said {
  line: number
  column: number
  /** `versions.0.sets.1.retention`; empty for the file as a whole. */
  path: string
  /** The line as it stands there, cut around the place; what would command a terminal is replaced. */
  quote: string
  /** The message and the cure in Danish. */
  da: Said
}

export function formatPath(path: Path): string {
  return path.map(String).join('.')
}

const QUOTED = 160

/** The line of a place as it may be shown; of a long one, what is around the place. */
export function quoteLine(text: string, line: number, column: number): string {
  const whole = text.split('\n', line)[line - 1] ?? ''
  const from = whole.length <= QUOTED ? 0 : Math.max(0, column - QUOTED / 2)
  const part = whole.slice(from, from + QUOTED)
  const shown = part.trim().replace(/\p{C}/gu, '?')
  return `${from > 0 ? '...' : ''}${shown}${from + part.length < whole.length ? '...' : ''}`
}
