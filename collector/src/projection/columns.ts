import { evidenceNameOf, isEvidence } from '@bevis/shared/evidence/statement'
import type { Statement } from '@bevis/shared/evidence/statement'
import type { Insertable } from 'kysely'
import type { StatementTable } from '../store/schema.ts'

/** The columns of `statement` that are derived from its payload. */
export type DerivedColumns = Omit<
  Insertable<StatementTable>,
  'id' | 'leaf_index' | 'pae_digest' | 'payload' | 'envelope' | 'received_at' | 'counted' | 'keyid'
>

type Told = Pick<
  DerivedColumns,
  'stated_at' | 'contract_id' | 'set_id' | 'repository_id' | 'lineage' | 'snapshot_id' | 'outcome'
>

const NOTHING: Omit<Told, 'stated_at'> = {
  contract_id: null,
  set_id: null,
  repository_id: null,
  lineage: null,
  snapshot_id: null,
  outcome: null,
}

/** @param eventTenant whose contract a contract event is about; evidence names its tenant itself */
export function columnsOf(statement: Statement, eventTenant: string): DerivedColumns {
  const name = evidenceNameOf(statement)
  const told = toldBy(statement)
  if (isEvidence(statement, 'contract-event')) {
    return { name, tenant: eventTenant, agent: null, epoch: null, seq: null, prev: null, ...told }
  }
  const { tenant, agent, epoch, seq, prev } = statement.predicate.chain
  return { name, tenant, agent, epoch, seq, prev, ...told }
}

function toldBy(statement: Statement): Told {
  const { predicateType: type, predicate } = statement
  switch (type) {
    case 'urn:bevis:evidence:backup-run:v1':
      return {
        ...NOTHING,
        ...placeOf(predicate.repository),
        stated_at: predicate.endedAt,
        set_id: predicate.set,
        snapshot_id: predicate.snapshot?.id ?? null,
        outcome: predicate.outcome,
      }
    case 'urn:bevis:evidence:inventory:v1':
      return {
        ...NOTHING,
        ...placeOf(predicate.repository),
        stated_at: predicate.takenAt,
        outcome: predicate.complete ? 'complete' : 'failed',
      }
    case 'urn:bevis:evidence:restore-test:v1':
      return {
        ...NOTHING,
        ...placeOf(predicate.repository),
        stated_at: predicate.endedAt,
        set_id: predicate.set,
        snapshot_id: predicate.snapshot.id,
        outcome: predicate.result,
      }
    case 'urn:bevis:evidence:retention-run:v1':
      return {
        ...NOTHING,
        ...placeOf(predicate.repository),
        stated_at: predicate.endedAt,
        set_id: predicate.set ?? null,
        outcome: predicate.exitCode === 0 ? 'complete' : 'failed',
      }
    case 'urn:bevis:evidence:data-check:v1':
      return {
        ...NOTHING,
        ...placeOf(predicate.repository),
        stated_at: predicate.endedAt,
        outcome: predicate.result,
      }
    case 'urn:bevis:evidence:deletion-probe:v1':
      return {
        ...NOTHING,
        ...placeOf(predicate.repository),
        stated_at: predicate.at,
        snapshot_id: predicate.attempted,
        outcome: predicate.outcome,
      }
    case 'urn:bevis:evidence:agent-lifecycle:v1':
      return { ...NOTHING, stated_at: predicate.at, outcome: predicate.event }
    case 'urn:bevis:evidence:contract-event:v1':
      return {
        ...NOTHING,
        stated_at: predicate.at,
        contract_id: predicate.contract,
        outcome: predicate.event,
      }
  }
}

function placeOf(repository: { id: string; lineage?: string | undefined }) {
  return { repository_id: repository.id, lineage: repository.lineage ?? null }
}
