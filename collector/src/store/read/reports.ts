import type { Kysely, Selectable } from 'kysely'
import type { Schema, ServiceReportTable } from '../schema.ts'

export type ServiceReportRow = Selectable<ServiceReportTable>

/** A month's report as it was written. The caller has checked that the reader may see the contract. */
export function findServiceReport(
  db: Kysely<Schema>,
  { contract, month, unit }: { contract: string; month: string; unit: string },
): Promise<ServiceReportRow | undefined> {
  return db
    .selectFrom('service_report')
    .selectAll()
    .where('contract_id', '=', contract)
    .where('month', '=', month)
    .where('unit', '=', unit)
    .executeTakeFirst()
}
