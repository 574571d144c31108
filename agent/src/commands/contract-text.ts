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

/**
 * Every text by which the set's tiers may be judged, for whoever chooses what to restore: the one on this machine, and
 * what the collector last told, whenever that was. Restoring one too many harms nobody.
 */
export function textsToTest({ state }: Opened, { set, stateDir, logger }: Bench): Contract[] {
  const texts: Contract[] = []
  try {
    if (set.contractFile !== undefined) texts.push(readContractFile(set.contractFile))
  } catch (err) {
    logger.warn({ set: set.id, err }, 'the older snapshots are chosen without the contract’s text')
  }
  const here = { repository: knownRepository(stateDir, set.id) ?? '', host: hostname() }
  const told = termsFor(loadAsked(state)?.work ?? { terms: [] }, set, here)
  return [
    ...texts,
    ...told
      .filter(({ contract }) => texts.every(({ id }) => id !== contract))
      .map((terms) => {
        const { version, effectiveFrom = ALWAYS, amendmentPolicy = 'extend-live', earlier } = terms
        return asText(set.id, terms, [
          ...earlier,
          { version, effectiveFrom, amendmentPolicy, set: terms.set },
        ])
      }),
  ]
}

const ALWAYS = '1970-01-01'

/** As if what is promised today had been promised ever since: that owes most. */
function textOf(id: string, terms: Terms): Contract {
  const { version, set } = terms
  return asText(id, terms, [{ version, effectiveFrom: ALWAYS, amendmentPolicy: 'extend-live', set }])
}

function asText(
  id: string,
  { contract, timezone, holidays, holds }: Terms,
  versions: Terms['earlier'],
): Contract {
  const accepted = { person: '-', at: `${ALWAYS}T00:00:00Z` }
  return {
    id: contract,
    provider: { name: '-' },
    customer: { name: '-' },
    regimes: [],
    timezone,
    holidays,
    currency: 'DKK',
    term: { start: ALWAYS, renewal: 'auto' },
    versions: versions.map(({ version, effectiveFrom, amendmentPolicy, set }) => ({
      no: version,
      effectiveFrom,
      amendmentPolicy,
      acceptances: [
        { party: 'customer', ...accepted },
        { party: 'provider', ...accepted },
      ],
      sets: [{ ...set, id }],
      exclusions: [],
      holds: holds.map(({ covers, authority }) => ({ sets: [id], covers, authority, start: ALWAYS })),
      penalties: [],
      escalation: [],
    })),
  }
}
