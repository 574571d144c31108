import { BevisError } from '@bevis/shared/error'
import { addAccount, disableAccount, listAccounts } from '../account/accounts.ts'
import { generatePassword } from '../account/password.ts'
import type { AccountRole } from '../store/schema.ts'
import { writeNewFile } from '../state.ts'
import type { Opened } from './open.ts'
import { alignColumns } from './outcome.ts'
import type { Outcome } from './outcome.ts'

export const ROLES: readonly AccountRole[] = [
  'provider-admin',
  'provider-operator',
  'customer-admin',
  'customer-reader',
  'auditor',
]

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
  const account = await addAccount(store, { email, password, role, tenant: tenant ?? null, language }, now())
  if (options.password === undefined && passwordOut !== undefined) writeNewFile(passwordOut, `${password}\n`)
  const { id, created_at } = account
  return {
    exit: 0,
    json: { id, email: account.email, role, tenant: account.tenant, created_at },
    lines: [`${account.email} may sign in as ${role}.`],
  }
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
