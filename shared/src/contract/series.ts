/** How many stand together: what changes one of them, after the list has been kept, copies so many. */
const STRETCH = 512

/**
 * A list that grows, and changes mostly near its end. Keeping it as it is now shares what does not change later
 * instead of copying it.
 */
export class Series<T> {
  #stretches: T[][] = []
  /** Stretches that nobody else has. */
  readonly #own = new Set<number>()
  #length = 0

  get length(): number {
    return this.#length
  }

  push(one: T): void {
    this.#writable(Math.floor(this.#length / STRETCH)).push(one)
    this.#length += 1
  }

  pop(): void {
    if (this.#length === 0) return
    this.#length -= 1
    const stretch = Math.floor(this.#length / STRETCH)
    this.#writable(stretch).pop()
    if (this.#length % STRETCH !== 0) return
    this.#stretches.pop()
    this.#own.delete(stretch)
  }

  set(place: number, one: T): void {
    if (place >= this.#length) throw new RangeError(`there is no place ${place}`)
    this.#writable(Math.floor(place / STRETCH))[place % STRETCH] = one
  }

  clear(): void {
    this.#stretches = []
    this.#own.clear()
    this.#length = 0
  }

  /** The list as it is now, put together when it is asked for. */
  keep(): () => T[] {
    const stretches = this.#stretches.slice()
    this.#own.clear()
    return () => stretches.flat(1) as T[]
  }

  #writable(stretch: number): T[] {
    const known = this.#stretches[stretch]
    if (known !== undefined && this.#own.has(stretch)) return known
    const own = known?.slice() ?? []
    this.#stretches[stretch] = own
    this.#own.add(stretch)
    return own
  }
}

/** What is worked out when it is first asked for. */
export function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
