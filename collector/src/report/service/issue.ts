/**
 * Issuing a service report: it is written once, as data and as PDF in both languages, and the log says so by its
 * digests. What is known later never changes it; it stands beside.
 */
import { sha256Hex } from '@bevis/shared/crypto'
import { BevisError } from '@bevis/shared/error'
import { toInstant } from '@bevis/shared/format'
import type { Office } from '../../office.ts'
import { findServiceReport } from '../../store/read/reports.ts'
import type { ServiceReportRow } from '../../store/read/reports.ts'
import type { Voice } from '../../pages/voice.ts'
import type { Archive } from '../facts.ts'
import { knownUntil, readMatter } from '../facts.ts'
import type { Seal } from '../pdf/seal.ts'
import { buildServiceReport } from './build.ts'
import { compareReports } from './compare.ts'
import { keepCopies } from './copies.ts'
import { DOCUMENT, findIssued, keyOf, rowKeyOf } from './issued.ts'
import type { Which } from './issued.ts'
import { encodeServiceReport, serviceReportSchema } from './model.ts'
import type { ServiceReport } from './model.ts'
import type { writeServiceReport } from './paper.ts'
import type { Issued, Telling } from './telling.ts'

export interface Desk extends Archive {
  readonly voice: (language: 'da' | 'en', timezone: string) => Voice
  readonly seal?: Seal | undefined
  /** The folder in which what is issued is kept once more, see `copies.ts`. */
  readonly copies: string
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
  const issued = await findIssued(store, desk.copies, which)
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
  const issued = await findIssued(desk.store, desk.copies, which)
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
  if ((await findIssued(store, desk.copies, which)) !== null) {
    throw new BevisError(
      'REQUEST_INVALID',
      `the report of ${which.month} has been issued already: what is known since stands beside it`,
    )
  }
  const row = (await findServiceReport(store.db, keyOf(which))) ?? (await writeDown(desk, which, person))
  const report = serviceReportSchema.parse(JSON.parse(row.report))
  await keepCopies(desk.copies, [Buffer.from(row.report), row.pdf_da, row.pdf_en])
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
