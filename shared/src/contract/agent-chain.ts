import type { Known, Teller } from './known.ts'
import { Rows } from './rows.ts'
import type { Link } from './told.ts'

/** Of each statement: epoch, number, instants, the clock's offset as it measured it (NaN: it did not), and before it. */
const WIDTH = 6
const [EPOCH, SEQ, DATED_AT, RECEIVED_AT, STATED, OFFSET] = [0, 1, 2, 3, 4, 5]

/**
 * All that one agent stated, in its own order: by epoch and sequence number, not by receipt. Spooled
 * statements arrive late and take their place. Of each it keeps numbers and a digest, some 120 bytes.
 */
export class AgentChain {
  readonly tenant: string
  readonly agent: string
  readonly #rows = new Rows(WIDTH, 1)
  /** By epoch and number: the slot, which is the place in the order of receipt. Only while the chain is not in order. */
  #slots: Map<string, number> | null = null
  /** The slots in the chain's order, and each one's place in it; null while that is the order of receipt. */
  #order: { slots: number[]; places: number[] } | null = null
  /** By tolerance: what is asked of each place so far, and what will be asked of the next. */
  readonly #latestBefore = new Map<number, { values: number[]; next: number }>()
  #settled = true

  constructor({ tenant, agent }: Pick<Link, 'tenant' | 'agent'>) {
    this.tenant = tenant
    this.agent = agent
  }

  /** The first statement for an epoch and number counts; another one for it is an equivocation. */
  add(fact: Known, statedOffsetMs: number | undefined): 'added' | 'again' | 'equivocation' {
    const { epoch = 0, seq = 0 } = fact.chain ?? {}
    const { digest, datedAt, receivedAt } = fact
    const first = this.#slotOf(epoch, seq)
    if (first !== undefined) return this.digestAt(first) === digest ? 'again' : 'equivocation'
    const numbers = [epoch, seq, datedAt, receivedAt, statedOffsetMs ?? Number.NaN, 0]
    const slot = this.#rows.push(numbers, [digest])
    this.#slots?.set(`${epoch} ${seq}`, slot)
    fact.stand(new Standing(this, slot))
    const last = this.#lastSlot(slot)
    if (this.#settled && (last < 0 || this.#compare(last, slot) < 0)) this.#place(slot, last)
    else this.#settled = false
    return 'added'
  }

  /** The last in the chain's order, of those before a slot. */
  #lastSlot(slot: number): number {
    return this.#order === null ? slot - 1 : (this.#order.slots.at(-1) ?? -1)
  }

  #slotOf(epoch: number, seq: number): number | undefined {
    if (!this.#settled) {
      this.#slots ??= new Map(
        Array.from({ length: this.#rows.size }, (_, slot) => [
          `${this.#at(slot, EPOCH)} ${this.#at(slot, SEQ)}`,
          slot,
        ]),
      )
      return this.#slots.get(`${epoch} ${seq}`)
    }
    // In order, each has its place; most come behind all others.
    let low = 0
    let high = this.#rows.size
    const comesAfter = (slot: number) => this.#at(slot, EPOCH) - epoch || this.#at(slot, SEQ) - seq
    if (high > 0 && comesAfter(this.#lastSlot(high)) < 0) return undefined
    while (low < high) {
      const middle = (low + high) >> 1
      const slot = this.#order?.slots[middle] ?? middle
      const order = comesAfter(slot)
      if (order === 0) return slot
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  /** False while a statement has come that does not follow the one before it. */
  get isSettled(): boolean {
    return this.#settled
  }

  /** Gives every statement its place and the clock's offset before it. Called when facts have been added. */
  settle(): void {
    if (this.#settled) return
    const slots = Array.from({ length: this.#rows.size }, (_, slot) => slot)
    slots.sort((a, b) => this.#compare(a, b))
    this.#order = { slots: [], places: [] }
    let last = -1
    for (const slot of slots) {
      this.#place(slot, last)
      last = slot
    }
    this.#latestBefore.clear()
    this.#slots = null
    this.#settled = true
  }

  #place(slot: number, last: number): void {
    if (this.#order !== null) this.#order.places[slot] = this.#order.slots.push(slot) - 1
    const stated = this.#at(last, STATED)
    const offset = last < 0 ? 0 : Number.isNaN(stated) ? this.#at(last, OFFSET) : stated
    this.#rows.setNumber(slot, OFFSET, offset)
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
    const size = this.#order?.slots.length ?? this.#rows.size
    for (let place = latest.values.length; place < size; place++) {
      const link = this.#order?.slots[place] ?? place
      const datedAt = this.#at(link, DATED_AT)
      latest.values.push(latest.next)
      if (datedAt <= this.#at(link, RECEIVED_AT) + toleranceMs) latest.next = Math.max(latest.next, datedAt)
    }
    return latest.values[this.#order?.places[slot] ?? slot] ?? -Infinity
  }

  receivedAtOf(slot: number): number {
    return this.#at(slot, RECEIVED_AT)
  }

  datedAtOf(slot: number): number {
    return this.#at(slot, DATED_AT)
  }

  linkAt(slot: number): Link {
    const [epoch, seq] = [this.#at(slot, EPOCH), this.#at(slot, SEQ)]
    return { tenant: this.tenant, agent: this.agent, epoch, seq }
  }

  digestAt(slot: number): string {
    return this.#rows.digest(slot, 0)
  }

  #at(slot: number, column: number): number {
    return slot < 0 ? Number.NaN : this.#rows.number(slot, column)
  }

  #compare(a: number, b: number): number {
    return this.#at(a, EPOCH) - this.#at(b, EPOCH) || this.#at(a, SEQ) - this.#at(b, SEQ)
  }
}

/** A fact's place in its agent's chain, by which all is found that the chain keeps of it. */
export class Standing implements Teller {
  readonly links: AgentChain
  readonly slot: number

  constructor(links: AgentChain, slot: number) {
    this.links = links
    this.slot = slot
  }

  get receivedAt(): number {
    return this.links.receivedAtOf(this.slot)
  }

  get datedAt(): number {
    return this.links.datedAtOf(this.slot)
  }

  get chain(): Link {
    return this.links.linkAt(this.slot)
  }

  get digest(): string {
    return this.links.digestAt(this.slot)
  }

  get offsetMs(): number {
    return this.links.offsetMsAt(this.slot)
  }

  latestBefore(toleranceMs: number): number {
    return this.links.latestBefore(this.slot, toleranceMs)
  }
}
