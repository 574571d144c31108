import { paeDigest } from '../evidence/envelope.ts'
import type { Statement } from '../evidence/statement.ts'
import { Standing } from './agent-chain.ts'
import type { Link } from './told.ts'

/** One thing that was received: a statement, and when the collector says it came. */
export interface Fact {
  receivedAt: string
  statement: Statement
  /** Computed from the statement's compact JSON when left out. */
  paeDigest?: string
}

/** Who tells a fact, and when. Instants in milliseconds. */
export interface Teller {
  readonly receivedAt: number
  /** The end of what it tells, by the clock of who tells it. */
  readonly datedAt: number
  /** Null for contract events, which stand in no agent's chain. */
  readonly chain: Link | null
  /** SHA-256 of the PAE. */
  readonly digest: string
}

/** A fact taken apart for evaluation. */
export class Known<P extends object = object> implements Teller {
  readonly predicate: P
  /** Its place in the log. */
  readonly index: number
  /** The chain that took it in has it all, and is asked. */
  #teller: Teller | Standing

  constructor(predicate: P, index: number, teller: Teller | Standing) {
    this.predicate = predicate
    this.index = index
    this.#teller = teller
  }

  /** Told by the chain that takes it in. */
  stand(standing: Standing): void {
    this.#teller = standing
  }

  /** Where it stands in its agent's chain; undefined where it stands in none. */
  get standing(): Standing | undefined {
    return this.#teller instanceof Standing ? this.#teller : undefined
  }

  get receivedAt(): number {
    return this.#teller.receivedAt
  }

  get datedAt(): number {
    return this.#teller.datedAt
  }

  get chain(): Link | null {
    return this.#teller.chain
  }

  get digest(): string {
    return this.#teller.digest
  }

  /** The agent's clock less the collector's, as it was measured last before it in its chain; 0 when it was not. */
  get offsetMs(): number {
    return this.standing?.offsetMs ?? 0
  }

  /** The latest time that its agent had stated before it, see {@link AgentChain}; -Infinity where it stands in no chain. */
  latestBefore(toleranceMs: number): number {
    return this.standing?.latestBefore(toleranceMs) ?? -Infinity
  }
}

/** @param link of the statement's chain, where that was read already */
export function knownOf<P extends object>(
  fact: Fact,
  predicate: P,
  index: number,
  link?: Link | null,
): Known<P> {
  const { statement, paeDigest: digest } = fact
  const told = statement.predicate
  const teller = {
    receivedAt: Date.parse(fact.receivedAt),
    datedAt: Date.parse('endedAt' in told ? told.endedAt : 'takenAt' in told ? told.takenAt : told.at),
    chain: link === undefined && 'chain' in told ? told.chain : (link ?? null),
  }
  return new Known(
    predicate,
    index,
    digest === undefined ? new Unnamed(teller, statement) : { ...teller, digest },
  )
}

/** What has no digest yet: it is worked out when it is asked for. */
class Unnamed implements Teller {
  readonly receivedAt: number
  readonly datedAt: number
  readonly chain: Link | null
  readonly #statement: Statement
  #digest: string | undefined

  constructor({ receivedAt, datedAt, chain }: Omit<Teller, 'digest'>, statement: Statement) {
    this.receivedAt = receivedAt
    this.datedAt = datedAt
    this.chain = chain
    this.#statement = statement
  }

  get digest(): string {
    this.#digest ??= paeDigest(new TextEncoder().encode(JSON.stringify(this.#statement)))
    return this.#digest
  }
}

/** Nothing that is told happened after it was received, whatever the clock of who tells it. */
export function happenedAt({ datedAt, receivedAt }: Teller): number {
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
