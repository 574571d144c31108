/**
 * Issuing a service report: it is written once, as data and as PDF in both languages, and the log says so by its
 * digests. What is known later never changes it; it stands beside.
 */
import { repliesTo } from '@bevis/shared/contract/report-reply'
import type { ReportReply } from '@bevis/shared/contract/report-reply'
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { hex64, instant, toInstant } from '@bevis/shared/format'
import { z } from 'zod'
import type { Office } from '../../office.ts'
import { listEvents } from '../../store/read/events.ts'
import type { LoggedEvent } from '../../store/read/events.ts'
import { findServiceReport } from '../../store/read/reports.ts'
import type { ServiceReportRow } from '../../store/read/reports.ts'
import type { Store } from '../../store/store.ts'
import type { Voice } from '../../pages/voice.ts'
import type { Archive } from '../facts.ts'
import { knownUntil, readMatter } from '../facts.ts'
import type { Seal } from '../pdf/seal.ts'
import { buildServiceReport } from './build.ts'
import { compareReports } from './compare.ts'
import { encodeServiceReport, serviceReportSchema } from './model.ts'
import type { ServiceReport } from './model.ts'
import type { writeServiceReport } from './paper.ts'
import type { Issued, Telling } from './telling.ts'

const DOCUMENT = 'service-report'

const detailSchema = z.looseObject({
  document: z.literal(DOCUMENT),
  sha256: hex64,
  month: z.string(),
  unit: z.string().optional(),
  pdf: z.object({ da: hex64, en: hex64 }),
  at: instant,
  knownAt: instant,
})

/** Which report. */
export interface Which {
  readonly contract: string
  readonly month: string
  readonly unit?: string | undefined
}

export interface Desk extends Archive {
  readonly voice: (language: 'da' | 'en', timezone: string) => Voice
  readonly seal?: Seal | undefined
  readonly now: () => Date
}

/** A month's report as it stands: issued, with what is known otherwise today beside it; else a draft. */
export async function readServiceReport(
  desk: Desk,
  which: Which,
  language: 'da' | 'en',
): Promise<{ telling: Telling; damage: string | null; units: { id: string; name: string }[] }> {
  const { store, now } = desk
  const matter = await readMatter(desk, which.contract)
  const voice = desk.voice(language, matter.contract.timezone)
  const units = [
    ...new Map(
      matter.contract.versions.flatMap(({ units: own = [] }) => own.map((unit) => [unit.id, unit] as const)),
    ).values(),
  ].map(({ id, name }) => ({ id, name }))
  const issued = await findIssued(store, which)
  if (issued === null) {
    const at = now()
    const report = buildServiceReport({
      matter,
      month: which.month,
      unit: which.unit,
      at,
      knownAt: knownUntil(matter, at),
      voice,
    })
    return { telling: { report, voice, issued: null, corrections: null, replies: [] }, damage: null, units }
  }
  const { report, damage } = issued
  const today = buildServiceReport({
    matter,
    month: which.month,
    unit: which.unit,
    at: new Date(report.at),
    knownAt: knownUntil(matter, now()),
    voice,
  })
  return {
    telling: {
      report,
      voice,
      issued: issued.as,
      corrections: compareReports(report, today),
      replies: issued.replies,
    },
    damage,
    units,
  }
}

/**
 * An issued report as it stands today, as a PDF: what it said, with the corrections and what the parties have said of
 * it. The PDF that was issued never changes.
 * @throws BevisError NOT_FOUND for a report that was not issued
 */
export async function serviceRecordPdf(desk: Desk, which: Which, language: 'da' | 'en'): Promise<Uint8Array> {
  const { telling, damage } = await readServiceReport(desk, which, language)
  if (telling.issued === null)
    throw new BevisError('NOT_FOUND', `the report of ${which.month} has not been issued`)
  if (damage !== null) throw new BevisError('LOG_INCONSISTENT', damage)
  return writePaper(telling, desk.seal, desk.now())
}

/** The PDF: the very bytes that were issued, or a draft's. */
export async function serviceReportPdf(desk: Desk, which: Which, language: 'da' | 'en'): Promise<Uint8Array> {
  await readMatter(desk, which.contract)
  const issued = await findIssued(desk.store, which)
  if (issued !== null) {
    if (issued.damage !== null) throw new BevisError('LOG_INCONSISTENT', issued.damage)
    return language === 'da' ? issued.row.pdf_da : issued.row.pdf_en
  }
  const { telling } = await readServiceReport(desk, which, language)
  return writePaper(telling)
}

/**
 * Issues a month's report. Asked again after it was cut off, it issues what was written then.
 * @throws BevisError REQUEST_INVALID for a month that is not over, or a report that was issued already
 */
