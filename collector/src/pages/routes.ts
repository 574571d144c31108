import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Writable } from 'node:stream'
import { BevisError } from '@bevis/shared/error'
import { CLAUSE_IDS } from '@bevis/shared/evidence/clause'
import type { ClauseId } from '@bevis/shared/evidence/clause'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Compliance } from '../compliance/compliance.ts'
import type { Office } from '../office.ts'
import type { Scope, Store } from '../store/store.ts'
import { loadAgent, loadAgents } from './load/agent.ts'
import { DEFAULT_ZONE } from './language/locale.ts'
import type { Language } from './language/locale.ts'
import { contractOf, loadContract } from './load/contract.ts'
import { endOfDay, startOfDay } from './load/day.ts'
import { loadEvidence, loadEvidenceList, loadLog, statementOf } from './load/evidence.ts'
import type { LogReader } from './load/evidence.ts'
import { loadObligation, loadPeriod } from './load/obligation.ts'
import { loadOverview } from './load/overview.ts'
import { localeOfRequest } from './render.ts'
import type { Render } from './render.ts'
import { registerReportRoutes } from './report-routes.ts'
import type { ReportParts } from './report-routes.ts'
import { checkToken } from './session.ts'
import { registerTermsRoutes } from './terms-routes.ts'
import type { TermsParts } from './terms-routes.ts'
import { agentListView, agentView } from './view/agent.ts'
import { contractView } from './view/contract.ts'
import { evidenceListView, evidenceView } from './view/evidence.ts'
import { kindOf } from './view/evidence-row.ts'
import { logView } from './view/log.ts'
import { obligationView, periodView } from './view/obligation.ts'
import { overviewView } from './view/overview.ts'
import { openVisits, paramOf, parsed } from './visit.ts'

export interface RouteParts {
  store: Store
  log: LogReader
  compliance: Pick<Compliance, 'answer' | 'facts'>
  office: Office
  askForTest: TermsParts['askForTest']
  now: () => Date
  render: Render
  reports: ReportParts['reports']
  writePack: (wish: PackWish, out: Writable) => Promise<unknown>
}

export interface PackWish {
  scope: Scope
  contract: string
  /** Statements dated in [from, to). */
  from: Date
  to: Date
  /** Marked in it. */
  clauses?: readonly ClauseId[] | undefined
  /** Of the report for people. */
  language: Language
}

const localDate = z.iso.date()
const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/)
const overviewQuery = z.object({ all: z.literal('yes').optional() })
const contractQuery = z.object({ known: localDate.optional(), until: month.optional() })
const periodQuery = z.object({
  known: localDate.optional(),
  period: z
    .string()
    .regex(/^\d{4}(-(0[1-9]|1[0-2])(-\d\d)?)?$/)
    .refine((text) => text.length < 10 || localDate.safeParse(text).success)
    .optional(),
})
const evidenceQuery = z.object({
  kind: z.string().max(64).optional(),
  agent: z.string().max(128).optional(),
  before: z.coerce.number().int().min(0).optional(),
})
/** A field that is ticked once comes as a text, and ticked more often as a list. */
const packForm = z.object({
  from: localDate,
  to: localDate,
  clauses: z
    .preprocess(
      (ticked) => (typeof ticked === 'string' ? [ticked] : ticked),
      z.array(z.enum(CLAUSE_IDS)).max(CLAUSE_IDS.length),
    )
    .optional(),
})

