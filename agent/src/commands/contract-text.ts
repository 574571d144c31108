/** The contracts that a set is judged by on this machine. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { covers } from '@bevis/shared/contract/cover'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract, ContractSet } from '@bevis/shared/contract/schema'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { SetConfig } from '../config.ts'
import { loadAsked } from '../outbox/ask.ts'
import { termsFor } from '../run/asked.ts'
import { knownRepository } from '../run/repository.ts'
import type { Opened } from './open.ts'
import type { Bench } from './work.ts'

/** @throws BevisError CONTRACT_INVALID */
export function readContractFile(file: string): Contract {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new BevisError('CONTRACT_INVALID', `${file} cannot be read: ${errorMessageOf(cause)}`, { cause })
  }
  const { contract, errors } = parseContract(text)
  if (contract !== undefined) return contract
  const [first] = errors
  throw new BevisError(
    'CONTRACT_INVALID',
    `${file} cannot be used: line ${first?.line ?? 1}: ${first?.message ?? ''}`,
  )
}

/**
 * What the set's contract says of it, by its text on this machine. Null where that is not here, or cannot be used: doctor
 * and retention say what is wrong with it, everything else goes on without.
 */
export function termsIn({ id, contractFile }: Pick<SetConfig, 'id' | 'contractFile'>): ContractSet | null {
  if (contractFile === undefined) return null
  try {
    const sets = readContractFile(contractFile).versions.at(-1)?.sets ?? []
    return sets.find((one) => one.id === id) ?? null
  } catch {
    return null
  }
}

/** What the contract wants to see in every backup, of the set's own paths. */
export function canariesIn(set: Pick<SetConfig, 'id' | 'contractFile' | 'paths'>): string[] {
  return (termsIn(set)?.content?.canaries ?? []).filter((path) => covers(set.paths, [path]))
}

/**
 * What the collector last told of the set, as texts to hold retention against: what they owe stays too. They are the terms
 * of today, without holds or earlier versions, and nobody here has seen them accepted: they can let nothing go.
 */
export function toldTexts({ state }: Opened, { set, stateDir }: Bench): Contract[] {
  const asked = loadAsked(state)
  if (asked === null) return []
  const here = { repository: knownRepository(stateDir, set.id) ?? '', host: hostname() }
  return termsFor(asked.work, set, here).map(({ contract, version, timezone, holidays, set: terms }) => ({
    id: contract,
    provider: { name: '-' },
    customer: { name: '-' },
    regimes: [],
    timezone,
    holidays,
    currency: 'DKK',
    term: { start: '1970-01-01', renewal: 'auto' },
    versions: [
      {
        no: version,
        effectiveFrom: '1970-01-01',
        amendmentPolicy: 'extend-live',
        acceptances: (['customer', 'provider'] as const).map((party) => ({
          party,
          person: '-',
          at: '1970-01-01T00:00:00Z',
        })),
        sets: [{ ...terms, id: set.id }],
        exclusions: [],
        holds: [],
        penalties: [],
        escalation: [],
      },
    ],
  }))
}