export async function issueServiceReport(
  desk: Desk & { office: Pick<Office, 'record'> },
  which: Which,
  person: string,
): Promise<{ report: ServiceReport; sha256: string; statement: string }> {
  const { store, office } = desk
  if ((await findIssued(store, which)) !== null) {
    throw new BevisError(
      'REQUEST_INVALID',
      `the report of ${which.month} has been issued already: what is known since stands beside it`,
    )
  }
  const row = (await findServiceReport(store.db, keyOf(which))) ?? (await writeDown(desk, which, person))
  const report = serviceReportSchema.parse(JSON.parse(row.report))
  const { paeDigest } = await office.record({
    contract: which.contract,
    event: 'report-issued',
    by: { party: 'provider', person },
    detail: {
      document: DOCUMENT,
      sha256: row.sha256,
      month: row.month,
      ...(row.unit !== '' && { unit: row.unit }),
      pdf: { da: sha256Hex(row.pdf_da), en: sha256Hex(row.pdf_en) },
      at: report.at,
      knownAt: report.knownAt,
    },
  })
  return { report, sha256: row.sha256, statement: paeDigest }
}

/** The library for PDFs is loaded when one is written. */
async function writePaper(...paper: Parameters<typeof writeServiceReport>): Promise<Buffer> {
  const { writeServiceReport: write } = await import('./paper.ts')
  return write(...paper)
}

async function writeDown(desk: Desk, which: Which, person: string): Promise<ServiceReportRow> {
  const { store, now, seal } = desk
  const at = now()
  const matter = await readMatter(desk, which.contract)
  const voiceIn = (language: 'da' | 'en') => desk.voice(language, matter.contract.timezone)
  const report = buildServiceReport({
    matter,
    month: which.month,
    unit: which.unit,
    at,
    knownAt: knownUntil(matter, at),
    voice: voiceIn('en'),
  })
  if (!report.isOver) {
    throw new BevisError('REQUEST_INVALID', `${which.month} is not over: its report can be issued when it is`)
  }
  const text = encodeServiceReport(report)
  const sha256 = sha256Hex(text)
  const issued: Issued = { at: toInstant(at), person, statement: null, sha256 }
  const pdf = (language: 'da' | 'en') =>
    writePaper({ report, voice: voiceIn(language), issued, corrections: null, replies: [] }, seal)
  const row: ServiceReportRow = {
    ...rowKeyOf(which),
    sha256,
    report: text,
    pdf_da: await pdf('da'),
    pdf_en: await pdf('en'),
    written_at: toInstant(at),
  }
  await store.write((tx) =>
    tx
      .insertInto('service_report')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
  )
  // Who asked at the same time may have been first: what is issued is what was written.
  return (await findServiceReport(store.db, keyOf(which))) ?? row
}

interface FoundReport {
  readonly report: ServiceReport
  readonly row: ServiceReportRow
  readonly as: Issued
  readonly replies: readonly ReportReply[]
  /** What is stored is not what the log says was issued. */
  readonly damage: string | null
}

async function findIssued(store: Store, which: Which): Promise<FoundReport | null> {
  const events = await listEvents(store.db, which.contract)
  const found = events.flatMap((logged) => detailOf(logged, which)).at(0)
  if (found === undefined) return null
  const { logged, detail } = found
  const row = await findServiceReport(store.db, keyOf(which))
  if (row === undefined) {
    throw new BevisError(
      'LOG_INCONSISTENT',
      `the report of ${which.month} was issued, and is not in the database`,
    )
  }
  const changed = `the report of ${which.month} was changed in the database: its SHA-256 is not what the log says`
  const damage =
    sha256Hex(row.report) === detail.sha256 &&
    sha256Hex(row.pdf_da) === detail.pdf.da &&
    sha256Hex(row.pdf_en) === detail.pdf.en
      ? null
      : changed
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

/** Null for what is none: somebody changed it. */
function readReport({ report }: ServiceReportRow): ServiceReport | null {
  try {
    return serviceReportSchema.parse(JSON.parse(report))
  } catch {
    return null
  }
}

function detailOf(logged: LoggedEvent, { month, unit }: Which) {
  const { event } = logged
  if (event.event !== 'report-issued') return []
  const detail = detailSchema.safeParse(event.detail)
  if (!detail.success || detail.data.month !== month || detail.data.unit !== unit) return []
  return [{ logged, detail: detail.data }]
}

export type ReportStanding = 'issued' | 'signed-off'

/** The months whose reports were issued, as `2026-10` or `2026-10/unit`, and whether the customer has signed off. */
export async function issuedMonths(store: Store, contract: string): Promise<Map<string, ReportStanding>> {
  const events = await listEvents(store.db, contract)
  return new Map(
    events.flatMap(({ event, paeDigest }) => {
      const detail = event.event === 'report-issued' ? detailSchema.safeParse(event.detail) : null
      if (detail?.success !== true) return []
      const { month, unit } = detail.data
      const isSigned = repliesTo(paeDigest, events).some(({ reply }) => reply === 'signed-off')
      return [[unit === undefined ? month : `${month}/${unit}`, isSigned ? 'signed-off' : 'issued']]
    }),
  )
}

function keyOf({ contract, month, unit = '' }: Which) {
  return { contract, month, unit }
}

function rowKeyOf({ contract, month, unit = '' }: Which) {
  return { contract_id: contract, month, unit }
}
