import { Damages } from '@bevis/shared/contract/damage'
import { isEvidence, parseStatement } from '@bevis/shared/evidence/statement'
import type { Kysely } from 'kysely'
import type { Schema } from '../schema.ts'
import { tenantOf } from '../store.ts'
import type { Scope } from '../store.ts'
import type { AlarmRow } from './happenings.ts'

/** Damage that no later check has found gone: an alarm, and the repository by all its names. */
export interface StandingDamage {
  readonly alarm: AlarmRow
  readonly repository: readonly string[]
}

/**
 * The newest first. Where nothing failed, the few alarms are all that is read.
 * @param knownAt an instant: what came later is left out; null: all
 */
export async function listStandingDamage(
  db: Kysely<Schema>,
  scope: Scope,
  knownAt: string | null = null,
): Promise<StandingDamage[]> {
  const tenant = tenantOf(scope)
  const alarms = await db
    .selectFrom('alarm')
    .selectAll()
    .where('kind', '=', 'data-check-failed')
    .$if(tenant !== null, (query) => query.where('tenant', '=', tenant))
    .$if(knownAt !== null, (query) => query.where('at', '<=', knownAt ?? ''))
    .orderBy('at', 'desc')
    .orderBy('id')
    .execute()
  if (alarms.length === 0) return []
  const first = Math.min(...alarms.map(({ statement_id }) => statement_id ?? 0))
  const checks = await db
    .selectFrom('statement')
    .select(['tenant', 'pae_digest', 'payload'])
    .where('tenant', 'in', [...new Set(alarms.map((alarm) => alarm.tenant))])
    .where('name', '=', 'data-check')
    .where('counted', '=', 1)
    .where('id', '>=', first)
    .$if(knownAt !== null, (query) => query.where('received_at', '<=', knownAt ?? ''))
    .orderBy('id')
    .execute()
  const byTenant = new Map<string, Damages>()
  for (const { tenant: own, pae_digest, payload } of checks) {
    const statement = parseStatement(payload)
    if (!isEvidence(statement, 'data-check')) continue
    const damages = byTenant.get(own) ?? new Damages()
    byTenant.set(own, damages)
    damages.add(statement.predicate, pae_digest)
  }
  const standing = new Map(
    [...byTenant.values()]
      .flatMap(({ list }) => list)
      .filter(({ over }) => over === null)
      .map(({ digest, repository: { id, lineage = id } }) => [digest, [id, lineage]]),
  )
  return alarms.flatMap((alarm) => {
    const repository = standing.get(alarm.id.slice(alarm.id.indexOf('/') + 1))
    return repository === undefined ? [] : [{ alarm, repository }]
  })
}
