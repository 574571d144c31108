/** A contract's own pages beside its verdict: what is promised, restores asked for, what if, the yearly review. */
import { BevisError } from '@bevis/shared/error'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { askForTest } from '../request/ask.ts'
import type { Store } from '../store/store.ts'
import { loadRequests, loadReview, loadWhatIf } from './load/terms.ts'
import type { Account } from './reader.ts'
import type { Render } from './render.ts'
import { paramOf, parsed } from './routes.ts'
import type { Handler, Visit } from './routes.ts'
import { checkToken } from './session.ts'
import { contractTabHref } from './view/contract-tabs.ts'
import { requestsView } from './view/requests.ts'
import { reviewView } from './view/review.ts'
import { whatIfView } from './view/what-if.ts'

interface Parts {
  store: Store
  now: () => Date
  render: Render
  visit: (request: FastifyRequest, reply: FastifyReply) => Promise<Visit | null>
  page: (path: string, handler: Handler) => unknown
}

/** Tiers' numbers by `keep:<set>:<tier>`; a form of a large contract has a few hundred. */
const whatIfQuery = z
  .object({ policy: z.string().max(1000).default('') })
  .catchall(z.coerce.number().int().min(1).max(100_000).optional())
const requestForm = z.object({
  set: z.string().min(1).max(128),
  path: z.string().min(1).max(4096),
  snapshot: z
    .string()
    .max(64)
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
})

/** Readers and auditors look; to make an agent work takes somebody who administers or operates. */
function mayAsk({ role }: Pick<Account, 'role'>): boolean {
  return role === 'provider-admin' || role === 'provider-operator' || role === 'customer-admin'
}

export function registerTermsRoutes(scope: FastifyInstance, parts: Parts): void {
  const { store, now, render, visit, page } = parts

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
    await askForTest(store, source.scope, order, now())
    return reply.redirect(contractTabHref(contract, 'requests'), 303)
  })

  page('/contracts/:id/what-if', async (request, reply, { account, source }) => {
    const { policy, ...rest } = parsed(whatIfQuery, request.query)
    const keep = new Map(
      Object.entries(rest).flatMap(([name, value]) =>
        name.startsWith('keep:') && value !== undefined ? [[name, value] as const] : [],
      ),
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
