/** The contracts that a set is judged by on this machine. */
import { readFileSync } from 'node:fs'
import { parseContract } from '@bevis/shared/contract/parse'
import type { Contract } from '@bevis/shared/contract/schema'
import { BevisError, errorMessageOf } from '@bevis/shared/error'

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
