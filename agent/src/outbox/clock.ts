import type { State } from '../state.ts'

/** The agent's clock less the collector's, as one answer showed it. */
export interface ClockReading {
  readonly offsetMs: number
  /** The agent's instant of the reading. */
  readonly at: string
}

/**
 * Reads the offset from one exchange: what the collector said while we waited, held against the middle of the wait.
 * `receivedAt` has milliseconds; an HTTP Date header is cut to the second, so half a second is added back.
 */
export function readClock(
  sentAt: Date,
  answeredAt: Date,
  said: { receivedAt?: string | undefined; date?: string | undefined },
): ClockReading | null {
  const theirs =
    said.receivedAt === undefined ? Date.parse(said.date ?? '') + 500 : Date.parse(said.receivedAt)
  if (Number.isNaN(theirs)) return null
  const middle = (sentAt.getTime() + answeredAt.getTime()) / 2
  return { offsetMs: Math.round(middle - theirs), at: answeredAt.toISOString() }
}

export function loadClock(state: State): ClockReading | null {
  const text = state.get('clock')
  return text === null ? null : (JSON.parse(text) as ClockReading)
}

export function saveClock(state: State, reading: ClockReading | null): void {
  if (reading !== null) state.put('clock', JSON.stringify(reading))
}
