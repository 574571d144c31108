import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { hashPassword, verifyPassword } from '../account/password.ts'
import type { Pages, PagesContext } from '../http/context.ts'
import { paperOptions } from '../commands/paper.ts'
import { readLedger } from '../report/facts.ts'
import { formatLedger } from '../report/ledger-table.ts'
import {
  issueServiceReport,
  readServiceReport,
  serviceRecordPdf,
  serviceReportPdf,
} from '../report/service/issue.ts'
import { copiesFolder } from '../report/service/copies.ts'
import { issuedMonths } from '../report/service/issued.ts'
import { tellServiceReport } from '../report/service/tell.ts'
import { claimOf } from '../report/service/tell-deviations.ts'
import { askForTest } from '../request/ask.ts'
import { registerAssets } from './assets.ts'
import type { Locale } from './language/locale.ts'
import { accountOf, scopeOf } from './reader.ts'
import { createRender } from './render.ts'
import { registerRoutes } from './routes.ts'
import { registerSessions } from './session.ts'
import { registerSignIn } from './sign-in-routes.ts'
import { voiceOf } from './voice.ts'
import { problemView } from './view/problem.ts'
import type { Problem } from './view/problem.ts'

/** Registers all pages. `app` is a plugin's scope of its own: what is registered here concerns no other route. */
export async function registerPages(app: FastifyInstance, context: PagesContext): Promise<Pages> {
  const { config, store, log, compliance, office, stamps, now } = context
  const secure = config.publicUrl.startsWith('https:')
  const render = createRender(now)

  await registerSessions(app, { store, now, secure })
  registerAssets(app)
  const decoyHash = await hashPassword(randomUUID())
  const copies = copiesFolder(config.checkpointFile)
  const factsOf = (contract: string) => compliance.facts(contract)
  registerSignIn(app, { store, now, render, secure, verifyPassword, decoyHash })
  registerRoutes(app, {
    store,
    log,
    compliance,
    office,
    askForTest,
    now,
    render,
    reports: {
      async read(scope, which, language) {
        const read = await readServiceReport(
          { store, scope, factsOf, voice: voiceOf, copies, now },
          which,
          language,
        )
        return { ...read, paper: tellServiceReport(read.telling), claim: claimOf(read.telling) }
      },
      pdf: async (scope, which, language) => {
        const { seal } = await paperOptions(config, language)
        return serviceReportPdf({ store, scope, factsOf, voice: voiceOf, copies, seal, now }, which, language)
      },
      record: async (scope, which, language) => {
        const { seal } = await paperOptions(config, language)
        return serviceRecordPdf({ store, scope, factsOf, voice: voiceOf, copies, seal, now }, which, language)
      },
      async issue(scope, which, person) {
        const { seal } = await paperOptions(config, 'da')
        await issueServiceReport(
          { store, scope, factsOf, voice: voiceOf, copies, seal, office, now },
          which,
          person,
        )
      },
      issued: (contract) => issuedMonths(store, contract),
      ledger: (scope, contract, months) => readLedger({ store, scope, factsOf }, contract, months, now()),
      ledgerCsv: formatLedger,
    },
    writePack: async ({ scope, contract, from, to, clauses, language }, out) => {
      // Loaded when a pack is made: the libraries for PDFs and certificates take 40 MB.
      const { evidencePapers } = await import('../report/evidence/report.ts')
      const { readPage } = await import('@bevis/shared/verify/page-command')
      const { writePack } = await import('../report/pack.ts')
      const [papers, page] = [evidencePapers(await paperOptions(config, language)), await readPage()]
      const head = (await stamps?.stamper.stampHead())?.head ?? (await log.head())
      const { vkey, successions } = log
      const stamped = { vkey, successions, head: () => Promise.resolve(head) }
      const wish = { scope, contractId: contract, from, to, clauses, now: now(), page, papers, out }
      return writePack({ store, log: stamped, tsaChain: stamps?.tsaChain, ...wish })
    },
  })

  return {
    async authorize(request) {
      const account = await accountOf(store.db, request)
      return account === null ? null : scopeOf(account)
    },
    async renderProblem(request, reply, { code, status, detail = '' }) {
      const problem = kindOf(code, status, detail)
      const account = await accountOf(store.db, request)
      const kind = {
        title: ({ t }: Locale) => t(`problem.${problem}`),
        ...(account === null ? {} : { account }),
      }
      return render(request, reply, kind, (locale) =>
        problemView(problem, status >= 500 ? request.id : null, problem === 'invalid' ? detail : '', locale),
      )
    },
  }
}

function kindOf(code: string, status: number, detail: string): Problem {
  if (code === 'NOT_FOUND') return 'notFound'
  if (code === 'TOO_MANY_REQUESTS') return 'limited'
  // a form whose token is missing, or of another session: see `checkToken`
  if (code === 'FORBIDDEN' && /csrf/i.test(detail)) return 'expired'
  if (code === 'UNAUTHORIZED' || code === 'FORBIDDEN') return 'forbidden'
  return status >= 500 ? 'failed' : 'invalid'
}
