/** What doctor says of contracts: whether the schedules can keep them, and retention can read them. */
import { hostname } from 'node:os'
import { isAccepted } from '@bevis/shared/contract/acceptance'
import type { Contract, Version } from '@bevis/shared/contract/schema'
import { errorCodeOf, errorMessageOf } from '@bevis/shared/error'
import type { SetConfig } from '../config.ts'
import { loadIdentity } from '../evidence/identity.ts'
import { loadAsked } from '../outbox/ask.ts'
import { termsFor } from '../run/asked.ts'
import { knownRepository } from '../run/repository.ts'
import { brokenPromises } from '../schedule/promise.ts'
import { readContractFile } from './contract-text.ts'
import { bad, good, warning } from './finding.ts'
import type { Finding } from './finding.ts'
import type { Opened } from './open.ts'

/** By the text that was named, else by those that the configuration names, else by what the collector last told. */
export function promiseFindings(opened: Opened, named: string | null): Finding[] {
  const { sets } = opened.config
  const files = named === null ? sets.flatMap(({ contractFile }) => contractFile ?? []) : [named]
  return [
    ...[...new Set(files)].flatMap((file) => contractFindings(opened, file)),
    ...(named === null
      ? sets
          .filter(({ contractFile }) => contractFile === undefined)
          .flatMap((set) => toldFindings(opened, set))
      : []),
  ]
}

/** The collector's terms serve to warn; they decide nothing. */
function toldFindings({ state, now }: Opened, set: SetConfig): Finding[] {
  const asked = loadAsked(state)
  if (asked === null) return []
  const here = { repository: knownRepository(state.folder, set.id) ?? '', host: hostname() }
  return termsFor(asked.work, set, here).flatMap(({ contract, version, set: promised }) => {
    const what = `${set.id}: contract`
    const broken = brokenPromises(set, promised, now())
    if (broken.length > 0) return broken.map((text) => bad(what, text))
    return [good(what, `the schedule can keep ${contract}, version ${version}, as the collector tells it`)]
  })
}

/** Whether the schedules can keep what a contract promises, set by set. */
function contractFindings(opened: Opened, file: string): Finding[] {
  const { sets } = opened.config
  const now = opened.now()
  let contract: Contract
  try {
    contract = readContractFile(file)
  } catch (error) {
    return [bad('contract', `${errorCodeOf(error)}: ${errorMessageOf(error)}`)]
  }
  const today = Temporal.Instant.fromEpochMilliseconds(now.getTime())
    .toZonedDateTimeISO(contract.timezone)
    .toPlainDate()
    .toString()
  const enrolled = enrolmentFinding(opened, contract.id)
  const findings = versionsToKeep(contract, today).flatMap(({ no, sets: promises }) =>
    promises.flatMap((promised) => {
      const what = `${promised.id}: contract`
      const set = sets.find(({ id }) => id === promised.id)
      if (set === undefined) {
        const told = `${contract.id} promises the set ${promised.id}, which is not in this configuration`
        return [isThisHost(promised.selector.hosts) ? bad(what, told) : warning(what, told)]
      }
      const broken = [
        ...mismatches(opened, set, contract.id, promised),
        ...brokenPromises(set, promised, now),
      ]
      if (broken.length > 0) return broken.map((text) => bad(what, text))
      return [
        good(what, `the schedule can keep ${contract.id}, version ${no}`),
        ...retentionFindings(set, contract, today),
        ...unknowns(opened, set, promised),
      ]
    }),
  )
  return [enrolled, ...findings]
}

/**
 * The newest that should be in force, and the one that both have accepted in the text: acceptances may be in the log
 * alone, and a draft does not stand for what is in force.
 */
function versionsToKeep({ versions }: Contract, today: string): Version[] {
  const begun = versions
    .filter(({ effectiveFrom }) => effectiveFrom <= today)
    .toSorted((a, b) => (a.effectiveFrom < b.effectiveFrom ? -1 : 1))
  const told = [begun.at(-1) ?? versions.at(-1), begun.findLast((version) => isAccepted(version))]
  return [...new Set(told)].filter((version) => version !== undefined)
}

/** What would make every retention refuse. */
function retentionFindings(
  { id, retention }: SetConfig,
  { id: name, versions }: Contract,
  today: string,
): Finding[] {
  if (retention?.fromContract !== true) return []
  if (versions.some((version) => version.effectiveFrom <= today && isAccepted(version))) return []
  const told = `the text of ${name} shows no version in force that both parties have accepted: nothing is removed`
  return [warning(`${id}: retention`, told)]
}

interface Selected {
  readonly selector: { readonly repository: string; readonly hosts: readonly string[] }
}

function isThisHost(hosts: readonly string[]): boolean {
  return hosts.includes(hostname())
}

/** Evidence counts for the contracts that the invitation named, and for no other. */
function enrolmentFinding({ state }: Opened, contract: string): Finding {
  const known = loadIdentity(state)?.contracts ?? []
  if (known.length === 0)
    return warning(
      'contract',
      `unknown whether this agent is enrolled for ${contract}: it has no identity yet`,
    )
  return known.includes(contract)
    ? good('contract', `this agent is enrolled for ${contract}`)
    : bad(
        'contract',
        `this agent is enrolled for ${known.join(', ')}, not for ${contract}: its evidence does not count there`,
      )
}

/** By what the collector would not find this set's backups. */
function mismatches(opened: Opened, set: SetConfig, contract: string, { selector }: Selected): string[] {
  const id = knownRepository(opened.state.folder, set.id)
  const names = [id, set.repository.lineage].filter((name) => name !== null && name !== undefined)
  const own = hostname()
  return [
    ...(set.contract === undefined || set.contract === contract
      ? []
      : [`the set is configured for ${set.contract}, and this is ${contract}`]),
    ...(isThisHost(selector.hosts)
      ? []
      : [`the contract counts backups of ${selector.hosts.join(', ')}; this host is called ${own}`]),
    ...(names.includes(selector.repository) || (id === null && isRepositoryId(selector.repository))
      ? []
      : [
          `the contract names the repository ${selector.repository}; this one is ${names.join(' or ') || 'without a name'}: set repository.lineage, or name its ID in the contract`,
        ]),
  ]
}

/** An ID that cannot be compared, because the repository has never been opened. */
function unknowns({ state }: Opened, set: SetConfig, { selector }: Selected): Finding[] {
  if (knownRepository(state.folder, set.id) !== null || !isRepositoryId(selector.repository)) return []
  return [
    warning(
      `${set.id}: contract`,
      'unknown whether the repository is the promised one: nothing is backed up yet',
    ),
  ]
}

function isRepositoryId(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}
