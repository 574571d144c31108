import type { Contract } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'

/** The customer as a slug: its CVR number, else its name. */
export function tenantOfCustomer({ name, cvr }: Contract['customer']): string {
  if (cvr !== undefined) return cvr
  const plain = name
    .toLowerCase()
    .replaceAll('æ', 'ae')
    .replaceAll('ø', 'oe')
    .replaceAll('å', 'aa')
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
    .replace(/-+$/, '')
  if (plain === '')
    throw new BevisError('CONTRACT_INVALID', `customer: give ${name} a cvr; no id can be made of its name`)
  return plain
}
