/** A contract's service reports, month by month, and the ledger of what was done. */
import type { Ledger } from '@bevis/shared/contract/ledger'
import { monthNameOf } from '@bevis/shared/contract/month'
import { openReplies, REPORT_REPLIES } from '@bevis/shared/contract/report-reply'
import { BevisError } from '@bevis/shared/error'
import { slug } from '@bevis/shared/format'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Office } from '../office.ts'
import type { Paper } from '../report/block.ts'
import type { readServiceReport } from '../report/service/issue.ts'
import type { ReportStanding, Which } from '../report/service/issued.ts'
import type { Scope } from '../store/store.ts'
import { beginsAfter, contractOf } from './load/contract.ts'
import type { Language } from './language/locale.ts'
import { partyOf } from './reader.ts'
import type { Account } from './reader.ts'
import { localeOfRequest } from './render.ts'
import type { Render } from './render.ts'
import { checkToken } from './session.ts'
import { reportHref } from './view/address.ts'
import { reportListView, reportView } from './view/report.ts'
import { paramOf, parsed } from './visit.ts'
import type { Visits } from './visit.ts'

type Read = Awaited<ReturnType<typeof readServiceReport>>

export interface ReportParts extends Visits {
  render: Render
  office: Pick<Office, 'record'>
  /** Written in the rooms that pages stand beside. */
  reports: {
    read: (
      scope: Scope,
      which: Which,
      language: Language,
    ) => Promise<Read & { paper: Paper; claim: string | null }>
    pdf: (scope: Scope, which: Which, language: Language) => Promise<Uint8Array>
    /** An issued report with what is known and said of it since. */
    record: (scope: Scope, which: Which, language: Language) => Promise<Uint8Array>
    issue: (scope: Scope, which: Which, person: string) => Promise<void>
    /** `2026-10`, or `2026-10/unit`. The caller has checked that the reader may see the contract. */
    issued: (contract: string) => Promise<ReadonlyMap<string, ReportStanding>>
    ledger: (scope: Scope, contract: string, months: { from: string; to: string }) => Promise<Ledger>
    ledgerCsv: (ledger: Ledger) => string
  }
}

const MONTHS_SHOWN = 13

const monthName = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/)
const reportQuery = z.object({ unit: slug.optional() })
const issueForm = z.object({
  person: z.string().trim().min(1).max(256),
  unit: z
    .string()
    .max(128)
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
})

const replyForm = z.object({
  reply: z.enum(REPORT_REPLIES),
  note: z
    .string()
    .max(4_000)
    .default('')
    .transform((text) => text.replace(/\s+/g, ' ').trim()),
  unit: issueForm.shape.unit,
})

/** To issue a report is the provider's word. */
function mayIssue({ role }: Pick<Account, 'role'>): boolean {
  return role === 'provider-admin'
}

