import { sha256Hex } from '@bevis/shared/crypto'
import type { Signer } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { openEnvelope, signEnvelope } from '@bevis/shared/evidence/envelope'
import { predicateTypeOf } from '@bevis/shared/evidence/predicates'
import { encodeStatement, STATEMENT_TYPE } from '@bevis/shared/evidence/statement'
import type { StatementOf } from '@bevis/shared/evidence/statement'
import { toInstant } from '@bevis/shared/format'
import { findAgent, listContractsOfAgent } from '../store/read/agents.ts'
import { listContractTexts } from '../store/read/contracts.ts'
import type { Store } from '../store/store.ts'
import type { Verified } from './verify.ts'

const ALL = { all: true } as const

/**
 * The office's statements that end an agent's present epoch, one for each contract it is bound to: what the
 * agent sends after them counts for nothing, by the log's order and not by any clock.
 * @throws BevisError NOT_FOUND, AGENT_REVOKED
 */
export async function revocationsOf(
  store: Store,
  office: Signer,
  order: { agent: string; reason: string; person: string },
  now: Date,
): Promise<Verified[]> {
  const agent = await findAgent(store.db, ALL, order.agent)
  if (agent === undefined) throw new BevisError('NOT_FOUND', `there is no agent ${order.agent}`)
  if (agent.state === 'revoked') throw new BevisError('AGENT_REVOKED', `${order.agent} is revoked already`)
  const contracts = await listContractsOfAgent(store.db, ALL, agent.id)
  const events: Verified[] = []
  for (const contract of contracts) {
    const [text] = await listContractTexts(store.db, ALL, contract)
    const statement: StatementOf<'contract-event'> = {
      _type: STATEMENT_TYPE,
      subject: [{ name: `contracts/${contract}`, digest: { sha256: text?.sha256 ?? sha256Hex(contract) } }],
      predicateType: predicateTypeOf('contract-event'),
      predicate: {
        contract,
        at: toInstant(now),
        by: { party: 'provider', person: order.person },
        event: 'key-revoked',
        detail: { agent: agent.id, epoch: agent.epoch, reason: order.reason },
      },
    }
    const opened = openEnvelope(signEnvelope(encodeStatement(statement), [office]))
    const signatures = [{ keyid: office.keyid, spki: office.spki }]
    events.push({ opened, statement, signatures, eventTenant: agent.tenant })
  }
  return events
}
