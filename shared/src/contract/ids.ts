import { decodeHex } from '../hex.ts'
import { Rows } from './rows.ts'

/**
 * IDs of snapshots, each once, by the numbers that they get as they come: some 45 bytes each. What is told of many of
 * them is kept by number.
 */
export class Ids {
  readonly #rows = new Rows(0, 1)
  /** Open addressing; a number is kept plus one. */
  #slots = new Uint32Array(128)
  /** Chosen anew each time: whoever makes up IDs cannot make them all fall into one slot. */
  readonly #factors = Uint32Array.from({ length: 8 }, () => (Math.random() * 2 ** 32) | 1)

  get size(): number {
    return this.#rows.size
  }

  /** The number of an ID, from 0; a new one where it has none yet. @param id 64 lowercase hex digits */
  add(id: string): number {
    const digest = decodeHex(id)
    const slot = this.#slotOf(digest)
    const known = this.#slots[slot] ?? 0
    if (known !== 0) return known - 1
    const number = this.#rows.push([], [id])
    this.#slots[slot] = number + 1
    if (this.size * 3 > this.#slots.length * 2) this.#spread()
    return number
  }

  /** -1 where it has none. */
  numberOf(id: string): number {
    return (this.#slots[this.#slotOf(decodeHex(id))] ?? 0) - 1
  }

  at(number: number): string {
    return this.#rows.digest(number, 0)
  }

  /** The slot of a digest, or the free one that it would get. */
  #slotOf(digest: Uint8Array): number {
    const mask = this.#slots.length - 1
    for (let slot = this.#hash(digest); ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] ?? 0) - 1
      if (number < 0 || isSame(this.#rows.bytes(number, 0), digest)) return slot
    }
  }

  #hash(digest: Uint8Array): number {
    let hash = 0
    for (let at = 0; at < 32; at += 1) {
      const byte = digest[at] ?? 0
      hash += Math.imul(byte << (8 * (at & 3)), this.#factors[at >> 2] ?? 1)
    }
    return hash >>> (Math.clz32(this.#slots.length - 1) & 31)
  }

  #spread(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length)
    for (let number = 0; number < this.size; number += 1)
      this.#slots[this.#slotOf(this.#rows.bytes(number, 0))] = number + 1
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false
  return true
}
