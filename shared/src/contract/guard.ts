import type { BackupRun } from '../evidence/predicates.ts'
import type { ContractSet } from './schema.ts'

/** What the guard looks at, by start; all instants in milliseconds. */
export interface Guarded {
  run: BackupRun | undefined
  /** Whether all but the guard was in order, at an instant. */
  isOtherwiseInOrder(at: number): boolean
  /** When that may change. */
  changes: readonly number[]
  /** When a person acknowledged it; Infinity if nobody did. */
  acknowledgedAt: number
}

type Content = NonNullable<ContractSet['content']>

/**
 * The content guard through time. A run is measured against the newest run before it that satisfies, which
 * itself depends on the guard and on what was known: so the changes are played through in order. A change
 * reaches only as far as the next run that satisfies before and after it.
 */
export class Guard {
  /** For each run: since when (ascending) it is held or let go. */
  readonly #steps: { since: number; held: boolean }[][]

  constructor(runs: readonly Guarded[], content: Content | undefined) {
    this.#steps = runs.map(() => [])
    if (content !== undefined) this.#play(runs, content)
  }

  isHeldAt(place: number, at: number): boolean {
    return this.#steps[place]?.findLast(({ since }) => since <= at)?.held ?? false
  }

  #play(runs: readonly Guarded[], content: Content): void {
    const changes = runs.flatMap((run, place) =>
      [...run.changes, run.acknowledgedAt].filter(Number.isFinite).map((at) => ({ at, place })),
    )
    changes.sort((a, b) => a.at - b.at)
    const satisfies = runs.map(() => false)
    /** The newest run before each that satisfies; -1 if none. */
    const measure = runs.map(() => -1)
    let reached = -1
    for (const { at, place } of changes) {
      for (; reached < place; reached++)
        measure[reached + 1] = satisfies[reached] ? reached : (measure[reached] ?? -1)
      let before = place === 0 ? -1 : satisfies[place - 1] ? place - 1 : (measure[place - 1] ?? -1)
      for (let one = place; one <= reached; one++) {
        const run = runs[one]
        if (run === undefined) break
        measure[one] = before
        const held = run.acknowledgedAt > at && isHeld(run.run, runs[before]?.run, content)
        const steps = this.#steps[one]
        if (steps !== undefined && (steps.at(-1)?.held ?? false) !== held) steps.push({ since: at, held })
        const was = satisfies[one] ?? false
        const is = !held && run.isOtherwiseInOrder(at)
        satisfies[one] = is
        if (is) before = one
        if (was === is && (is || one === place)) break
      }
    }
  }
}

function isHeld(run: BackupRun | undefined, measure: BackupRun | undefined, content: Content): boolean {
  const source = run?.source
  if (source === undefined) return content.minFiles !== undefined || measure !== undefined
  if (content.minFiles !== undefined && source.files < content.minFiles) return true
  const earlier = measure?.source
  if (earlier === undefined) return false
  const leastPct = 100 - content.maxDropPct
  return source.files * 100 < earlier.files * leastPct || source.bytes * 100 < earlier.bytes * leastPct
}
