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
import type { Terms } from '@bevis/shared/work'

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
 * What the set's contract says of it, by its text on this machine. Null where that is not here, or does not name the set.
 * @throws BevisError CONTRACT_INVALID
 */
export function termsIn({ id, contractFile }: Pick<SetConfig, 'id' | 'contractFile'>): ContractSet | null {
  if (contractFile === undefined) return null
  const sets = readContractFile(contractFile).versions.at(-1)?.sets ?? []
  return sets.find((one) => one.id === id) ?? null
}

/**
 * What the contract wants to see in every backup, of the set's own paths. A text that cannot be used stops no backup:
 * doctor and retention say what is wrong with it.
 */
export function canariesIn(set: Pick<SetConfig, 'id' | 'contractFile' | 'paths'>): string[] {
  let terms: ContractSet | null
  try {
    terms = termsIn(set)
  } catch {
    return []
  }
  return (terms?.content?.canaries ?? []).filter((path) => covers(set.paths, [path]))
}

/** What was told longer ago may not know of a hold. */
const TOLD_OLD_MS = 72 * 3_600_000

/**
 * What the collector last told of the set, as texts to hold retention against: what they owe or hold stays too. They are
 * the terms of today, and nobody here has seen them accepted: they can let nothing go.
 * @throws BevisError RETENTION_REFUSED where there are none, since only the collector knows of holds
 */
export function toldTexts({ state, now }: Opened, { set, stateDir }: Bench): Contract[] {
  const asked = loadAsked(state)
  if (asked === null) throw unknownHolds('the collector has told no terms yet')
  if (Math.abs(now().getTime() - Date.parse(asked.at)) > TOLD_OLD_MS)
    throw unknownHolds(`the collector last told its terms at ${asked.at}`)
  const here = { repository: knownRepository(stateDir, set.id) ?? '', host: hostname() }
  const terms = termsFor(asked.work, set, here)
  if (terms.length === 0) throw unknownHolds('the collector tells no terms that are about this set')
  return terms.map((one) => textOf(set.id, one))
}

function unknownHolds(why: string): BevisError {
  return new BevisError('RETENTION_REFUSED', `${why}: whether something is held is not known`)
}

function textOf(id: string, { contract, version, timezone, holidays, set, holds }: Terms): Contract {
  const accepted = { person: '-', at: '1970-01-01T00:00:00Z' }
  return {
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
        acceptances: [
          { party: 'customer', ...accepted },
          { party: 'provider', ...accepted },
        ],
        sets: [{ ...set, id }],
        exclusions: [],
        holds: holds.map(({ covers, authority }) => ({ sets: [id], covers, authority, start: '1970-01-01' })),
        penalties: [],
        escalation: [],
      },
    ],
  }
}
