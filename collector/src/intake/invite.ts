import { randomBytes } from 'node:crypto'
import { signerFromSeed } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { formatToken } from '@bevis/shared/evidence/enrolment'
import { slug, toInstant } from '@bevis/shared/format'
import type { Store } from '../store/store.ts'

/** An hour: who installs an agent does it now. */
const INVITATION_MAX_MS = 3_600_000

export interface InvitationOrder {
  /** One customer's contracts. */
  readonly contracts: readonly string[]
  /** The host name that the agent will report. */
  readonly host: string
  /** Its id here; made of the host name if left out. */
  readonly agent?: string | undefined
  readonly validMs: number
}

/** What the token is good for, and the token itself: it is shown once and kept nowhere. */
export interface Invited {
  readonly tenant: string
  readonly agent: string
  readonly host: string
  readonly contracts: readonly string[]
  readonly expiresAt: string
  readonly token: string
}

/**
 * Makes a single-use enrolment token. Its seed is drawn here and not kept: the database holds the public
 * half only, so nothing in it lets anybody enrol.
 * @throws BevisError REQUEST_INVALID, NOT_FOUND
 */
export async function invite(
  store: Store,
  order: InvitationOrder,
  place: { publicUrl: string; vkey: string },
  now: Date,
): Promise<Invited> {
  const { contracts, host, validMs } = order
  if (!(validMs > 0 && validMs <= INVITATION_MAX_MS)) {
    throw new BevisError('REQUEST_INVALID', 'an invitation is good for at most an hour (PT1H)')
  }
  if (host.length === 0 || host.length > 253) throw new BevisError('REQUEST_INVALID', 'a host name is needed')
  const agent = agentIdOf(order)
  const tenant = await tenantOfContracts(store, contracts)
  await assertFree(store, tenant, agent)
  const seed = randomBytes(32)
  const { keyid, spki } = signerFromSeed(seed)
  const expiresAt = toInstant(new Date(now.getTime() + validMs))
  await store.write((tx) =>
    tx
      .insertInto('invitation')
      .values({
        keyid,
        spki,
        tenant,
        agent,
        host,
        contracts: JSON.stringify(contracts),
        created_at: toInstant(now),
        expires_at: expiresAt,
        used_at: null,
      })
      .execute(),
  )
  const token = formatToken({
    collector: place.publicUrl,
    vkey: place.vkey,
    tenant,
    agent,
    host,
    contracts: [...contracts],
    seed: seed.toString('base64url'),
    expiresAt,
  })
  return { tenant, agent, host, contracts, expiresAt, token }
}

function agentIdOf({ agent, host }: InvitationOrder): string {
  const id = slug.safeParse(agent ?? host)
  if (id.success) return id.data
  throw new BevisError(
    'REQUEST_INVALID',
    `${agent ?? host} is no agent id (${id.error.issues[0]?.message}): name one`,
  )
}

async function tenantOfContracts(store: Store, contracts: readonly string[]): Promise<string> {
  const [first] = contracts
  if (first === undefined) throw new BevisError('REQUEST_INVALID', 'name at least one contract')
  const rows = await store.db
    .selectFrom('contract')
    .select(['id', 'tenant'])
    .where('id', 'in', contracts)
    .execute()
  const missing = contracts.find((id) => !rows.some((row) => row.id === id))
  if (missing !== undefined) {
    throw new BevisError(
      'NOT_FOUND',
      `there is no contract ${missing}: apply it first (bevis-collector contract apply)`,
    )
  }
  const tenants = new Set(rows.map((row) => row.tenant))
  const [tenant] = tenants
  if (tenant === undefined || tenants.size > 1) {
    throw new BevisError(
      'REQUEST_INVALID',
      'one agent works for one customer; these contracts are of several',
    )
  }
  return tenant
}

/** Agent ids are unique on one collector: agents ask for their head by it. */
async function assertFree(store: Store, tenant: string, agent: string): Promise<void> {
  const other = await store.db
    .selectFrom('agent')
    .select('tenant')
    .where('id', '=', agent)
    .where('tenant', '!=', tenant)
    .executeTakeFirst()
  if (other !== undefined) {
    throw new BevisError(
      'REQUEST_INVALID',
      `another customer has an agent ${agent}: name this one otherwise (--agent)`,
    )
  }
}
