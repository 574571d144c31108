/** A contract's own pages beside its verdict: what is promised, restores asked for, what if, the yearly review. */
import { BevisError } from '@bevis/shared/error'
import { hex64 } from '@bevis/shared/format'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Office } from '../office.ts'
import type { askForTest } from '../request/ask.ts'
import type { Store } from '../store/store.ts'
import { contractOf } from './load/contract.ts'
import { loadPromises, loadRequests, loadReview, loadWhatIf } from './load/terms.ts'
import { partyOf } from './reader.ts'
import type { Account } from './reader.ts'
import type { Render } from './render.ts'
import { checkToken } from './session.ts'
import { contractTabHref } from './view/contract-tabs.ts'
import { promisesView } from './view/promises.ts'
import { requestsView } from './view/requests.ts'
import type { Refusal } from './view/requests.ts'
import { reviewView } from './view/review.ts'
import { whatIfView } from './view/what-if.ts'
import { paramOf, parsed } from './visit.ts'
import type { Visits } from './visit.ts'

export interface TermsParts extends Visits {
  store: Store
  office: Office
  askForTest: typeof askForTest
  now: () => Date
  render: Render
}

/** Tiers' numbers by `keep:<set>:<tier>`; a form of a large contract has a few hundred. */
const whatIfQuery = z.object({ policy: z.string().max(1000).default('') }).catchall(z.unknown())
const keepNumber = z.coerce.number().int().min(1).max(100_000)
const acceptForm = z.object({
  version: z.coerce.number().int().min(1),
  sha256: hex64,
  read: z.literal('yes'),
})
const requestForm = z.object({
  set: z.string().min(1).max(128),
  path: z.string().min(1).max(4096),
  snapshot: z
    .string()
    .max(128)
    .transform((text) => (text.trim() === '' ? undefined : text.trim()))
    .optional(),
})

/** Readers and auditors look; to make an agent work takes somebody who administers or operates. */
function mayAsk({ role }: Pick<Account, 'role'>): boolean {
  return role === 'provider-admin' || role === 'provider-operator' || role === 'customer-admin'
}

/** Why a request cannot be; null: it was kept. */
async function refusalOf(work: () => Promise<unknown>): Promise<Refusal | null> {
  try {
    await work()
    return null
  } catch (error) {
    if (!(error instanceof BevisError)) throw error
    if (error.code === 'NOT_FOUND') return 'notBackedUp'
    if (error.code === 'TOO_MANY_REQUESTS') return 'tooMany'
    if (error.code === 'REQUEST_INVALID') return 'notAPath'
    throw error
  }
}

export function registerTermsRoutes(scope: FastifyInstance, parts: TermsParts): void {
  const { store, office, now, render, visit, page, askForTest: ask } = parts

  page('/contracts/:id/promises', async (request, reply, { account, source }) => {
    const model = await loadPromises(source, paramOf(request, 'id'), partyOf(account))
    const csrf = reply.generateCsrf()
    const { timezone: zone } = model.contract
    return render(
      request,
      reply,
      { title: ({ t }) => t('promises.title'), section: 'overview', account, zone },
      (locale) => promisesView({ ...model, csrf }, locale),
    )
  })

  scope.post('/contracts/:id/promises', { preHandler: checkToken }, async (request, reply) => {
    const visitor = await visit(request, reply)
    if (visitor === null) return reply
    const { account, source } = visitor
    const contract = paramOf(request, 'id')
    const party = partyOf(account)
    if (party === null) throw new BevisError('FORBIDDEN', `${account.email} binds neither party`)
    await contractOf(source, contract) // that the account may see it
    const { version, sha256 } = parsed(acceptForm, request.body)
    const by = { party, person: account.email }
    await office.record({ contract, event: 'version-accepted', version, by, detail: { sha256 } })
    return reply.redirect(contractTabHref(contract, 'promises'), 303)
  })

  page('/contracts/:id/requests', async (request, reply, { account, source }) => {
    const model = await loadRequests(source, paramOf(request, 'id'))
    const csrf = reply.generateCsrf()
    return render(
      request,
      reply,
      { title: ({ t }) => t('requests.title'), section: 'overview', account },
      (locale) => requestsView({ ...model, csrf, mayAsk: mayAsk(account) }, locale),
    )
  })

  scope.post('/contracts/:id/requests', { preHandler: checkToken }, async (request, reply) => {
    const visitor = await visit(request, reply)
    if (visitor === null) return reply
    const { account, source } = visitor
    if (!mayAsk(account)) throw new BevisError('FORBIDDEN', `${account.email} may not ask for restores`)
    const contract = paramOf(request, 'id')
    const order = { contract, ...parsed(requestForm, request.body), by: account.email }
    await contractOf(source, contract) // that the account may see it
    const problem = await refusalOf(() => ask(store, source.scope, order, now()))
    if (problem === null) return reply.redirect(contractTabHref(contract, 'requests'), 303)
    // What was typed stays, beside what is wrong with it.
    const model = await loadRequests(source, contract)
    const csrf = reply.generateCsrf()
    void reply.code(400)
    return render(
      request,
      reply,
      { title: ({ t }) => t('requests.title'), section: 'overview', account },
      (locale) => requestsView({ ...model, csrf, mayAsk: true, refused: { problem, ...order } }, locale),
    )
  })

  page('/contracts/:id/what-if', async (request, reply, { account, source }) => {
    const { policy, ...rest } = parsed(whatIfQuery, request.query)
    const keep = new Map(
      Object.entries(rest)
        .filter(([name]) => name.startsWith('keep:'))
        .map(([name, value]) => [name, parsed(keepNumber, value)] as const),
    )
    const model = await loadWhatIf(source, { id: paramOf(request, 'id'), policy, keep })
    return render(
      request,
      reply,
      { title: ({ t }) => t('whatIf.title'), section: 'overview', account, zone: model.zone },
      (locale) => whatIfView(model, locale),
    )
  })

  page('/contracts/:id/review', async (request, reply, { account, source }) => {
    const { zone, ...model } = await loadReview(source, paramOf(request, 'id'))
    return render(
      request,
      reply,
      { title: ({ t }) => t('review.title'), section: 'overview', account, zone },
      (locale) => reviewView(model, locale),
    )
  })
}
