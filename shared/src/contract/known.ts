import { paeDigest } from '../evidence/envelope.ts'
import type { Statement } from '../evidence/statement.ts'
import type { AgentChain } from './agent-chain.ts'
import type { Link } from './told.ts'

/** One thing that was received: a statement, and when the collector says it came. */
export interface Fact {
  receivedAt: string
  statement: Statement
  /** Computed from the statement's compact JSON when left out. */
  paeDigest?: string
}

/** A fact taken apart for evaluation. Instants in milliseconds. */
export class Known<P extends object = object> {
  readonly predicate: P
  readonly receivedAt: number
  /** The end of what it tells, by the clock of who tells it. */
  readonly datedAt: number
  /** Its place in the log. */
  readonly index: number
  /** Null for contract events, which stand in no agent's chain. */
  readonly chain: Link | null
  /** The chain that it was taken into, and where that has it. */
  #links: AgentChain | null = null
  #slot = 0
  /** Kept for its digest, where that is not at hand. */
  readonly #statement: Statement | undefined
  #digest: string | undefined

  constructor(fact: Fact, predicate: P, index: number, chain?: Link | null) {
    const told = fact.statement.predicate
    this.predicate = predicate
    this.receivedAt = Date.parse(fact.receivedAt)
    this.datedAt = Date.parse('endedAt' in told ? told.endedAt : 'takenAt' in told ? told.takenAt : told.at)
    this.index = index
    this.chain = chain === undefined && 'chain' in told ? told.chain : (chain ?? null)
    this.#statement = fact.paeDigest === undefined ? fact.statement : undefined
    this.#digest = fact.paeDigest
  }

  /** Told by the chain that takes it in. */
  stand(links: AgentChain, slot: number): void {
    this.#links = links
    this.#slot = slot
  }

  /** The agent's clock less the collector's, as it was measured last before it in its chain; 0 when it was not. */
  get offsetMs(): number {
    return this.#links?.offsetMsAt(this.#slot) ?? 0
  }

  /** The latest time that its agent had stated before it, see {@link AgentChain}; -Infinity where it stands in no chain. */
  latestBefore(toleranceMs: number): number {
    return this.#links?.latestBefore(this.#slot, toleranceMs) ?? -Infinity
  }

  /** SHA-256 of the PAE. */
  get digest(): string {
    this.#digest ??= paeDigest(new TextEncoder().encode(JSON.stringify(this.#statement)))
    return this.#digest
  }
}

/** Nothing that is told happened after it was received, whatever the clock of who tells it. */
export function happenedAt({ datedAt, receivedAt }: Known): number {
  return Math.min(datedAt, receivedAt)
}

/** Tells apart what is dated alike, whenever it arrived: by who tells it, in their own order. */
export function byTeller(a: Known, b: Known): number {
  const [one, other] = [a.chain, b.chain]
  if (one === null || other === null) return a.index - b.index
  const [name, otherName] = [`${one.tenant}/${one.agent}`, `${other.tenant}/${other.agent}`]
  if (name !== otherName) return name < otherName ? -1 : 1
  return one.epoch - other.epoch || one.seq - other.seq
}

/** What is taken off an agent's times: nothing within the tolerance, else the measured offset, either way. */
export function correctionMs(fact: Known, clockToleranceMs: number): number {
  return Math.abs(fact.offsetMs) > clockToleranceMs ? fact.offsetMs : 0
}
