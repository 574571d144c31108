import type { Contract } from '@bevis/shared/contract/schema'
import { BevisError } from '@bevis/shared/error'

type Customer = Contract['customer']

/** The customer as a slug: its CVR number, else its name. */
export function tenantOfCustomer({ name, cvr }: Customer): string {
  if (cvr !== undefined) return cvr
  const plain = plainOf(name)
  if (plain === '')
    throw new BevisError('CONTRACT_INVALID', `customer: give ${name} a cvr; no id can be made of its name`)
  return plain
}

/** A contract's customer as the store has it. */
interface Filed {
  readonly tenant: string
  readonly customer_name: string
}

/**
 * Whether two contracts under one tenant are one customer's: by its CVR number, or by the very same name where neither
 * has one. Names that only come to the same slug, such as `Nord & Syd A/S` and `Nord Syd A.S`, are two customers.
 */
export function isSameCustomer(one: Filed, other: Filed): boolean {
  const isByName = isFiledByName(one)
  if (one.tenant !== other.tenant || isByName !== isFiledByName(other)) return false
  return !isByName || one.customer_name.trim() === other.customer_name.trim()
}

function isFiledByName({ tenant, customer_name }: Filed): boolean {
  return plainOf(customer_name) === tenant
}

/** Empty where no letter or digit is left. */
function plainOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll('æ', 'ae')
    .replaceAll('ø', 'oe')
    .replaceAll('å', 'aa')
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
    .replace(/-+$/, '')
}
