/** Who has accepted a version: in the contract's text, or by a statement in the log. */
import type { ContractEvent } from '../evidence/predicates.ts'
import type { Party, Version } from './schema.ts'

export const PARTIES = ['customer', 'provider'] as const satisfies readonly Party[]

export interface Acceptance {
  readonly party: Party
  readonly person: string
  readonly role?: string
  readonly at: string
  /** Of the contract's text that was accepted; texts written by hand may leave it out. */
  readonly sha256?: string
  readonly from: 'text' | 'log'
}

/** Every acceptance of a version, the text's first, then the log's in its order. */
export function acceptancesOf(
  { no, acceptances = [] }: Pick<Version, 'no' | 'acceptances'>,
  events: Iterable<ContractEvent>,
): Acceptance[] {
  const found: Acceptance[] = acceptances.map(({ party, person, role, at, sha256 }) => ({
    ...{ party, person, at, from: 'text' },
    ...(role !== undefined && { role }),
    ...(sha256 !== undefined && { sha256 }),
  }))
  for (const { event, version, at, by, detail } of events) {
    if (event !== 'version-accepted' || (version ?? detail['version']) !== no) continue
    const { role, sha256 } = detail
    found.push({
      ...{ ...by, at, from: 'log' },
      ...(typeof role === 'string' && { role }),
      ...(typeof sha256 === 'string' && { sha256 }),
    })
  }
  return found
}

/** Both parties have accepted it; else it is a draft, which is shown and binds nobody. */
export function isAccepted(
  version: Pick<Version, 'no' | 'acceptances'>,
  events: Iterable<ContractEvent> = [],
): boolean {
  const parties = new Set(acceptancesOf(version, events).map(({ party }) => party))
  return PARTIES.every((party) => parties.has(party))
}
