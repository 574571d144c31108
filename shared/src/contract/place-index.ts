/** Places of a list by a number that each has for itself, 0 or more; some ten bytes each. */
export class PlaceIndex {
  readonly #numberAt: (place: number) => number | undefined
  /** Open addressing; a place is kept plus one. */
  #slots = new Uint32Array(64)
  #size = 0

  /** @param numberAt the number that a place was added for */
  constructor(numberAt: (place: number) => number | undefined) {
    this.#numberAt = numberAt
  }

  /** -1 where there is none. */
  placeOf(number: number): number {
    return (this.#slots[this.#slotOf(number)] ?? 0) - 1
  }

  /** @param number one that has no place yet */
  add(number: number, place: number): void {
    this.#slots[this.#slotOf(number)] = place + 1
    this.#size += 1
    if (this.#size * 3 > this.#slots.length * 2) this.#spread()
  }

  #slotOf(number: number): number {
    const mask = this.#slots.length - 1
    const hash = Math.imul(number, 0x9e3779b1)
    for (let slot = hash >>> (Math.clz32(mask) & 31); ; slot = (slot + 1) & mask) {
      const place = (this.#slots[slot] ?? 0) - 1
      if (place < 0 || this.#numberAt(place) === number) return slot
    }
  }

  #spread(): void {
    const before = this.#slots
    this.#slots = new Uint32Array(2 * before.length)
    for (const kept of before) {
      const number = kept === 0 ? undefined : this.#numberAt(kept - 1)
      if (number !== undefined) this.#slots[this.#slotOf(number)] = kept
    }
  }
}
