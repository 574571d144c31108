import type { Known } from './known.ts'

/**
 * All that one agent stated, in its own order: by epoch and sequence number, not by receipt. Spooled
 * statements arrive late and take their place.
 */
export class AgentChain {
  readonly #links: Known[] = []
  readonly #bySeq = new Map<string, Known>()
  readonly #latestBefore = new Map<number, Float64Array>()
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
    this.#latestBefore.clear()
    return 'added'
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
      latest = new Float64Array(this.#links.length)
      let newest = -Infinity
      for (const [position, link] of this.#links.entries()) {
        latest[position] = newest
        if (link.datedAt <= link.receivedAt + toleranceMs) newest = Math.max(newest, link.datedAt)
      }
      this.#latestBefore.set(toleranceMs, latest)
    }
    return latest[fact.position] ?? -Infinity
  }
}

function order(a: Known, b: Known): number {
  const one = a.chain
  const other = b.chain
  if (one === null || other === null) return 0
  return one.epoch - other.epoch || one.seq - other.seq
}
