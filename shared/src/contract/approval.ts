import type { ContractEvent } from '../evidence/predicates.ts'
import type { Known } from './known.ts'
import type { Party } from './schema.ts'

export type EventKind = ContractEvent['event']
export type Detail = ContractEvent['detail']

/** The events of one contract that had happened by an instant, in log order. */
export class Events {
  readonly #byKind = new Map<EventKind, Known<ContractEvent>[]>()

  constructor(events: readonly Known<ContractEvent>[], contract: string, at: number) {
    for (const event of events) {
      if (event.predicate.contract !== contract || event.datedAt > at) continue
      const same = this.#byKind.get(event.predicate.event)
      if (same === undefined) this.#byKind.set(event.predicate.event, [event])
      else same.push(event)
    }
  }

  of(kind: EventKind): readonly Known<ContractEvent>[] {
    return this.#byKind.get(kind) ?? []
  }
}

/** What both parties must approve: since when they both had, -Infinity where the contract's text says so. */
export class Approvals {
  readonly #byKey = new Map<string, { detail: Detail; parties: Map<Party, number> }>()

  approve(key: string, detail: Detail, party: Party, at: number): void {
    const entry = this.#byKey.get(key) ?? { detail, parties: new Map<Party, number>() }
    entry.parties.set(party, Math.min(at, entry.parties.get(party) ?? Infinity))
    this.#byKey.set(key, entry)
  }

  approveBy(events: readonly Known<ContractEvent>[], keyOf: (detail: Detail) => string): this {
    for (const { predicate, datedAt } of events) {
      this.approve(keyOf(predicate.detail), predicate.detail, predicate.by.party, datedAt)
    }
    return this
  }

  /** Only what both have approved. */
  *given(): Generator<{ key: string; detail: Detail; since: number }> {
    for (const [key, { detail, parties }] of this.#byKey) {
      const customer = parties.get('customer')
      const provider = parties.get('provider')
      if (customer !== undefined && provider !== undefined) {
        yield { key, detail, since: Math.max(customer, provider) }
      }
    }
  }
}

export function textOf(detail: Detail, key: string): string {
  const value = detail[key]
  return typeof value === 'string' ? value : ''
}

export function textsOf(detail: Detail, key: string): string[] {
  const value = detail[key]
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}
