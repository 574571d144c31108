/** The office's events of a contract: numbered, each naming the one before it, signed. */
import type { Signer } from '@bevis/shared/crypto'
import type { PartyWord } from '@bevis/shared/contract/party-word'
import { EVENT_DETAILS } from '@bevis/shared/contract/event-detail'
import { BevisError } from '@bevis/shared/error'
import { openEnvelope, signEnvelope } from '@bevis/shared/evidence/envelope'
import type { OpenedEnvelope } from '@bevis/shared/evidence/envelope'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import type { ContractEvent } from '@bevis/shared/evidence/predicates'
import { encodeStatement, STATEMENT_TYPE } from '@bevis/shared/evidence/statement'
import type { StatementOf } from '@bevis/shared/evidence/statement'
import { toInstant } from '@bevis/shared/format'
import type { Kysely } from 'kysely'
import { findLastEvent } from '../store/read/events.ts'
import type { Schema } from '../store/schema.ts'

/** What is to be recorded; the instant, the place in the register and the signature are added. */
export type EventOrder = Pick<ContractEvent, 'contract' | 'event' | 'by' | 'detail'> & {
  readonly version?: number | undefined
  /** The party's own signed word, which says the same. */
  readonly signed?: PartyWord | undefined
}

/** An event, signed, as the log takes it. */
export interface SignedEvent {
  readonly opened: OpenedEnvelope
  readonly statement: StatementOf<'contract-event'>
  readonly signatures: readonly { readonly keyid: string; readonly spki: Uint8Array }[]
  readonly eventTenant: string
}

/**
 * Signs events in the transaction that logs them, so that their numbers follow each other.
 * @throws BevisError NOT_FOUND, REQUEST_INVALID for a detail that the event cannot have
 */
export async function signEvents(
  tx: Kysely<Schema>,
  office: Signer,
  orders: readonly EventOrder[],
  now: Date,
): Promise<SignedEvent[]> {
  const last = new Map<string, { no: number; prev: string }>()
  const signed: SignedEvent[] = []
  for (const { contract, event, version, by, detail, signed: word } of orders) {
    const { tenant, sha256 } = await findTerms(tx, contract)
    const before = last.get(contract) ?? (await findLastEvent(tx, contract))
    const register = { no: before.no + 1, prev: before.prev }
    const statement: StatementOf<'contract-event'> = {
      _type: STATEMENT_TYPE,
      subject: [{ name: `contracts/${contract}`, digest: { sha256 } }],
      predicateType: predicateTypeOf('contract-event'),
      predicate: {
        contract,
        ...(version !== undefined && { version }),
        at: toInstant(now),
        by,
        event,
        detail: { ...readDetail(event, detail), ...(word !== undefined && { signed: word.text }) },
        register,
      },
    }
    const opened = openEnvelope(signEnvelope(encodeStatement(statement), [office]))
    last.set(contract, { no: register.no, prev: opened.paeDigest })
    const signatures = [{ keyid: office.keyid, spki: office.spki }]
    signed.push({ opened, statement, signatures, eventTenant: tenant })
  }
  return signed
}

function readDetail(event: ContractEvent['event'], detail: ContractEvent['detail']): ContractEvent['detail'] {
  const parsed = EVENT_DETAILS[event].safeParse(detail)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new BevisError('REQUEST_INVALID', `${event}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
}

/** Whose contract it is, and the digest of its newest text. */
async function findTerms(tx: Kysely<Schema>, contract: string): Promise<{ tenant: string; sha256: string }> {
  const row = await tx
    .selectFrom('contract')
    .innerJoin('contract_text', 'contract_text.contract_id', 'contract.id')
    .select(['tenant', 'sha256'])
    .where('contract.id', '=', contract)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (row === undefined) throw new BevisError('NOT_FOUND', `there is no contract ${contract}`)
  return row
}
