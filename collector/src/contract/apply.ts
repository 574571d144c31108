import { parseContract } from '@bevis/shared/contract/parse'
import type { Problem } from '@bevis/shared/contract/problem'
import type { Contract } from '@bevis/shared/contract/schema'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { Transaction } from 'kysely'
import type { Schema } from '../store/schema.ts'
import type { Store } from '../store/store.ts'
import { objectionsTo } from './amend.ts'
import { tenantOfCustomer } from './tenant.ts'
import { assertWhole } from './text.ts'

export interface Applied {
  readonly contract: Contract
  readonly tenant: string
  readonly revision: number
  /** False: this very text was the newest already. */
  readonly isNew: boolean
  readonly sha256: string
  readonly warnings: readonly Problem[]
}

/**
 * Takes a contract's text as its next revision; texts are never overwritten.
 * @throws BevisError CONTRACT_INVALID with every problem and its line, or with what would be lost
 */
export async function applyContract(
  store: Store,
  text: { yaml: string; file: string; by: string },
  now: Date,
): Promise<Applied> {
  const { contract, errors, warnings } = parseContract(text.yaml)
  if (contract === undefined) throw new BevisError('CONTRACT_INVALID', describeProblems(text.file, errors))
  const sha256 = sha256Hex(text.yaml)
  const tenant = tenantOfCustomer(contract.customer)
  return store.write(async (tx) => {
    const before = await newestText(tx, contract.id)
    if (before?.sha256 === sha256) {
      return { contract, tenant, revision: before.revision, isNew: false, sha256, warnings }
    }
    if (before !== undefined) assertMayReplace(before, contract, tenant, now)
    const customer_name = contract.customer.name
    const revision = (before?.revision ?? 0) + 1
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
    return { contract, tenant, revision, isNew: true, sha256, warnings }
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

function newestText(tx: Transaction<Schema>, id: string) {
  return tx
    .selectFrom('contract_text')
    .innerJoin('contract', 'contract.id', 'contract_text.contract_id')
    .select(['contract_id', 'revision', 'sha256', 'yaml', 'tenant'])
    .where('contract_id', '=', id)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
}

function assertMayReplace(
  before: { contract_id: string; revision: number; sha256: string; yaml: string; tenant: string },
  contract: Contract,
  tenant: string,
  now: Date,
): void {
  if (before.tenant !== tenant) {
    throw new BevisError(
      'CONTRACT_INVALID',
      `${contract.id} is a contract of ${before.tenant}, and this text names another customer (${tenant})`,
    )
  }
  assertWhole(before)
  const older = parseContract(before.yaml).contract
  if (older === undefined) {
    throw new BevisError(
      'CONTRACT_INVALID',
      `revision ${before.revision} of ${contract.id} can no longer be read`,
    )
  }
  const objections = objectionsTo(older, contract, now)
  if (objections.length > 0) throw new BevisError('CONTRACT_INVALID', objections.join('\n'))
}
