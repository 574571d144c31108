import type { Answer } from '@bevis/shared/contract/answer'
import type { FactIndex } from '@bevis/shared/contract/facts'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { listContracts } from '../../store/read/contracts.ts'
import { listStandingDamage } from '../../store/read/damage.ts'
import { listAlarms } from '../../store/read/happenings.ts'
import type { AlarmRow } from '../../store/read/happenings.ts'
import { isAhead } from '../../store/read/ahead.ts'
import type { Schema } from '../../store/schema.ts'
import type { Scope } from '../../store/store.ts'
import type { StatementLine } from '../../store/read/statements.ts'
import type { Alarm } from '../view/alarm.ts'
import type { EvidenceRow } from '../view/evidence-row.ts'

/** What every loader reads from. The scope is the signed-in account's: a loader has no other way to the rows. */
export interface Source {
  readonly db: Kysely<Schema>
  readonly scope: Scope
  readonly now: Date
  /**
   * Judges a contract that the scope may see.
   * @param when instants; left out: now, and from all that has been received
   */
  readonly judge: (contract: string, when?: { at: string; knownAt: string }) => Promise<Answer>
  /** All that is known under such a contract, folded. */
  readonly index: (contract: string) => Promise<FactIndex>
}

/** An agent that should be heard from and has not been for this long is silent: the operator is told at the same time. */
export const SILENT_AFTER_MS = 26 * 60 * 60 * 1000

export function isSilent(
  agent: { state: string; enrolled_at: string; last_received_at: string | null },
  now: Date,
): boolean {
  if (agent.state !== 'active') return false
  const last = new Date(agent.last_received_at ?? agent.enrolled_at).getTime()
  return now.getTime() - last > SILENT_AFTER_MS
}

/** An agent tells of itself once an hour unless its configuration says otherwise: this is three times that. */
const LATELY_MS = 3 * 60 * 60 * 1000

/** When it was last heard: what "enrolled" alone does not tell. Its enrolment is no sign of a service that runs. */
export function contactOf(
  agent: { state: string; enrolled_at: string; last_received_at: string | null },
  now: Date,
): 'heard' | 'quiet' | 'silent' | 'never' {
  const { enrolled_at, last_received_at } = agent
  if (last_received_at === null || last_received_at <= enrolled_at) return 'never'
  if (isAhead(last_received_at, now)) return 'quiet' // such a date tells nothing
  if (now.getTime() - Date.parse(last_received_at) <= LATELY_MS) return 'heard'
  return isSilent({ ...agent, state: 'active' }, now) ? 'silent' : 'quiet'
}

/** Customers by tenant, for lists that name them. */
export type Customers = ReadonlyMap<string, string>

export async function customersOf({ db, scope }: Source): Promise<Customers> {
  const contracts = await listContracts(db, scope)
  return new Map(contracts.map(({ tenant, customer_name }) => [tenant, customer_name]))
}

/** Alarms of one kind, agent and reason are one to a person, told by the newest. Rows and answer: newest first. */
export function groupAlarms(rows: readonly AlarmRow[]): Alarm[] {
  const alike = Map.groupBy(rows, (row) => JSON.stringify([row.kind, row.tenant, row.agent, reasonOf(row)]))
  return [...alike.values()].flatMap(([row, ...others]) => {
    if (row === undefined) return []
    const { id, kind, agent, at } = row
    // An alarm's ID ends with the digest of the statement that it is about, if it is about one.
    const digest = /\/([0-9a-f]{64})$/.exec(id)?.[1] ?? null
    return { kind, agent, at, digest, reason: reasonOf(row), count: others.length + 1 }
  })
}

/** More are read than shown, since equal ones are shown once. */
const ALARMS_READ = 500

/** What stands: damage first, whatever came after it; then the newest of the others. Damage that is over is left out. */
export async function alarmsOf({ db, scope }: Source, shown: number, agent?: string): Promise<Alarm[]> {
  const damage = (await listStandingDamage(db, scope))
    .map(({ alarm }) => alarm)
    .filter((alarm) => agent === undefined || alarm.agent === agent)
  const rows = await listAlarms(db, scope, { ...(agent !== undefined && { agent }), limit: ALARMS_READ })
  const others = rows.filter(({ kind }) => kind !== 'data-check-failed')
  return groupAlarms([...damage, ...others]).slice(0, shown)
}

const alarmDetailSchema = z.object({ reason: z.string().optional() })

function reasonOf({ detail }: AlarmRow): string | null {
  const parsed = alarmDetailSchema.safeParse(JSON.parse(detail))
  return parsed.success ? (parsed.data.reason ?? null) : null
}

export function rowOf(line: StatementLine, customers: Customers): EvidenceRow {
  return {
    digest: line.pae_digest,
    kind: line.name,
    customer: customers.get(line.tenant) ?? line.tenant,
    agent: line.agent,
    set: line.set_id,
    snapshot: line.snapshot_id,
    outcome: line.outcome,
    statedAt: line.stated_at,
    receivedAt: line.received_at,
    leaf: line.leaf_index,
  }
}
