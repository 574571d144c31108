/** The contracts that a set is judged by on this machine. */
import { readFileSync } from 'node:fs'
import { covers } from '@bevis/shared/contract/cover'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
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

/** What the set's contract wants to see in every backup, of the set's own paths; nothing where its text is not here. */
export function canariesIn({ id, paths, contractFile }: SetConfig): string[] {
  if (contractFile === undefined) return []
  try {
    const sets = readContractFile(contractFile).versions.at(-1)?.sets ?? []
    const canaries = sets.find((one) => one.id === id)?.content?.canaries ?? []
    return canaries.filter((path) => covers(paths, [path]))
  } catch {
    return [] // doctor and retention say what is wrong with it; a backup is made all the same
  }
}
