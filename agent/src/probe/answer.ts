/** What a probe says of what it was given. */
export interface Answer {
  readonly outcome: 'passed' | 'failed' | 'inconclusive'
  /** For people; no output of foreign programs, which may quote the data. */
  readonly detail: string
}

/** What every probe works with. */
export interface Bounds {
  /** Its own to write into. */
  readonly work: string
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly path: string
  readonly signal?: AbortSignal
}

/** All of a probe's environment. */
export function environmentOf({ work, path }: Bounds): Record<string, string> {
  return { PATH: path, HOME: work, TMPDIR: work, LC_ALL: 'C', TZ: 'UTC' }
}

export const passed = (detail: string): Answer => ({ outcome: 'passed', detail })
export const failed = (detail: string): Answer => ({ outcome: 'failed', detail })
export const inconclusive = (detail: string): Answer => ({ outcome: 'inconclusive', detail })
