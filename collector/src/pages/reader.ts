import type { Party } from '@bevis/shared/contract/schema'
import type { FastifyRequest } from 'fastify'
import type { Kysely, Selectable } from 'kysely'
import type { AccountTable, Schema } from '../store/schema.ts'
import type { Scope } from '../store/store.ts'

export type Account = Selectable<AccountTable>

/** The account that is signed in, as it is now: a disabled one is signed out by its next request. */
export async function accountOf(db: Kysely<Schema>, request: FastifyRequest): Promise<Account | null> {
  const id = request.session?.accountId
  if (id === undefined) return null
  const account = await db
    .selectFrom('account')
    .selectAll()
    .where('id', '=', id)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  return account ?? null
}

/** The provider's people see all customers; everybody else their own. An account of neither sees nothing. */
export function scopeOf({ role, tenant }: Pick<Account, 'role' | 'tenant'>): Scope | null {
  if (tenant !== null) return { tenant }
  return role === 'provider-admin' || role === 'provider-operator' ? { all: true } : null
}

/** Whom a person's word binds. Operators, readers and auditors bind nobody. */
export function partyOf({ role }: Pick<Account, 'role'>): Party | null {
  if (role === 'customer-admin') return 'customer'
  return role === 'provider-admin' ? 'provider' : null
}
