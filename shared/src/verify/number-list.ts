/** Numbers in eight bytes each. */
export class NumberList {
  #numbers = new Float64Array(16)
  #size = 0

  push(number: number): void {
    if (this.#size === this.#numbers.length) {
      const more = new Float64Array(2 * this.#size)
      more.set(this.#numbers)
      this.#numbers = more
    }
    this.#numbers[this.#size] = number
    this.#size += 1
  }

  [Symbol.iterator](): Iterator<number> {
    return this.#numbers.subarray(0, this.#size)[Symbol.iterator]()
  }
}
