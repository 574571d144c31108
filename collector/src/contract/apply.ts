import { parseContract } from '@bevis/shared/contract/parse'
import type { Language } from '@bevis/shared/contract/plain'
import type { Problem } from '@bevis/shared/contract/problem'
import type { Contract } from '@bevis/shared/contract/schema'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import type { Kysely, Transaction } from 'kysely'
import { listEvents } from '../store/read/events.ts'
import { assertWhole } from '../store/read/whole-text.ts'
import type { Schema } from '../store/schema.ts'
import { earlyAcceptances, objectionsTo } from './amend.ts'
import { isSameCustomer, tenantOfCustomer } from './tenant.ts'

export interface Applied {
  readonly contract: Contract
  readonly tenant: string
  readonly revision: number
  /** False: this very text was the newest already. */
  readonly isNew: boolean
  readonly sha256: string
  readonly warnings: readonly Problem[]
}

export interface Text {
  /** Of what is wrong with it; English when left out. */
  readonly language?: Language
  readonly yaml: string
  readonly file: string
}

/** What a text would become, and why it must not: `objections` is empty when it may be applied. */
export interface Examined extends Applied {
  readonly objections: readonly string[]
}

/**
 * Everything that `takeText` does but for taking the text.
 * @param text.draft although no version of it is accepted yet
 * @throws BevisError CONTRACT_INVALID for a text that is no contract, LOG_INCONSISTENT where the text before it
 * was changed in the database
 */
export async function examineContract(
  db: Kysely<Schema>,
  text: Text & { draft?: boolean },
  now: Date,
): Promise<Examined> {
  const { contract, errors, warnings } = parseContract(text.yaml, { draft: text.draft ?? false })
  if (contract === undefined) {
    throw new BevisError('CONTRACT_INVALID', describeProblems(text.file, errors, text.language).join('\n'))
  }
  const sha256 = sha256Hex(text.yaml)
  const tenant = tenantOfCustomer(contract.customer)
  const before = await newestText(db, contract.id)
  const isNew = before?.sha256 !== sha256
  const objections = earlyAcceptances(contract, now)
  const { name } = contract.customer
  // One that stands already is no nearer to the others by another text: only by another name.
  if (before?.customer_name !== name) objections.push(...(await sharersOf(db, contract, tenant)))
  if (before !== undefined) {
    assertWhole(before)
    const events = (await listEvents(db, contract.id)).map(({ event }) => event)
    if (isNew) objections.push(...objectionsToReplacing(before, contract, { tenant, events, now }))
  }
  const revision = (before?.revision ?? 0) + (isNew ? 1 : 0)
  return { contract, tenant, revision, isNew, sha256, warnings, objections: isNew ? objections : [] }
}

/**
 * Takes a contract's text as its next revision, in the transaction that also logs it; texts are never overwritten.
 * @throws BevisError CONTRACT_INVALID with every problem and its line, or with what would be lost
 */
export async function takeText(
  tx: Transaction<Schema>,
  text: Text & { by: string; draft?: boolean },
  now: Date,
): Promise<Applied> {
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
}

/** `file:line:column: path: message (cure)` for each, without a path where it is about the file, and below it the line that it is about. */
export function describeProblems(
  file: string,
  problems: readonly Problem[],
  language: Language = 'en',
): string[] {
  return problems.flatMap((problem) => {
    const { line, column, path, quote } = problem
    const { message, cure } = language === 'da' ? problem.da : problem
    const told = [`${file}:${line}:${column}`, ...(path === '' ? [] : [path]), `${message} (${cure})`].join(
      ': ',
    )
    return quote === '' ? [told] : [told, `    ${quote}`]
  })
}

/** The text that is judged by, and whose contract it is. */
export function newestText(db: Kysely<Schema>, id: string) {
  return db
    .selectFrom('contract_text')
    .innerJoin('contract', 'contract.id', 'contract_text.contract_id')
    .select(['contract_id', 'revision', 'sha256', 'yaml', 'tenant', 'customer_name'])
    .where('contract_id', '=', id)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Contracts of other customers that would be under the same tenant, by which alone people and agents are kept apart. */
async function sharersOf(
  db: Kysely<Schema>,
  { id, customer: { name } }: Contract,
  tenant: string,
): Promise<string[]> {
  const others = await db
    .selectFrom('contract')
    .select(['id', 'tenant', 'customer_name'])
    .where('tenant', '=', tenant)
    .where('id', '!=', id)
    .orderBy('id')
    .execute()
  const sharer = others.find((other) => !isSameCustomer({ tenant, customer_name: name }, other))
  if (sharer === undefined) return []
  return [
    `customer: ${name} and ${sharer.customer_name} (contract ${sharer.id}) would both be the customer ${tenant}, and see ` +
      'what is the other’s: give the cvr of this one, or write its name as there if it is the same customer',
  ]
}

function objectionsToReplacing(
  before: { yaml: string; tenant: string; customer_name: string; revision: number },
  contract: Contract,
  { tenant, events, now }: { tenant: string; events: readonly ContractEvent[]; now: Date },
): string[] {
  if (before.tenant !== tenant) {
    if (before.customer_name.trim() === contract.customer.name.trim()) {
      return [
        `customer.cvr: accounts, agents and evidence of ${contract.id} are kept under ${before.tenant}, and would be out of ` +
          `sight under ${tenant}: leave cvr as it was, or begin a contract with another id`,
      ]
    }
    return [
      `${contract.id} is a contract of ${before.tenant}, and this text names another customer (${tenant})`,
    ]
  }
  const older = parseContract(before.yaml, { draft: true }).contract
  if (older === undefined) return [`revision ${before.revision} of ${contract.id} can no longer be read`]
  return objectionsTo(older, contract, events, now)
}
