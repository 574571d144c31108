import { BevisError } from '@bevis/shared/error'
import { addAccount, disableAccount, listAccounts } from '../account/accounts.ts'
import { generatePassword } from '../account/password.ts'
import type { AccountRole } from '../store/schema.ts'
import { claimNewFile } from '../state.ts'
import { listContracts } from '../store/read/contracts.ts'
import type { Store } from '../store/store.ts'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

export interface UserAddOptions {
  readonly role: AccountRole
  readonly tenant?: string
  readonly language: 'da' | 'en'
  readonly password: string | undefined
  readonly passwordOut?: string
}

export async function userAddCommand(
  { store, now }: Opened,
  email: string,
  options: UserAddOptions,
): Promise<Outcome> {
  const { role, tenant, language, passwordOut } = options
  if (role.startsWith('provider-') !== (tenant === undefined)) {
    throw new BevisError(
      'USAGE',
      `${role}: ${tenant === undefined ? 'name its --customer' : 'has no --customer'}`,
    )
  }
  if (options.password === undefined && passwordOut === undefined) {
    throw new BevisError(
      'USAGE',
      'give a password (--password-file, --prompt, BEVIS_PASSWORD), or --password-out FILE',
    )
  }
  const password = options.password ?? generatePassword()
  if (tenant !== undefined) await assertCustomer(store, tenant)
  const claimed =
    options.password === undefined && passwordOut !== undefined ? claimNewFile(passwordOut) : null
  const asked = { email, password, role, tenant: tenant ?? null, language }
  const account = await addAccount(store, asked, now()).catch((error: unknown) => {
    claimed?.abandon()
    throw error
  })
  claimed?.fill(`${password}\n`)
  const { id, created_at } = account
  return {
    exit: 0,
    json: { id, email: account.email, role, tenant: account.tenant, created_at },
    lines: [`${account.email} may sign in as ${role}.`],
  }
}

/** @throws BevisError NOT_FOUND for a customer whom no contract names */
async function assertCustomer(store: Store, tenant: string): Promise<void> {
  const customers = new Map(
    (await listContracts(store.db, { all: true })).map((row) => [row.tenant, row.customer_name]),
  )
  if (customers.has(tenant)) return
  const known = Array.from(customers, ([id, name]) => `${id} (${name})`).join(', ')
  throw new BevisError(
    'NOT_FOUND',
    `no contract is with a customer ${tenant}${known === '' ? ': apply one first' : `; there are ${known}`}`,
  )
}

export async function userListCommand({ store }: Opened): Promise<Outcome> {
  const accounts = await listAccounts(store)
  const rows = accounts.map(({ email, role, tenant, disabled_at }) => [
    email,
    role,
    tenant ?? 'provider',
    disabled_at === null ? 'active' : `disabled ${disabled_at}`,
  ])
  return { exit: 0, json: accounts, lines: alignColumns([['ACCOUNT', 'ROLE', 'CUSTOMER', 'STATE'], ...rows]) }
}

export async function userDisableCommand({ store, now }: Opened, email: string): Promise<Outcome> {
  await disableAccount(store, email, now())
  return { exit: 0, json: { email, disabled: true }, lines: [`${email} is signed out and may not sign in.`] }
}
