import type { Path } from '../yaml.ts'

/** One thing wrong with a contract file, or worth a look, and what to do about it. Lines and columns from 1. */
export interface Problem {
  line: number
  column: number
  /** `versions.0.sets.1.retention`; empty for the file as a whole. */
  path: string
  message: string
  cure: string
}

export function formatPath(path: Path): string {
  return path.map(String).join('.')
}
