import { addFact, emptyIndex } from '@bevis/shared/contract/facts'
import type { FactIndex } from '@bevis/shared/contract/facts'
import type { Fact } from '@bevis/shared/contract/known'
import { parseStatement } from '@bevis/shared/evidence/statement'
import { listFacts } from '../store/read/statements.ts'
import type { Store } from '../store/store.ts'

/** Payload bytes that are kept in folded form over all contracts; folded they take several times as much. */
const KEPT_BYTES = 64 * 1024 * 1024

/** A contract's facts so far, and the same folded. */
export interface Folded {
  /** In log order. It goes on growing: who waits for something else meanwhile takes a copy. */
  readonly facts: readonly Fact[]
  readonly index: FactIndex
  /** The last statement among them; 0 for none. */
  readonly lastId: number
}

interface Kept {
  readonly facts: Fact[]
  readonly index: FactIndex
  /** The agents bound to the contract: one more may bring statements from long before. */
  readonly bound: string
  lastId: number
  bytes: number
}

/** Folds contracts' facts, each statement once as long as there is room. */
export function factFolder(store: Store): (contract: string) => Promise<Folded> {
  const kept = new Map<string, Kept>()
  const turns = new Map<string, Promise<Folded>>()

  async function fold(contract: string): Promise<Folded> {
    const bound = await boundAgents(store, contract)
    const known = kept.get(contract)
    const one =
      known?.bound === bound ? known : { facts: [], index: emptyIndex(), bound, lastId: 0, bytes: 0 }
    kept.delete(contract) // and back at the end of the line, when it is whole
    for (const row of await listFacts(store.db, contract, { after: one.lastId })) {
      const fact = factOf(row)
      one.facts.push(fact)
      addFact(one.index, fact)
      one.lastId = row.id
      one.bytes += row.payload.length
    }
    kept.set(contract, one)
    makeRoom()
    return { facts: one.facts, index: one.index, lastId: one.lastId }
  }

  /** Forgets the contracts that were not asked for the longest; a large one alone is kept, for folding it costs most. */
  function makeRoom(): void {
    const [newest, ...others] = [...kept].toReversed()
    let bytes = newest?.[1].bytes ?? 0
    for (const [contract, one] of others) {
      bytes += one.bytes
      if (bytes > KEPT_BYTES) kept.delete(contract)
    }
  }

  // Two readers at once would fold the same statement twice.
  return (contract) => {
    const turn = (turns.get(contract) ?? Promise.resolve()).then(
      () => fold(contract),
      () => fold(contract),
    )
    turns.set(contract, turn)
    return turn
  }
}

/** The digest is the stored one: a parsed statement has lost the fields that we do not know. */
function factOf(row: { received_at: string; pae_digest: string; payload: Uint8Array }): Fact {
  return { receivedAt: row.received_at, statement: parseStatement(row.payload), paeDigest: row.pae_digest }
}

async function boundAgents(store: Store, contract: string): Promise<string> {
  const rows = await store.db
    .selectFrom('agent_contract')
    .select(['tenant', 'agent'])
    .where('contract_id', '=', contract)
    .orderBy('tenant')
    .orderBy('agent')
    .execute()
  return JSON.stringify(rows)
}
