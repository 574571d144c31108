import type { Known } from './known.ts'
import type { ContractSet } from './schema.ts'
import type { BackupRun } from './told.ts'

/** What the guard looks at, by start; all instants in milliseconds. */
export interface Guarded {
  start: number
  run: Known<BackupRun> | undefined
  /** When a person acknowledged it; Infinity if nobody did. */
  acknowledgedAt: number
}

export type Content = NonNullable<ContractSet['content']>

/**
 * The content guard through time. A run is measured against the newest run before it that satisfies, which
 * itself depends on the guard and on what was known: so the changes are played through in order. A change
 * reaches only as far as the next run that satisfies before and after it.
 */
export class Guard<One extends Guarded> {
  readonly #content: Content | undefined
  /** Whether all but the guard was in order, at an instant. */
  readonly #isOtherwiseInOrder: (run: One, at: number) => boolean
  readonly #runs: One[] = []
  /** Of those that were ever held: since when (ascending) they are held or let go. */
  readonly #steps = new Map<number, { since: number; held: boolean }[]>()
  readonly #satisfies: boolean[] = []
  /** The newest run before each that satisfies; -1 if none. */
  readonly #measure: number[] = []
  /** The starts of those that have been held or let go since they were taken out last. */
  #turned: number[] = []
  #reached = -1
  #playedTo = -Infinity

  constructor(content: Content | undefined, isOtherwiseInOrder: (run: One, at: number) => boolean) {
    this.#content = content
    this.#isOtherwiseInOrder = isOtherwiseInOrder
  }

  isHeldAt(place: number, at: number): boolean {
    return this.#steps.get(place)?.findLast(({ since }) => since <= at)?.held ?? false
  }

  takeTurned(): number[] {
    const turned = this.#turned
    this.#turned = []
    return turned
  }

  /** Takes a run that started after those that it has; returns its place. */
  add(run: One): number {
    this.#satisfies.push(false)
    this.#measure.push(-1)
    return this.#runs.push(run) - 1
  }

  /** Plays changes, and puts them in their order. False if there is one from before what has been played. */
  play(coming: { at: number; place: number }[]): boolean {
    coming.sort((a, b) => a.at - b.at)
    const [first] = coming
    if (first !== undefined && first.at < this.#playedTo) return false
    for (const { at, place } of coming) this.#change(at, place)
    this.#playedTo = coming.at(-1)?.at ?? this.#playedTo
    return true
  }

  #change(at: number, place: number): void {
    const satisfies = this.#satisfies
    const measure = this.#measure
    for (; this.#reached < place; this.#reached++) {
      const reached = this.#reached
      measure[reached + 1] = satisfies[reached] === true ? reached : (measure[reached] ?? -1)
    }
    let before = place === 0 ? -1 : satisfies[place - 1] === true ? place - 1 : (measure[place - 1] ?? -1)
    for (let one = place; one <= this.#reached; one++) {
      const run = this.#runs[one]
      if (run === undefined) break
      measure[one] = before
      const [own, measured] = [run.run?.predicate, this.#runs[before]?.run?.predicate]
      const held = run.acknowledgedAt > at && isHeld(own, measured, this.#content)
      const steps = this.#steps.get(one)
      if ((steps?.at(-1)?.held ?? false) !== held) {
        this.#steps.set(one, [...(steps ?? []), { since: at, held }])
        this.#turned.push(run.start)
      }
      const was = satisfies[one] ?? false
      const is = !held && this.#isOtherwiseInOrder(run, at)
      satisfies[one] = is
      if (is) before = one
      if (was === is && (is || one === place)) break
    }
  }
}

/** A run that found nothing to read is no backup until somebody says so, whatever else was agreed. */
function isEmpty(run: BackupRun | undefined): boolean {
  return run?.source?.files === 0
}

function isHeld(
  run: BackupRun | undefined,
  measure: BackupRun | undefined,
  content: Content | undefined,
): boolean {
  if (isEmpty(run)) return true
  if (content === undefined) return false
  const source = run?.source
  if (source === undefined) return content.minFiles !== undefined || measure !== undefined
  if (content.minFiles !== undefined && source.files < content.minFiles) return true
  const earlier = measure?.source
  if (earlier === undefined) return false
  const leastPct = 100 - content.maxDropPct
  return source.files * 100 < earlier.files * leastPct || source.bytes * 100 < earlier.bytes * leastPct
}
