import { monthNameOf } from '@bevis/shared/contract/month'
import { BevisError } from '@bevis/shared/error'
import { formatsOf } from '../pages/language/format.ts'
import type { Language } from '../pages/language/locale.ts'
import { voiceOf } from '../pages/voice.ts'
import { readMatter } from '../report/facts.ts'
import { copiesFolder } from '../report/service/copies.ts'
import { issueServiceReport, readServiceReport, serviceReportPdf } from '../report/service/issue.ts'
import { tellPack } from '../report/pack.ts'
import { writeEvidenceReport } from '../report/evidence/report.ts'
import { claimNewFile } from '../state.ts'
import { aYearBefore, readAt, readInstant } from './instant.ts'
import { openLogOf, openOfficeOf } from './open.ts'
import type { Opened } from './open.ts'
import type { Outcome } from './outcome.ts'
import { paperOptions } from './paper.ts'

export interface EvidenceReportWish {
  readonly from?: string
  readonly to?: string
  readonly at?: string
  readonly knownAt?: string
  readonly out: string
  readonly language: Language
}

/** Writes the evidence report of a contract without the pack around it. */
export async function evidenceReportCommand(
  opened: Opened,
  contract: string,
  wish: EvidenceReportWish,
): Promise<Outcome> {
  const { config, store, now } = opened
  const to = readInstant(wish.to) ?? now()
  const told = await tellPack({
    store,
    log: await openLogOf(opened),
    scope: { all: true },
    contractId: contract,
    from: readInstant(wish.from) ?? aYearBefore(to),
    to,
    at: readAt(wish.at, now()),
    knownAt: readInstant(wish.knownAt),
    now: now(),
  })
  const options = await paperOptions(config, wish.language)
  const sizeBytes = await fillNewFile(wish.out, () => writeEvidenceReport(told, options))
  const { headline } = told.answer
  return {
    exit: 0,
    json: { file: wish.out, sizeBytes, contract, headline, sealed: options.seal !== undefined },
    lines: [
      `${wish.out}: the evidence report of ${contract}, verdict ${headline}${options.seal === undefined ? '' : ', sealed'}.`,
      'It proves nothing by itself: `bevis-collector pack` writes it together with the evidence.',
    ],
  }
}

export interface ServiceReportWish {
  readonly month?: string
  readonly unit?: string
  readonly out?: string
  readonly language: Language
  /** Log that it went out, and keep it as it is. */
  readonly issue?: boolean
  readonly person?: string
}

/** Writes a month's service report; with `issue`, for good. */
export async function serviceReportCommand(
  opened: Opened,
  contract: string,
  wish: ServiceReportWish,
): Promise<Outcome> {
  const { config, store, now } = opened
  const { language, unit, out } = wish
  const { seal } = await paperOptions(config, language)
  const desk = {
    store,
    scope: { all: true },
    voice: voiceOf,
    seal,
    now,
    copies: copiesFolder(config.checkpointFile),
  } as const
  const { timezone } = (await readMatter(desk, contract)).contract
  const month = wish.month ?? monthBefore(now(), timezone)
  const which = { contract, month, ...(unit !== undefined && { unit }) }
  if (wish.issue === true) {
    if (wish.person === undefined)
      throw new BevisError('USAGE', '--issue needs --person: who issues it, for the log')
    const office = await openOfficeOf(opened)
    await issueServiceReport({ ...desk, office }, which, wish.person)
  }
  const { telling, damage } = await readServiceReport(desk, which, language)
  const { report, issued, corrections } = telling
  const sizeBytes =
    out === undefined ? 0 : await fillNewFile(out, () => serviceReportPdf(desk, which, language))
  const formats = formatsOf('en', timezone)
  const standing = issued === null ? 'a draft' : `issued ${formats.instant(issued.at)} by ${issued.person}`
  const changed =
    corrections === null
      ? 0
      : corrections.levels.length + corrections.deviations.length + (corrections.credits === null ? 0 : 1)
  return {
    exit: damage === null ? 0 : 1,
    json: { file: out ?? null, sizeBytes, issued, damage, corrections, report },
    lines: [
      ...(damage === null ? [] : [`NOT WHAT WAS ISSUED: ${damage}`]),
      `${contract}, ${month}${unit === undefined ? '' : `, ${unit}`}: ${report.headline}, ${report.deviations.length} deviations, credits ${formats.rate(report.credits.pct)} of the monthly fee; ${standing}.`,
      ...(issued === null ? [] : [`  statement ${issued.statement ?? ''}`, `  SHA-256   ${issued.sha256}`]),
      ...(changed === 0 ? [] : [`Evidence that came since says otherwise of ${changed} of its lines.`]),
      ...(out === undefined ? [] : [`${out} has it as PDF.`]),
    ],
  }
}

function monthBefore(now: Date, timezone: string): string {
  const month = Temporal.PlainYearMonth.from(monthNameOf(now.getTime(), timezone))
  return month.subtract({ months: 1 }).toString()
}

/** A file that could not be made keeps the work from being done in vain; one that is not filled goes again. */
async function fillNewFile(file: string, make: () => Promise<Uint8Array>): Promise<number> {
  const claimed = claimNewFile(file)
  try {
    const content = await make()
    claimed.fill(content)
    return content.length
  } catch (error) {
    claimed.abandon()
    throw error
  }
}
