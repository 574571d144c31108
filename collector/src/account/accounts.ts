import { randomUUID } from 'node:crypto'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { Selectable, Transaction } from 'kysely'
import { z } from 'zod'
import type { AccountRole, AccountTable, Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { hashPassword } from './password.ts'

export type AccountRow = Selectable<AccountTable>

const email = z.email().max(254)

/** The address as it is kept, in lower case. @throws BevisError REQUEST_INVALID */
export function readAddress(text: string): string {
  const address = email.safeParse(text.trim().toLowerCase())
  if (!address.success) throw new BevisError('REQUEST_INVALID', `${text} is no e-mail address`)
  return address.data
}

/** @throws BevisError REQUEST_INVALID for an address that is none or taken, and for a bad password */
export async function addAccount(
  store: Store,
  account: {
    email: string
    password: string
    role: AccountRole
    tenant: string | null
    language: 'da' | 'en'
  },
  now: Date,
): Promise<AccountRow> {
  const address = readAddress(account.email)
  const row: AccountRow = {
    id: randomUUID(),
    email: address,
    password_hash: await hashPassword(account.password),
    role: account.role,
    tenant: account.tenant,
    language: account.language,
    created_at: toInstant(now),
    disabled_at: null,
  }
  await store.write(async (tx) => {
    const taken = await tx
      .selectFrom('account')
      .select('id')
      .where('email', '=', row.email)
      .executeTakeFirst()
    if (taken !== undefined)
      throw new BevisError('REQUEST_INVALID', `there is an account ${row.email} already`)
    await tx.insertInto('account').values(row).execute()
  })
  return row
}

/** All accounts by address, without their passwords. */
export function listAccounts(store: Store): Promise<Omit<AccountRow, 'password_hash'>[]> {
  return store.db
    .selectFrom('account')
    .select(['id', 'email', 'role', 'tenant', 'language', 'created_at', 'disabled_at'])
    .orderBy('email')
    .execute()
}

/**
 * Ends an account and all its sessions.
 * @throws BevisError NOT_FOUND, USAGE for the last administrator: nobody could let anybody in again
 */
export async function disableAccount(store: Store, address: string, now: Date): Promise<void> {
  await store.write(async (tx) => {
    const row = await tx
      .selectFrom('account')
      .select(['id', 'email', 'role', 'disabled_at'])
      .where('email', '=', address.trim().toLowerCase())
      .executeTakeFirst()
    if (row === undefined) throw new BevisError('NOT_FOUND', `there is no account ${address}`)
    if (row.disabled_at !== null) return
    if (row.role === 'provider-admin') await assertAnother(tx, row)
    await tx.deleteFrom('session').where('account_id', '=', row.id).execute()
    await tx
      .updateTable('account')
      .set({ disabled_at: toInstant(now) })
      .where('id', '=', row.id)
      .execute()
  })
}

async function assertAnother(tx: Transaction<Schema>, { id, email: address }: { id: string; email: string }) {
  const other = await tx
    .selectFrom('account')
    .select('id')
    .where('role', '=', 'provider-admin')
    .where('disabled_at', 'is', null)
    .where('id', '!=', id)
    .executeTakeFirst()
  if (other !== undefined) return
  throw new BevisError(
    'USAGE',
    `${address} is the last provider-admin: add another first (user add EMAIL --role provider-admin)`,
  )
}
