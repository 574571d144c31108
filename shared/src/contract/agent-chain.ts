import type { Known } from './known.ts'

/**
 * All that one agent stated, in its own order: by epoch and sequence number, not by receipt. Spooled
 * statements arrive late and take their place.
 */
export class AgentChain {
  readonly #links: Known[] = []
  readonly #bySeq = new Map<string, Known>()
  /** By tolerance: what is asked of each link so far, and what will be asked of the next. */
  readonly #latestBefore = new Map<number, { values: number[]; next: number }>()
  #settled = true

  /** The first statement for an epoch and number counts; another one for it is an equivocation. */
  add(fact: Known): 'added' | 'again' | 'equivocation' {
    const { epoch = 0, seq = 0 } = fact.chain ?? {}
    const key = `${epoch}/${seq}`
    const first = this.#bySeq.get(key)
    if (first !== undefined) return first.digest === fact.digest ? 'again' : 'equivocation'
    this.#bySeq.set(key, fact)
    const last = this.#links.at(-1)
    this.#links.push(fact)
    if (this.#settled && (last === undefined || order(last, fact) < 0)) this.#place(fact, last)
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
    const links = this.#links.toSorted(order)
    this.#links.length = 0
    for (const fact of links) {
      const last = this.#links.at(-1)
      this.#links.push(fact)
      this.#place(fact, last)
    }
    this.#latestBefore.clear()
    this.#settled = true
  }

  #place(fact: Known, last: Known | undefined): void {
    fact.position = this.#links.length - 1
    fact.offsetMs = last === undefined ? 0 : (last.statedOffsetMs ?? last.offsetMs)
  }

  /**
   * The latest time that the agent had stated before this statement; what is dated after its own receipt is
   * left aside, so that a clock once wrong does not spoil what follows. -Infinity at the chain's start.
   */
  latestBefore(fact: Known, toleranceMs: number): number {
    let latest = this.#latestBefore.get(toleranceMs)
    if (latest === undefined) {
      latest = { values: [], next: -Infinity }
      this.#latestBefore.set(toleranceMs, latest)
    }
    for (let place = latest.values.length; place < this.#links.length; place++) {
      const link = this.#links[place]
      latest.values.push(latest.next)
      if (link !== undefined && link.datedAt <= link.receivedAt + toleranceMs)
        latest.next = Math.max(latest.next, link.datedAt)
    }
    return latest.values[fact.position] ?? -Infinity
  }
}

function order(a: Known, b: Known): number {
  const one = a.chain
  const other = b.chain
  if (one === null || other === null) return 0
  return one.epoch - other.epoch || one.seq - other.seq
}