export function registerReportRoutes(scope: FastifyInstance, parts: ReportParts): void {
  const { render, reports, office, visit, page } = parts

  page('/contracts/:id/reports', async (request, reply, { account, source }) => {
    const id = paramOf(request, 'id')
    const { customer, text, problem } = await contractOf(source, id)
    const zone = text?.timezone
    const to = monthNameOf(source.now.getTime(), zone ?? 'Europe/Copenhagen')
    const first = Temporal.PlainYearMonth.from(to)
      .subtract({ months: MONTHS_SHOWN - 1 })
      .toString()
    const start = text?.versions.map(({ effectiveFrom }) => effectiveFrom.slice(0, 7)).toSorted()[0] ?? first
    const from = start > first && start <= to ? start : first
    const model = {
      id,
      customer,
      problem,
      begins: text === null || start <= to ? null : beginsAfter(text, `${to}-31`),
      ledger: text === null || start > to ? null : await reports.ledger(source.scope, id, { from, to }),
      issued: await reports.issued(id),
      units: [
        ...new Map(
          text?.versions.flatMap(({ units = [] }) => units.map((unit) => [unit.id, unit])) ?? [],
        ).values(),
      ],
      thisMonth: to,
    }
    return render(
      request,
      reply,
      {
        title: ({ t }) => t('serviceReport.pageTitle'),
        section: 'overview',
        account,
        ...(zone !== undefined && { zone }),
      },
      (locale) => reportListView(model, locale),
    )
  })

  page('/contracts/:id/reports/:month', async (request, reply, { account, source }) => {
    const which = whichOf(paramOf(request, 'id'), paramOf(request, 'month'), request.query)
    const { telling, damage, paper, units, claim } = await reports.read(
      source.scope,
      which,
      localeOfRequest(request).language,
    )
    const { report, issued, replies } = telling
    const csrf = reply.generateCsrf()
    const party = partyOf(account)
    const model = {
      which,
      paper,
      damage,
      units,
      issued,
      isOver: report.isOver,
      csrf,
      mayIssue: mayIssue(account),
      party,
      claim,
      maySay:
        party === null || issued === null || damage !== null
          ? []
          : openReplies(party, replies).filter((one) => one !== 'credits-claimed' || claim !== null),
    }
    return render(
      request,
      reply,
      {
        title: `${report.customer.name} ${report.month}`,
        section: 'overview',
        account,
        zone: report.timezone,
      },
      (locale) => reportView(model, locale),
    )
  })

  for (const [kind, suffix] of [
    ['pdf', 'report'],
    ['record', 'record'],
  ] as const) {
    page(`/contracts/:id/reports/:month/${suffix}.pdf`, async (request, reply, { source }) => {
      const which = whichOf(paramOf(request, 'id'), paramOf(request, 'month'), request.query)
      const pdf = await reports[kind](source.scope, which, localeOfRequest(request).language)
      const name = [which.contract, which.month, which.unit, kind === 'record' ? suffix : undefined]
        .filter((part) => part !== undefined)
        .join('_')
      return reply
        .type('application/pdf')
        .header('cache-control', 'private, no-store')
        .header('content-disposition', `attachment; filename="${name}.pdf"`)
        .send(Buffer.from(pdf))
    })
  }

  page('/contracts/:id/ledger.csv', async (request, reply, { source }) => {
    const id = paramOf(request, 'id')
    const { text } = await contractOf(source, id)
    const to = monthNameOf(source.now.getTime(), text?.timezone ?? 'Europe/Copenhagen')
    const from = text?.versions.map(({ effectiveFrom }) => effectiveFrom.slice(0, 7)).toSorted()[0] ?? to
    const ledger = await reports.ledger(source.scope, id, { from: from > to ? to : from, to })
    return reply
      .type('text/csv; charset=utf-8')
      .header('cache-control', 'private, no-store')
      .header('content-disposition', `attachment; filename="${id}_ledger.csv"`)
      .send(reports.ledgerCsv(ledger))
  })

  scope.post('/contracts/:id/reports/:month/issue', { preHandler: checkToken }, async (request, reply) => {
    const visitor = await visit(request, reply)
    if (visitor === null) return reply
    const { account, source } = visitor
    if (!mayIssue(account)) throw new BevisError('FORBIDDEN', `${account.email} may not issue reports`)
    const { person, unit } = parsed(issueForm, request.body)
    const which = whichOf(
      paramOf(request, 'id'),
      paramOf(request, 'month'),
      unit === undefined ? {} : { unit },
    )
    await contractOf(source, which.contract) // that the account may see it
    try {
      await reports.issue(source.scope, which, person)
    } catch (error) {
      // Who clicks twice, or second, sees what was issued.
      const name = unit === undefined ? which.month : `${which.month}/${unit}`
      if (!(await reports.issued(which.contract)).has(name)) throw error
    }
    return reply.redirect(reportHref(which.contract, which.month, which.unit), 303)
  })

  scope.post('/contracts/:id/reports/:month/reply', { preHandler: checkToken }, async (request, reply) => {
    const visitor = await visit(request, reply)
    if (visitor === null) return reply
    const { account, source } = visitor
    const party = partyOf(account)
    if (party === null) throw new BevisError('FORBIDDEN', `${account.email} binds neither party`)
    const { reply: said, note, unit } = parsed(replyForm, request.body)
    const which = whichOf(
      paramOf(request, 'id'),
      paramOf(request, 'month'),
      unit === undefined ? {} : { unit },
    )
    const { telling, claim, damage } = await reports.read(source.scope, which, 'en')
    const { issued, replies } = telling
    if (damage !== null) throw new BevisError('LOG_INCONSISTENT', damage)
    if (issued === null || issued.statement === null)
      throw new BevisError('REQUEST_INVALID', `the report of ${which.month} has not been issued yet`)
    if (said === 'credits-claimed' && claim === null)
      throw new BevisError('REQUEST_INVALID', `the report of ${which.month} has no credits to claim`)
    const person = account.email
    const isAgain = replies.some(
      (one) => one.reply === said && one.person === person && (one.note ?? '') === note,
    )
    if (!isAgain) {
      const detail = { statement: issued.statement, reply: said, ...(note !== '' && { note }) }
      const { contract } = which
      await office.record({ contract, event: 'finding-acknowledged', by: { party, person }, detail })
    }
    return reply.redirect(reportHref(which.contract, which.month, which.unit), 303)
  })
}

function whichOf(contract: string, month: string, query: unknown): Which {
  const { unit } = parsed(reportQuery, query)
  return { contract, month: parsed(monthName, month), ...(unit !== undefined && { unit }) }
}
