import { parseContract } from '@bevis/shared/contract/parse'
import type { Problem } from '@bevis/shared/contract/problem'
import type { Contract } from '@bevis/shared/contract/schema'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { Kysely } from 'kysely'
import { assertWhole } from '../store/read/whole-text.ts'
import type { Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { earlyAcceptances, objectionsTo } from './amend.ts'
import { tenantOfCustomer } from './tenant.ts'

export interface Applied {
  readonly contract: Contract
  readonly tenant: string
  readonly revision: number
  /** False: this very text was the newest already. */
  readonly isNew: boolean
  readonly sha256: string
  readonly warnings: readonly Problem[]
}

interface Text {
  readonly yaml: string
  readonly file: string
}

/** What a text would become, and why it must not: `objections` is empty when it may be applied. */
export interface Examined extends Applied {
  readonly objections: readonly string[]
}

/**
 * Everything that `applyContract` does but for taking the text.
 * @throws BevisError CONTRACT_INVALID for a text that is no contract, LOG_INCONSISTENT where the text before it
 * was changed in the database
 */
export async function examineContract(db: Kysely<Schema>, text: Text, now: Date): Promise<Examined> {
  const { contract, errors, warnings } = parseContract(text.yaml)
  if (contract === undefined) throw new BevisError('CONTRACT_INVALID', describeProblems(text.file, errors))
  const sha256 = sha256Hex(text.yaml)
  const tenant = tenantOfCustomer(contract.customer)
  const before = await newestText(db, contract.id)
  const isNew = before?.sha256 !== sha256
  const objections = earlyAcceptances(contract, now)
  if (before !== undefined) {
    assertWhole(before)
    if (isNew) objections.push(...objectionsToReplacing(before, contract, tenant, now))
  }
  const revision = (before?.revision ?? 0) + (isNew ? 1 : 0)
  return { contract, tenant, revision, isNew, sha256, warnings, objections: isNew ? objections : [] }
}

/**
 * Takes a contract's text as its next revision; texts are never overwritten.
 * @throws BevisError CONTRACT_INVALID with every problem and its line, or with what would be lost
 */
export async function applyContract(store: Store, text: Text & { by: string }, now: Date): Promise<Applied> {
  return store.write(async (tx) => {
    const { objections, ...applied } = await examineContract(tx, text, now)
    if (objections.length > 0) throw new BevisError('CONTRACT_INVALID', objections.join('\n'))
    const { contract, tenant, revision, sha256 } = applied
    if (!applied.isNew) return applied
    const customer_name = contract.customer.name
    await tx
      .insertInto('contract')
      .values({ id: contract.id, tenant, customer_name, headline: null, evaluated_at: null })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ customer_name }))
      .execute()
    await tx
      .insertInto('contract_text')
      .values({
        contract_id: contract.id,
        revision,
        sha256,
        yaml: text.yaml,
        applied_at: toInstant(now),
        applied_by: text.by,
      })
      .execute()
    return applied
  })
}

/** `file:line:column: path: message (cure)`, a line for each. */
export function describeProblems(file: string, problems: readonly Problem[]): string {
  return problems
    .map(
      ({ line, column, path, message, cure }) => `${file}:${line}:${column}: ${path}: ${message} (${cure})`,
    )
    .join('\n')
}

function newestText(db: Kysely<Schema>, id: string) {
  return db
    .selectFrom('contract_text')
    .innerJoin('contract', 'contract.id', 'contract_text.contract_id')
    .select(['contract_id', 'revision', 'sha256', 'yaml', 'tenant'])
    .where('contract_id', '=', id)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
}

function objectionsToReplacing(
  before: { yaml: string; tenant: string; revision: number },
  contract: Contract,
  tenant: string,
  now: Date,
): string[] {
  if (before.tenant !== tenant) {
    return [
      `${contract.id} is a contract of ${before.tenant}, and this text names another customer (${tenant})`,
    ]
  }
  const older = parseContract(before.yaml).contract
  if (older === undefined) return [`revision ${before.revision} of ${contract.id} can no longer be read`]
  return objectionsTo(older, contract, now)
}
