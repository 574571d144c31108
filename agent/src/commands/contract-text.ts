/** The contracts that a set is judged by on this machine. */
import { readFileSync } from 'node:fs'
import { covers } from '@bevis/shared/contract/cover'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract, ContractSet } from '@bevis/shared/contract/schema'
import { BevisError, errorMessageOf } from '@bevis/shared/error'
import type { SetConfig } from '../config.ts'

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
