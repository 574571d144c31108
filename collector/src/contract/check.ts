/** Contracts and their texts, checked for what must hold of every one. */
import { parseContract } from '@bevis/shared/contract/parse'
import { problemsOfRegister } from '@bevis/shared/contract/register'
import type { Kysely } from 'kysely'
import { listEvents } from '../store/read/events.ts'
import { damageOf } from '../store/read/whole-text.ts'
import type { StoredText } from '../store/read/whole-text.ts'
import type { Schema } from '../store/schema.ts'
import { isSameCustomer, tenantOfCustomer } from './tenant.ts'

/** Everything that is wrong with the contracts and their texts, and where. */
export async function checkContracts(db: Kysely<Schema>): Promise<{ place: string; problem: string }[]> {
  const findings: { place: string; problem: string }[] = []
  const contracts = await db
    .selectFrom('contract')
    .select(['id', 'tenant', 'customer_name'])
    .orderBy('id')
    .execute()
  const byTenant = Map.groupBy(contracts, ({ tenant }) => tenant)
  for (const contract of contracts) {
    const { id, tenant } = contract
    const [first = contract] = byTenant.get(tenant) ?? []
    if (!isSameCustomer(contract, first)) {
      const problem = `its customer ${contract.customer_name} and ${first.customer_name} of ${first.id} see each other’s evidence: both are ${tenant} here`
      findings.push({ place: `contract ${id}`, problem })
    }
    const texts = await db
      .selectFrom('contract_text')
      .select(['contract_id', 'revision', 'sha256', 'yaml'])
      .where('contract_id', '=', id)
      .orderBy('revision')
      .execute()
    if (texts.length === 0) findings.push({ place: `contract ${id}`, problem: 'has no text' })
    for (const [n, text] of texts.entries()) {
      const place = `contract ${id}, revision ${text.revision}`
      if (text.revision !== n + 1) findings.push({ place, problem: `revision ${n + 1} was due` })
      const problem =
        damageOf(text) === null ? mismatchOf(text, tenant) : 'its text is not that of its SHA-256'
      if (problem !== null) findings.push({ place, problem })
    }
    const events = (await listEvents(db, id)).map(({ paeDigest, event }) => ({ digest: paeDigest, event }))
    for (const problem of problemsOfRegister(texts, events)) {
      findings.push({ place: `contract ${id}`, problem })
    }
  }
  return findings
}

function mismatchOf({ contract_id, yaml }: StoredText, tenant: string): string | null {
  const { contract } = parseContract(yaml, { draft: true })
  if (contract === undefined) return 'can no longer be read'
  if (contract.id !== contract_id) return `is the text of ${contract.id}`
  if (tenantOfCustomer(contract.customer) !== tenant) return `names another customer than ${tenant}`
  return null
}
