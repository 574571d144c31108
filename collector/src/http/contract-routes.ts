import { BevisError } from '@bevis/shared/error'
import { instant, slug } from '@bevis/shared/format'
import { problemSchema } from '@bevis/shared/wire'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Compliance } from '../compliance/compliance.ts'
import { findContract } from '../store/read/contracts.ts'
import type { Scope, Store } from '../store/store.ts'

const params = z.object({ id: slug })
const when = z.object({ at: instant.optional(), knownAt: instant.optional() })
const verdict = z.enum(['compliant', 'at-risk', 'breached', 'unknown', 'not-applicable'])

const setStatus = z.object({
  id: z.string(),
  headline: verdict,
  dimensions: z.record(z.string(), verdict),
  counts: z.record(z.string(), z.number()),
  rate: z.number().nullable(),
  nextDeadline: z.string().optional(),
})
const statusSchema = z.object({
  contract: z.string(),
  version: z.number().nullable(),
  at: z.string(),
  knownAt: z.string().nullable(),
  headline: verdict,
  sets: z.array(setStatus),
  findings: z.array(
    z.object({
      code: z.string(),
      set: z.string(),
      at: z.string(),
      detail: z.record(z.string(), z.unknown()),
      evidence: z.array(z.string()),
    }),
  ),
})
const obligationsSchema = z.object({
  contract: z.string(),
  at: z.string(),
  knownAt: z.string().nullable(),
  obligations: z.array(
    z.object({
      set: z.string(),
      tier: z.string(),
      bucket: z.string(),
      from: z.string(),
      to: z.string(),
      due: z.string(),
      keepUntil: z.string().nullable(),
      state: z.string(),
      witness: z.string().optional(),
      since: z.string().optional(),
    }),
  ),
})

/** How contracts stand, for programs of those who are signed in. */
export function contractRoutes(parts: {
  store: Store
  compliance: Compliance
  authorize: (request: FastifyRequest) => Promise<Scope | null>
}): FastifyPluginAsyncZod {
  const { store, compliance, authorize } = parts

  async function assertVisible(request: FastifyRequest, id: string): Promise<void> {
    const scope = await authorize(request)
    if (scope === null) throw new BevisError('UNAUTHORIZED', 'sign in first')
    if ((await findContract(store.db, scope, id)) === undefined) {
      throw new BevisError('NOT_FOUND', `there is no contract ${id} that this account may see`)
    }
  }

  // oxlint-disable-next-line require-await -- a Fastify plugin is asynchronous
  return async (app) => {
    app.get(
      '/v1/contracts/:id/status',
      {
        schema: {
          summary: 'The verdict on a contract, as of an instant, as known by another',
          params,
          querystring: when,
          response: { 200: statusSchema, '4xx': problemSchema },
        },
      },
      async (request) => {
        await assertVisible(request, request.params.id)
        return compliance.answer(request.params.id, request.query)
      },
    )

    app.get(
      '/v1/contracts/:id/obligations',
      {
        schema: {
          summary: 'Every recovery point that a contract owes or owed, with its state',
          params,
          querystring: when,
          response: { 200: obligationsSchema, '4xx': problemSchema },
        },
      },
      async (request) => {
        await assertVisible(request, request.params.id)
        const { contract, at, knownAt, sets } = await compliance.answer(request.params.id, request.query)
        const obligations = sets.flatMap(({ id, obligations: list }) =>
          list.map((one) => ({ set: id, ...one })),
        )
        return { contract, at, knownAt, obligations }
      },
    )
  }
}
