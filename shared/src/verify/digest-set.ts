const WORDS = 8

/** SHA-256 digests, each once, in some 60 bytes. */
export class DigestSet {
  #words = new Uint32Array(64 * WORDS)
  /** Open addressing; a place is kept plus one. */
  #slots = new Uint32Array(128)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** False when it was there before. @param digest 64 hex digits */
  add(digest: string): boolean {
    const words = wordsOf(digest)
    const slot = this.#slotOf(words, 0)
    if (this.#slots[slot] !== 0) return false
    if (this.#size * WORDS === this.#words.length) {
      const more = new Uint32Array(2 * this.#words.length)
      more.set(this.#words)
      this.#words = more
    }
    this.#words.set(words, this.#size * WORDS)
    this.#size += 1
    this.#slots[slot] = this.#size
    if (this.#size * 3 > this.#slots.length * 2) this.#spread()
    return true
  }

  has(digest: string): boolean {
    return this.#slots[this.#slotOf(wordsOf(digest), 0)] !== 0
  }

  /** The slot of the digest that begins at a word, or the free one that it would get. */
  #slotOf(words: Uint32Array, from: number): number {
    const mask = this.#slots.length - 1
    for (let slot = (words[from] ?? 0) & mask; ; slot = (slot + 1) & mask) {
      const place = (this.#slots[slot] ?? 0) - 1
      if (place < 0 || this.#isAt(place, words, from)) return slot
    }
  }

  #isAt(place: number, words: Uint32Array, from: number): boolean {
    for (let n = 0; n < WORDS; n += 1) {
      if (this.#words[place * WORDS + n] !== words[from + n]) return false
    }
    return true
  }

  #spread(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length)
    for (let place = 0; place < this.#size; place += 1) {
      this.#slots[this.#slotOf(this.#words, place * WORDS)] = place + 1
    }
  }
}

function wordsOf(digest: string): Uint32Array {
  return Uint32Array.from({ length: WORDS }, (_, n) => Number.parseInt(digest.slice(8 * n, 8 * n + 8), 16))
}
