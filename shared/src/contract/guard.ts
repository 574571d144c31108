import { Column } from './column.ts'
import type { Known } from './known.ts'
import type { ContractSet } from './schema.ts'
import type { BackupRun } from './told.ts'

/** What the guard looks at; all instants in milliseconds. */
export interface Guarded {
  start: number
  run: Known<BackupRun> | undefined
  /** When a person acknowledged it; Infinity if nobody did. */
  acknowledgedAt: number
}

export type Content = NonNullable<ContractSet['content']>

/** Instants at which a guard may judge otherwise, each with the place of the run that it is about. */
export class Changes {
  readonly #at = new Column(Float64Array)
  readonly #places = new Column(Uint32Array)

  /** Most runs are acknowledged by nobody, and many never listed: what never comes changes nothing. */
  add(at: number, place: number): void {
    if (!Number.isFinite(at)) return
    this.#at.push(at)
    this.#places.push(place)
  }

  /** By time; those of one time in the order in which they were added. */
  *inOrder(): Generator<{ at: number; place: number }> {
    const order = Uint32Array.from({ length: this.#at.length }, (_, n) => n)
    order.sort((a, b) => this.#at.at(a) - this.#at.at(b) || a - b)
    for (const n of order) yield { at: this.#at.at(n), place: this.#places.at(n) }
  }
}

/**
 * The content guard through time. A run is measured against the newest run before it that satisfies, which
 * itself depends on the guard and on what was known: so the changes are played through in order. A change
 * reaches only as far as the next run that satisfies before and after it.
 */
export class Guard<One extends Guarded> {
  readonly #content: Content | undefined
  /** The run at a place; they stand by start. */
  readonly #runAt: (place: number) => One | undefined
  /** Whether all but the guard was in order, at an instant. */
  readonly #isOtherwiseInOrder: (run: One, at: number) => boolean
  /** Of those that were ever held: since when (ascending) they are held or let go. */
  readonly #steps = new Map<number, { since: number; held: boolean }[]>()
  /** Of those that have been reached: 1 for those that satisfy, and the newest run before each that does (-1: none). */
  readonly #satisfies = new Column(Uint8Array)
  readonly #measure = new Column(Int32Array)
  /** The starts of those that have been held or let go since they were taken out last. */
  #turned: number[] = []
  #playedTo = -Infinity

  constructor(
    content: Content | undefined,
    runAt: (place: number) => One | undefined,
    isOtherwiseInOrder: (run: One, at: number) => boolean,
  ) {
    this.#content = content
    this.#runAt = runAt
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

  /** Plays changes. False if there is one from before what has been played. */
  play(changes: Changes): boolean {
    for (const { at, place } of changes.inOrder()) {
      if (at < this.#playedTo) return false
      this.#change(at, place)
      this.#playedTo = at
    }
    return true
  }

  /** The newest run before a place that satisfies; -1 if none. */
  #before(place: number): number {
    if (place === 0) return -1
    return this.#satisfies.at(place - 1) === 1 ? place - 1 : this.#measure.at(place - 1)
  }

  #change(at: number, place: number): void {
    while (this.#measure.length <= place) {
      this.#measure.push(this.#before(this.#measure.length))
      this.#satisfies.push(0)
    }
    let before = this.#before(place)
    for (let one = place; one < this.#measure.length; one++) {
      const run = this.#runAt(one)
      if (run === undefined) break
      this.#measure.set(one, before)
      const [own, measured] = [run.run?.predicate, this.#runAt(before)?.run?.predicate]
      const held = run.acknowledgedAt > at && isHeld(own, measured, this.#content)
      const steps = this.#steps.get(one)
      if ((steps?.at(-1)?.held ?? false) !== held) {
        if (steps === undefined) this.#steps.set(one, [{ since: at, held }])
        else steps.push({ since: at, held })
        this.#turned.push(run.start)
      }
      const was = this.#satisfies.at(one) === 1
      const is = !held && this.#isOtherwiseInOrder(run, at)
      this.#satisfies.set(one, is ? 1 : 0)
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
