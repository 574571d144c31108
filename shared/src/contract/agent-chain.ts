import { decodeHex } from '../hex.ts'
import type { Known } from './known.ts'

/** Of each statement: epoch, number, instants, the clock's offset as it measured it (NaN: it did not), and before it. */
const WIDTH = 6
const [EPOCH, SEQ, DATED_AT, RECEIVED_AT, STATED, OFFSET] = [0, 1, 2, 3, 4, 5]
const DIGEST_BYTES = 32

/**
 * All that one agent stated, in its own order: by epoch and sequence number, not by receipt. Spooled
 * statements arrive late and take their place. Of each it keeps numbers and a digest, some 120 bytes.
 */
export class AgentChain {
  #size = 0
  #numbers = new Float64Array(16 * WIDTH)
  #digests = new Uint8Array(16 * DIGEST_BYTES)
  /** By epoch and number: the slot, which is the place in the order of receipt. */
  readonly #slots = new Map<number, Map<number, number>>()
  /** The slots in the chain's order, and each one's place in it; null while that is the order of receipt. */
  #order: { slots: number[]; places: number[] } | null = null
  /** By tolerance: what is asked of each place so far, and what will be asked of the next. */
  readonly #latestBefore = new Map<number, { values: number[]; next: number }>()
  #settled = true

  /** The first statement for an epoch and number counts; another one for it is an equivocation. */
  add(fact: Known, statedOffsetMs: number | undefined): 'added' | 'again' | 'equivocation' {
    const { epoch = 0, seq = 0 } = fact.chain ?? {}
    const own = this.#slots.get(epoch) ?? new Map<number, number>()
    this.#slots.set(epoch, own)
    const digest = decodeHex(fact.digest)
    const first = own.get(seq)
    if (first !== undefined) return this.#hasDigest(first, digest) ? 'again' : 'equivocation'
    const slot = this.#size
    if (slot * WIDTH === this.#numbers.length) this.#grow()
    own.set(seq, slot)
    this.#numbers.set(
      [epoch, seq, fact.datedAt, fact.receivedAt, statedOffsetMs ?? Number.NaN, 0],
      slot * WIDTH,
    )
    this.#digests.set(digest, slot * DIGEST_BYTES)
    this.#size += 1
    fact.stand(this, slot)
    const last = this.#order === null ? slot - 1 : (this.#order.slots.at(-1) ?? -1)
    if (this.#settled && (last < 0 || this.#compare(last, slot) < 0)) this.#place(slot, last)
    else this.#settled = false
    return 'added'
  }

  /** False while a statement has come that does not follow the one before it. */
  get isSettled(): boolean {
    return this.#settled
  }

  /** Gives every statement its place and the clock's offset before it. Called when facts have been added. */
  settle(): void {
    if (this.#settled) return
    const slots = Array.from({ length: this.#size }, (_, slot) => slot)
    slots.sort((a, b) => this.#compare(a, b))
    this.#order = { slots: [], places: [] }
    let last = -1
    for (const slot of slots) {
      this.#place(slot, last)
      last = slot
    }
    this.#latestBefore.clear()
    this.#settled = true
  }

  #place(slot: number, last: number): void {
    if (this.#order !== null) this.#order.places[slot] = this.#order.slots.push(slot) - 1
    const stated = this.#at(last, STATED)
    const offset = last < 0 ? 0 : Number.isNaN(stated) ? this.#at(last, OFFSET) : stated
    this.#numbers[slot * WIDTH + OFFSET] = offset
  }

  /** The newest measurement of the agent's clock before the statement in a slot, less the collector's; 0 without one. */
  offsetMsAt(slot: number): number {
    return this.#at(slot, OFFSET)
  }

  /**
   * The latest time that the agent had stated before the statement in a slot; what is dated after its own receipt is
   * left aside, so that a clock once wrong does not spoil what follows. -Infinity at the chain's start.
   */
  latestBefore(slot: number, toleranceMs: number): number {
    let latest = this.#latestBefore.get(toleranceMs)
    if (latest === undefined) {
      latest = { values: [], next: -Infinity }
      this.#latestBefore.set(toleranceMs, latest)
    }
    const size = this.#order?.slots.length ?? this.#size
    for (let place = latest.values.length; place < size; place++) {
      const link = this.#order?.slots[place] ?? place
      const datedAt = this.#at(link, DATED_AT)
      latest.values.push(latest.next)
      if (datedAt <= this.#at(link, RECEIVED_AT) + toleranceMs) latest.next = Math.max(latest.next, datedAt)
    }
    return latest.values[this.#order?.places[slot] ?? slot] ?? -Infinity
  }

  #at(slot: number, column: number): number {
    return this.#numbers[slot * WIDTH + column] ?? Number.NaN
  }

  #compare(a: number, b: number): number {
    return this.#at(a, EPOCH) - this.#at(b, EPOCH) || this.#at(a, SEQ) - this.#at(b, SEQ)
  }

  #hasDigest(slot: number, digest: Uint8Array): boolean {
    const from = slot * DIGEST_BYTES
    return digest.every((byte, place) => this.#digests[from + place] === byte)
  }

  #grow(): void {
    const numbers = new Float64Array(2 * this.#numbers.length)
    numbers.set(this.#numbers)
    this.#numbers = numbers
    const digests = new Uint8Array(2 * this.#digests.length)
    digests.set(this.#digests)
    this.#digests = digests
  }
}
