/** What a name has before and behind its first number: a pack's hundred thousand proofs have few of these. */
interface Shape {
  readonly before: string
  readonly behind: string | null
}

/**
 * Names, each once, in the order in which they were added: some 25 bytes for each where they differ in a number, as
 * `proofs/1.tlog-proof` and `proofs/2.tlog-proof` do.
 */
export class NameList {
  readonly #shapes: Shape[] = []
  readonly #shapeIds = new Map<string, number>()
  #shapeOf = new Uint32Array(64)
  #numberOf = new Float64Array(64)
  /** Open addressing; a place is kept plus one. */
  #slots = new Uint32Array(128)
  #size = 0
  /** Chosen anew each time, so that nobody can make names that all fall into one slot. */
  readonly #factors = [oddNumber(), oddNumber(), oddNumber()] as const

  get size(): number {
    return this.#size
  }

  /** The new name's place, from 0; -1 when it was there before. */
  add(name: string): number {
    const { shape, number } = this.#read(name, true)
    const slot = this.#slotOf(shape, number)
    if (this.#slots[slot] !== 0) return -1
    const place = this.#size
    if (place === this.#numberOf.length) {
      this.#shapeOf = grown(this.#shapeOf, new Uint32Array(2 * place))
      this.#numberOf = grown(this.#numberOf, new Float64Array(2 * place))
    }
    this.#shapeOf[place] = shape
    this.#numberOf[place] = number
    this.#slots[slot] = place + 1
    this.#size += 1
    if (this.#size * 3 > this.#slots.length * 2) this.#spread()
    return place
  }

  has(name: string): boolean {
    return this.placeOf(name) >= 0
  }

  /** -1 when it is not there. */
  placeOf(name: string): number {
    const { shape, number } = this.#read(name, false)
    return shape < 0 ? -1 : (this.#slots[this.#slotOf(shape, number)] ?? 0) - 1
  }

  nameAt(place: number): string {
    const { before, behind } = this.#shapes[this.#shapeOf[place] ?? 0] ?? { before: '', behind: null }
    return behind === null ? before : `${before}${this.#numberOf[place]}${behind}`
  }

  *names(): Generator<string> {
    for (let place = 0; place < this.#size; place += 1) yield this.nameAt(place)
  }

  #read(name: string, isNew: boolean): { shape: number; number: number } {
    // As numbers are written, and small enough to be one: all else belongs to the shape.
    const [, before = name, digits, behind = null] =
      /^([^0-9]*)(0|[1-9][0-9]{0,14})(?![0-9])([^]*)$/.exec(name) ?? []
    const key = behind === null ? name : `${before}\n${behind.length}\n${behind}`
    const known = this.#shapeIds.get(key)
    const number = digits === undefined ? 0 : Number(digits)
    if (known !== undefined || !isNew) return { shape: known ?? -1, number }
    const shape = this.#shapes.push({ before, behind }) - 1
    this.#shapeIds.set(key, shape)
    return { shape, number }
  }

  /** The slot of this name, or the free one that it would get. */
  #slotOf(shape: number, number: number): number {
    const mask = this.#slots.length - 1
    const [low, high, shaped] = this.#factors
    const hash =
      Math.imul(number | 0, low) + Math.imul((number / 2 ** 32) | 0, high) + Math.imul(shape + 1, shaped)
    for (let slot = hash >>> (Math.clz32(mask) & 31); ; slot = (slot + 1) & mask) {
      const place = (this.#slots[slot] ?? 0) - 1
      if (place < 0 || (this.#numberOf[place] === number && this.#shapeOf[place] === shape)) return slot
    }
  }

  #spread(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length)
    for (let place = 0; place < this.#size; place += 1) {
      this.#slots[this.#slotOf(this.#shapeOf[place] ?? 0, this.#numberOf[place] ?? 0)] = place + 1
    }
  }
}

function grown<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

function oddNumber(): number {
  return (Math.random() * 2 ** 32) | 0 | 1
}
