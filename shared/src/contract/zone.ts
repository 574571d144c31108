import type { Duration } from './duration.ts'
import { addToDay, parseDuration } from './duration.ts'
import { DAY_MS, HOUR_MS } from './local.ts'
import { stretchesOf } from './offset.ts'

/** The transitions that are looked up; before and after, the first and the last offset hold. */
const FIRST = Date.UTC(1970, 0, 1)
const LAST = Date.UTC(2200, 0, 1)
/** No zone has ever been further from UTC. */
const WIDEST_OFFSET_MS = 16 * HOUR_MS

/**
 * A time zone as a list of offsets, read once: a contract asks for hundreds of thousands of local
 * times. A local time that is skipped or repeated resolves as Temporal's `compatible`.
 */
export class Zone {
  readonly id: string
  /** Start of each stretch with one offset, ascending. */
  readonly #starts: number[] = []
  readonly #offsetsMs: number[] = []
  readonly #unevenChanges: number[] = []
  /** True for a zone that ever moved its clocks ahead by a whole day: one of its dates does not exist. */
  readonly leavesOutDays: boolean
  #last = 0

  constructor(id: string) {
    this.id = id
    for (const { start, offsetMs } of stretchesOf(id, FIRST, LAST)) {
      this.#starts.push(start)
      const before = this.#offsetsMs.at(-1) ?? offsetMs
      if ((offsetMs - before) % HOUR_MS !== 0) this.#unevenChanges.push(start)
      this.#offsetsMs.push(offsetMs)
    }
    this.leavesOutDays = this.#offsetsMs.some(
      (offsetMs, stretch) => offsetMs - (this.#offsetsMs[stretch - 1] ?? offsetMs) >= DAY_MS,
    )
  }

  /** What is added to UTC for local time. */
  offsetMsAt(instant: number): number {
    return this.#offsetsMs[this.#stretchOf(instant)] ?? 0
  }

  /** The instant at which local clocks read `local`, given as if it were UTC. */
  instantOf(local: number): number {
    const first = this.#stretchOf(local - WIDEST_OFFSET_MS)
    const last = this.#stretchOf(local + WIDEST_OFFSET_MS)
    for (let stretch = first; stretch <= last; stretch++) {
      const instant = local - (this.#offsetsMs[stretch] ?? 0)
      if (instant >= this.#startOf(stretch) && instant < this.#startOf(stretch + 1)) return instant
    }
    // Skipped: the offset before the change, which gives a later local time.
    for (let stretch = last; stretch > first; stretch--) {
      const instant = local - (this.#offsetsMs[stretch - 1] ?? 0)
      if (instant >= this.#startOf(stretch)) return instant
    }
    return local - (this.#offsetsMs[first] ?? 0)
  }

  /** Years to days on the local calendar, month-end clamped; hours and less as elapsed time. */
  add(instant: number, duration: Duration | string): number {
    const { months, days, elapsedMs } = typeof duration === 'string' ? parseDuration(duration) : duration
    if (months === 0 && days === 0) return instant + elapsedMs
    const local = instant + this.offsetMsAt(instant)
    const day = Math.floor(local / DAY_MS)
    const moved = addToDay(day, { months, days, elapsedMs: 0 }) * DAY_MS + (local - day * DAY_MS)
    return this.instantOf(moved) + elapsedMs
  }

  /** Civil midnight, whatever hour a set's day starts at. */
  midnightOf(day: number): number {
    return this.instantOf(day * DAY_MS)
  }

  /** The next change of offset that does not move the clock by whole hours (Lord Howe's does); Infinity if none. */
  nextUnevenChange(instant: number): number {
    for (const change of this.#unevenChanges) if (change > instant) return change
    return Infinity
  }

  /** The last such change, if no even one followed it before `instant`; -Infinity if there is none. */
  lastUnevenChange(instant: number): number {
    if (this.#unevenChanges.length === 0) return -Infinity
    const start = this.#startOf(this.#stretchOf(instant))
    return this.#unevenChanges.includes(start) ? start : -Infinity
  }

  #startOf(stretch: number): number {
    return this.#starts[stretch] ?? Infinity
  }

  #stretchOf(instant: number): number {
    if (instant >= this.#startOf(this.#last) && instant < this.#startOf(this.#last + 1)) return this.#last
    let low = 0
    let high = this.#starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (this.#startOf(middle) <= instant) low = middle
      else high = middle
    }
    this.#last = low
    return low
  }
}

const zones = new Map<string, Zone>()

/** The zone of this name, read once. */
export function zoneOf(id: string): Zone {
  let zone = zones.get(id)
  if (zone === undefined) {
    zone = new Zone(id)
    zones.set(id, zone)
  }
  return zone
}
