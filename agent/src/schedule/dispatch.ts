import type { State } from '../state.ts'
import { loadMark, saveMark } from './mark.ts'
import type { Work } from './mark.ts'
import type { Plan } from './plan.ts'

/** How a run ended, as far as the next one is concerned. */
export type Ending =
  /** It is done, well or badly. */
  | 'done'
  /** What hindered it may pass: it is tried again in a while, a few times. */
  | 'hindered'
  /** Somebody else had the repository: it stays owed. */
  | 'locked'
  /** We stopped it ourselves: it stays owed. */
  | 'stopped'

export interface Dispatch {
  /** Starts what is owed and can start now. */
  tick(): void
  /** Starts nothing any more, and resolves when nothing runs. */
  close(): Promise<void>
}

/** First what a contract's recovery points hang on, then the proof that they are there, then the longest. */
const ORDER: readonly Work[] = [
  'backup',
  'inventory',
  'deletion-probe',
  'requested-test',
  'restore-test',
  'data-check',
  'retention',
]

/** Waits before a hindered run is tried again; after the last it is left to its next time. */
const RETRY_MS = [10 * 60_000, 30 * 60_000, 2 * 3_600_000] as const
const LOCKED_RETRY_MS = 60_000
/** Whatever goes wrong, no run follows on itself without a pause. */
const LEAST_PAUSE_MS = 30_000

/** Whether a wait goes on; one that seems longer than any that was begun is of a clock that was put back, and over. */
function isStill(untilMs: number, at: Date, longestMs: number): boolean {
  const leftMs = untilMs - at.getTime()
  return leftMs > 0 && leftMs <= longestMs
}

/**
 * Decides what runs when: one run at a time on each repository, each kind of work once however often it was missed.
 * What ran is read from the marks, which the runs themselves keep.
 */
export function openDispatch(parts: {
  plans: readonly Plan[]
  state: State
  now: () => Date
  start: (plan: Plan) => Promise<Ending>
}): Dispatch {
  const { state, now } = parts
  const plans = parts.plans.toSorted((a, b) => ORDER.indexOf(a.what) - ORDER.indexOf(b.what))
  const running = new Map<string, Promise<void>>()
  const retries = new Map<Plan, { tries: number; atMs: number }>()
  const blockedUntilMs = new Map<Plan, number>()
  let isClosed = false

  const isDue = (plan: Plan): boolean => {
    const at = now()
    if (isStill(blockedUntilMs.get(plan) ?? 0, at, LOCKED_RETRY_MS)) return false
    const retry = retries.get(plan)
    if (retry !== undefined) return !isStill(retry.atMs, at, Math.max(...RETRY_MS))
    const mark = loadMark(state, plan.set, plan.what)
    if (mark === null) {
      const seen = { startedAt: at.toISOString(), endedAt: at.toISOString(), outcome: 'new', code: null }
      saveMark(state, plan.set, plan.what, seen)
      return plan.owedSince(seen, at) !== null
    }
    return plan.owedSince(mark, at) !== null
  }

  const settle = (plan: Plan, ending: Ending): void => {
    const atMs = now().getTime()
    const tries = retries.get(plan)?.tries ?? 0
    retries.delete(plan)
    blockedUntilMs.set(plan, atMs + (ending === 'locked' ? LOCKED_RETRY_MS : LEAST_PAUSE_MS))
    const wait = RETRY_MS[tries]
    if (ending === 'hindered' && wait !== undefined)
      retries.set(plan, { tries: tries + 1, atMs: atMs + wait })
  }

  const tick = (): void => {
    for (const plan of plans) {
      if (isClosed || running.has(plan.repository) || !isDue(plan)) continue
      const run = parts
        .start(plan)
        .catch((): Ending => 'hindered')
        .then((ending) => {
          running.delete(plan.repository)
          settle(plan, ending)
          tick()
        })
      running.set(plan.repository, run)
    }
  }

  return {
    tick,
    close: async () => {
      isClosed = true
      await Promise.all(running.values())
    },
  }
}
