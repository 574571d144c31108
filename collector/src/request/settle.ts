/** An agent's answers to requests, as they come into the log. */
import { resultOf } from '@bevis/shared/contract/pass'
import { isEvidence } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import { requestId } from '@bevis/shared/work'
import type { Transaction } from 'kysely'
import type { Schema } from '../store/schema.ts'

/** Why an agent says that it will not do what it was asked: in its alarm, beside `detail.request`. */
const REFUSED = 'WORK_REFUSED'

interface Answered {
  readonly request: string
  readonly set: string | null
  readonly outcome: string
  readonly detail: string | null
}

/** In the transaction that logs them. A retest follows its test: the last word counts, and all are in the log. */
export async function settleRequests(
  tx: Transaction<Schema>,
  fresh: readonly { readonly id: number; readonly statement: Statement; readonly receivedAt: string }[],
): Promise<void> {
  for (const { id, statement, receivedAt } of fresh) {
    const answer = answerIn(statement)
    if (answer === null || isEvidence(statement, 'contract-event')) continue
    const { tenant, agent } = statement.predicate.chain
    const { request, set, outcome, detail } = answer
    await tx
      .updateTable('test_request')
      .set({ statement_id: id, outcome, detail: detail?.slice(0, 2_000) ?? null, answered_at: receivedAt })
      .where('id', '=', request)
      .where('tenant', '=', tenant)
      .where('agent', '=', agent)
      .$if(set !== null, (query) => query.where('set_id', '=', set ?? ''))
      .execute()
  }
}

function answerIn(statement: Statement): Answered | null {
  if (isEvidence(statement, 'restore-test')) {
    const { request, set, error } = statement.predicate
    const detail = error === undefined ? null : `${error.code}: ${error.message}`
    return request === undefined ? null : { request, set, outcome: resultOf(statement.predicate), detail }
  }
  if (!isEvidence(statement, 'agent-lifecycle')) return null
  const { event, reason, detail } = statement.predicate
  if (event !== 'alarm' || reason !== REFUSED || typeof detail !== 'object') return null
  const request = requestId.safeParse(detail['request'])
  if (!request.success) return null
  const why = detail['message']
  return {
    request: request.data,
    set: null,
    outcome: 'refused',
    detail: typeof why === 'string' ? why : null,
  }
}
