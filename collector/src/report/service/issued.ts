/** Service reports that were issued: the log names them by their digests, and the database has them. */
import { repliesTo } from '@bevis/shared/contract/report-reply'
import type { ReportReply } from '@bevis/shared/contract/report-reply'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { hex64, instant } from '@bevis/shared/format'
import type { Kysely } from 'kysely'
import { z } from 'zod'
import { listEvents } from '../../store/read/events.ts'
import type { LoggedEvent } from '../../store/read/events.ts'
import { findServiceReport } from '../../store/read/reports.ts'
import type { ServiceReportRow } from '../../store/read/reports.ts'
import type { Schema } from '../../store/schema.ts'
import type { Store } from '../../store/store.ts'
import { readCopy } from './copies.ts'
import { serviceReportSchema } from './model.ts'
import type { ServiceReport } from './model.ts'
import type { Issued } from './telling.ts'

export const DOCUMENT = 'service-report'

const detailSchema = z.looseObject({
  document: z.literal(DOCUMENT),
  sha256: hex64,
  month: z.string(),
  unit: z.string().optional(),
  pdf: z.object({ da: hex64, en: hex64 }),
  at: instant,
  knownAt: instant,
})

type Detail = z.output<typeof detailSchema>

const GONE = 'was issued, and is neither in the database nor among the copies'
const CHANGED = 'was changed in the database: its SHA-256 is not what the log says'

/** Which report. */
export interface Which {
  readonly contract: string
  readonly month: string
  readonly unit?: string | undefined
}

interface FoundReport {
  readonly report: ServiceReport
  readonly row: ServiceReportRow
  readonly as: Issued
  readonly replies: readonly ReportReply[]
  /** What is stored is not what the log says was issued. */
  readonly damage: string | null
}

/**
 * @param copies the folder of what was issued, see `copies.ts`
 * @throws BevisError LOG_INCONSISTENT for one that is gone, or is no report any more
 */
export async function findIssued(store: Store, copies: string, which: Which): Promise<FoundReport | null> {
  const events = await listEvents(store.db, which.contract)
  const found = events
    .flatMap((logged) => {
      const detail = readDetail(logged.event)
      return detail?.month === which.month && detail.unit === which.unit ? [{ logged, detail }] : []
    })
    .at(0)
  if (found === undefined) return null
  const { logged, detail } = found
  const row =
    (await findServiceReport(store.db, keyOf(which))) ?? (await bringBack(store, copies, which, found))
  if (row === null)
    throw new BevisError('LOG_INCONSISTENT', `the report of ${which.month} ${GONE} (${copies})`)
  const changed = `the report of ${which.month} ${CHANGED}`
  const damage = isWhole(row, detail) ? null : changed
  const report = readReport(row)
  if (report === null) throw new BevisError('LOG_INCONSISTENT', changed)
  const { event, paeDigest } = logged
  return {
    report,
    row,
    as: { at: event.at, person: event.by.person, statement: paeDigest, sha256: detail.sha256 },
    replies: repliesTo(paeDigest, events),
    damage,
  }
}

function isWhole(row: ServiceReportRow, { sha256, pdf }: Detail): boolean {
  return (
    sha256Hex(row.report) === sha256 && sha256Hex(row.pdf_da) === pdf.da && sha256Hex(row.pdf_en) === pdf.en
  )
}

/** From its copies, into a database that was set back; null where they are not all there. */
async function bringBack(
  store: Store,
  copies: string,
  which: Which,
  { logged, detail }: { logged: LoggedEvent; detail: Detail },
): Promise<ServiceReportRow | null> {
  const { sha256, pdf } = detail
  const [report, pdf_da, pdf_en] = [
    await readCopy(copies, sha256),
    await readCopy(copies, pdf.da),
    await readCopy(copies, pdf.en),
  ]
  if (report === null || pdf_da === null || pdf_en === null) return null
  const text = report.toString('utf8')
  const row = { ...rowKeyOf(which), sha256, report: text, pdf_da, pdf_en, written_at: logged.event.at }
  await store.write((tx) =>
    tx
      .insertInto('service_report')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  )
  return row
}

/** Issued reports that are not what the log says was issued, and where. */
export async function checkIssued(
  db: Kysely<Schema>,
  copies: string,
): Promise<{ place: string; problem: string }[]> {
  const findings: { place: string; problem: string }[] = []
  for (const { id } of await db.selectFrom('contract').select('id').orderBy('id').execute()) {
    for (const { event } of await listEvents(db, id)) {
      const detail = readDetail(event)
      if (detail === null) continue
      const { month, unit, sha256, pdf } = detail
      const row = await findServiceReport(db, keyOf({ contract: id, month, unit }))
      const isKept = async () =>
        (await Promise.all([sha256, pdf.da, pdf.en].map((one) => readCopy(copies, one)))).every(Boolean)
      const problem =
        row === undefined ? ((await isKept()) ? null : GONE) : isWhole(row, detail) ? null : CHANGED
      const place = `contract ${id}, report of ${month}${unit === undefined ? '' : `, ${unit}`}`
      if (problem !== null) findings.push({ place, problem })
    }
  }
  return findings
}

/** Null for what is none: somebody changed it. */
function readReport({ report }: ServiceReportRow): ServiceReport | null {
  try {
    return serviceReportSchema.parse(JSON.parse(report))
  } catch {
    return null
  }
}

/** Null for an event that issues no service report. */
function readDetail({ event, detail }: LoggedEvent['event']): Detail | null {
  const read = event === 'report-issued' ? detailSchema.safeParse(detail) : null
  return read?.success === true ? read.data : null
}

export type ReportStanding = 'issued' | 'signed-off'

/** The months whose reports were issued, as `2026-10` or `2026-10/unit`, and whether the customer has signed off. */
export async function issuedMonths(store: Store, contract: string): Promise<Map<string, ReportStanding>> {
  const events = await listEvents(store.db, contract)
  return new Map(
    events.flatMap(({ event, paeDigest }) => {
      const detail = readDetail(event)
      if (detail === null) return []
      const { month, unit } = detail
      const isSigned = repliesTo(paeDigest, events).some(({ reply }) => reply === 'signed-off')
      return [[unit === undefined ? month : `${month}/${unit}`, isSigned ? 'signed-off' : 'issued']]
    }),
  )
}

export function keyOf({ contract, month, unit = '' }: Which) {
  return { contract, month, unit }
}

export function rowKeyOf({ contract, month, unit = '' }: Which) {
  return { contract_id: contract, month, unit }
}
