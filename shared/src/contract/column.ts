type Numbers = Float64Array | Int32Array | Uint32Array | Uint8Array

/** A list of numbers in a typed array, which grows as it fills. */
export class Column {
  #numbers: Numbers
  #length = 0
  readonly #make: new (length: number) => Numbers

  /** @param make the typed array that holds them, such as `Float64Array` */
  constructor(make: new (length: number) => Numbers) {
    this.#make = make
    this.#numbers = new make(16)
  }

  get length(): number {
    return this.#length
  }

  /** NaN where there is none. */
  at(place: number): number {
    return (place < this.#length ? this.#numbers[place] : undefined) ?? Number.NaN
  }

  set(place: number, number: number): void {
    this.#numbers[place] = number
  }

  push(number: number): void {
    this.insert(this.#length, number)
  }

  /** What stands at the place and behind it moves on by one. */
  insert(place: number, number: number): void {
    if (this.#length === this.#numbers.length) {
      const more = new this.#make(2 * this.#length)
      more.set(this.#numbers)
      this.#numbers = more
    }
    if (place < this.#length) this.#numbers.copyWithin(place + 1, place, this.#length)
    this.#numbers[place] = number
    this.#length += 1
  }

  *[Symbol.iterator](): Generator<number> {
    for (let place = 0; place < this.#length; place += 1) yield this.at(place)
  }
}