/** The pages that need a sign-in. */
export function registerRoutes(scope: FastifyInstance, parts: RouteParts): void {
  const { store, log, compliance, office, now, render, reports, writePack, askForTest } = parts

  const { visit, page } = openVisits(scope, { store, compliance, now })

  page('/', async (request, reply, { account, source }) => {
    const { all } = parsed(overviewQuery, request.query)
    const model = await loadOverview(source, all === undefined ? undefined : Number.POSITIVE_INFINITY)
    return render(
      request,
      reply,
      { title: ({ t }) => t('overview.title'), section: 'overview', account },
      (locale) => overviewView(model, locale),
    )
  })

  page('/contracts/:id', async (request, reply, { account, source }) => {
    const { known, until } = parsed(contractQuery, request.query)
    const wish = { id: paramOf(request, 'id'), knownOn: known ?? null, until: until ?? null }
    const { zone, ...model } = await loadContract(source, wish)
    const csrf = reply.generateCsrf()
    return render(request, reply, { title: model.customer, section: 'overview', account, zone }, (locale) =>
      contractView({ ...model, csrf }, locale),
    )
  })

  registerTermsRoutes(scope, { store, office, askForTest, now, render, visit, page })
  registerReportRoutes(scope, { reports, office, render, visit, page })

  page('/contracts/:id/sets/:set/:tier', async (request, reply, { account, source }) => {
    const { known, period = source.now.toISOString().slice(0, 4) } = parsed(periodQuery, request.query)
    const { model, zone } = await loadPeriod(source, { ...tierWish(request, known), period })
    return render(
      request,
      reply,
      { title: `${model.customer} ${period}`, section: 'overview', account, zone },
      (locale) => periodView(model, locale),
    )
  })

  page('/contracts/:id/sets/:set/:tier/:bucket', async (request, reply, { account, source }) => {
    const { known } = parsed(contractQuery, request.query)
    const bucket = paramOf(request, 'bucket')
    const { model, zone } = await loadObligation(source, { ...tierWish(request, known), bucket })
    return render(
      request,
      reply,
      { title: `${model.customer} ${bucket}`, section: 'overview', account, zone },
      (locale) => obligationView(model, locale),
    )
  })

  page('/agents', async (request, reply, { account, source }) => {
    const agents = await loadAgents(source)
    return render(
      request,
      reply,
      { title: ({ t }) => t('agent.title'), section: 'agents', account },
      (locale) => agentListView(agents, source.now, locale),
    )
  })

  page('/agents/:id', async (request, reply, { account, source }) => {
    const model = await loadAgent(source, paramOf(request, 'id'))
    return render(request, reply, { title: model.id, section: 'agents', account }, (locale) =>
      agentView(model, locale),
    )
  })

  page('/evidence', async (request, reply, { account, source }) => {
    const { kind, agent, before } = parsed(evidenceQuery, request.query)
    const model = await loadEvidenceList(source, {
      ...(kind === undefined ? {} : { kind }),
      ...(agent === undefined ? {} : { agent }),
      ...(before === undefined ? {} : { before }),
    })
    return render(
      request,
      reply,
      { title: ({ t }) => t('evidence.title'), section: 'evidence', account },
      (locale) => evidenceListView(model, locale),
    )
  })

  page('/evidence/:digest', async (request, reply, { account, source }) => {
    const model = await loadEvidence(source, log, paramOf(request, 'digest'))
    return render(
      request,
      reply,
      { title: (locale) => kindOf(model.row.kind, locale), section: 'evidence', account },
      (locale) => evidenceView(model, locale),
    )
  })

  page('/evidence/:digest/envelope.json', async (request, reply, { source }) => {
    const row = await statementOf(source, paramOf(request, 'digest'))
    return attach(reply, 'application/json', `${row.pae_digest}.dsse.json`).send(row.envelope)
  })

  page('/evidence/:digest/proof.tlog-proof', async (request, reply, { source }) => {
    const row = await statementOf(source, paramOf(request, 'digest'))
    const proof = await log.proof(row.leaf_index, await log.head())
    return attach(reply, 'text/plain; charset=utf-8', `${row.pae_digest}.tlog-proof`).send(proof)
  })

  page('/log', async (request, reply, { account, source }) => {
    const model = await loadLog(source, log)
    return render(request, reply, { title: ({ t }) => t('log.title'), section: 'log', account }, (locale) =>
      logView(model, locale),
    )
  })

  scope.post('/contracts/:id/pack', { preHandler: checkToken }, async (request, reply) => {
    const visitor = await visit(request, reply)
    if (visitor === null) return reply
    const { from, to, clauses } = parsed(packForm, request.body)
    const contract = paramOf(request, 'id')
    const { source } = visitor
    const zone = (await contractOf(source, contract)).text?.timezone ?? DEFAULT_ZONE
    const period = { from: startOfDay(from, zone), to: endOfDay(to, zone) }
    const out = new PassThrough()
    const { language } = localeOfRequest(request)
    const written = writePack({ scope: source.scope, contract, ...period, clauses, language }, out)
    written.catch((error: unknown) =>
      out.destroy(error instanceof Error ? error : new Error('the pack was cut short')),
    )
    // what fails before the first byte is told by a page
    await Promise.race([once(out, 'readable'), written])
    return attach(reply, 'application/zip', `${contract}_${from}_${to}.zip`).send(out)
  })

  // the last resort of a person who is signed in: a page with the way back
  scope.get('/*', (request) => {
    throw new BevisError('NOT_FOUND', `there is nothing at ${request.url}`)
  })
}

function tierWish(request: FastifyRequest, known: string | undefined) {
  return {
    contract: paramOf(request, 'id'),
    set: paramOf(request, 'set'),
    tier: paramOf(request, 'tier'),
    knownOn: known ?? null,
  }
}

/** File names are made of what `slug`, a digest or a date allows: nothing in them needs quoting. */
function attach(reply: FastifyReply, type: string, fileName: string): FastifyReply {
  return reply
    .type(type)
    .header('cache-control', 'private, no-store')
    .header('content-disposition', `attachment; filename="${fileName}"`)
}
