import type { Answer } from '@bevis/shared/contract/answer'
import { BevisError } from '@bevis/shared/error'
import { instant, slug } from '@bevis/shared/format'
import { problemSchema } from '@bevis/shared/wire'
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { assertNotFarAhead, YEARS_AHEAD } from '../compliance/ahead.ts'
import type { Compliance, When } from '../compliance/compliance.ts'
import { readLedger } from '../report/facts.ts'
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
  corrections: z.array(
    z.object({
      set: z.string(),
      tier: z.string(),
      bucket: z.string(),
      at: z.string(),
      was: z.string(),
      is: z.string(),
      receivedAt: z.string(),
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

const month = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'a month such as 2026-03')
const monthsSchema = z.object({ from: month.optional(), to: month.optional() })
const results = z.object({ passed: z.number(), failed: z.number(), inconclusive: z.number() })
const ledgerSchema = z.object({
  contract: z.string(),
  customer: z.string(),
  timezone: z.string(),
  from: z.string(),
  to: z.string(),
  rows: z.array(
    z.object({
      month: z.string(),
      set: z.string(),
      unit: z.string().nullable(),
      repository: z.string(),
      backups: z.object({ complete: z.number(), partial: z.number(), failed: z.number() }),
      addedBytes: z.number().nullable(),
      protectedBytes: z.number().nullable(),
      protectedFiles: z.number().nullable(),
      restoreTests: results,
      restoredFiles: z.number(),
      restoredBytes: z.number(),
      inventories: z.object({ complete: z.number(), incomplete: z.number() }),
      storedSnapshots: z.number().nullable(),
      storageBytes: z.number().nullable(),
      dataChecks: results,
      checkedBytes: z.number(),
      retentionRuns: z.number(),
      removedSnapshots: z.number(),
      deletionProbes: z.number(),
    }),
  ),
})

/** How contracts stand, for programs of those who are signed in. */
export function contractRoutes(parts: {
  store: Store
  compliance: Compliance
  authorize: (request: FastifyRequest) => Promise<Scope | null>
  now: () => Date
}): FastifyPluginAsyncZod {
  const { store, compliance, authorize, now } = parts

  async function scopeOf(request: FastifyRequest): Promise<Scope> {
    const scope = await authorize(request)
    if (scope === null) throw new BevisError('UNAUTHORIZED', 'sign in first')
    return scope
  }

  /** The answer on a contract that the reader may see. */
  async function answerFor(request: FastifyRequest, id: string, when: When): Promise<Answer> {
    const scope = await scopeOf(request)
    if ((await findContract(store.db, scope, id)) === undefined) {
      throw new BevisError('NOT_FOUND', `there is no contract ${id} that this account may see`)
    }
    assertNotFarAhead(when.at === undefined ? undefined : new Date(when.at), now(), YEARS_AHEAD.readers)
    return compliance.answer(id, when)
  }

  // oxlint-disable-next-line require-await -- a Fastify plugin is asynchronous
  return async (app) => {
    // A browser asks with its session: after the sign-out nothing of it may be left.
    app.addHook('onRequest', (_request, reply, done) => {
      void reply.header('cache-control', 'private, no-store')
      done()
    })
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
      (request) => answerFor(request, request.params.id, request.query),
    )

    app.get(
      '/v1/contracts/:id/ledger',
      {
        schema: {
          summary: 'What was done for a contract, month by month and set by set',
          params,
          querystring: monthsSchema,
          response: { 200: ledgerSchema, '4xx': problemSchema },
        },
      },
      async (request) => {
        const scope = await scopeOf(request)
        const factsOf = (contract: string) => compliance.facts(contract)
        return readLedger({ store, scope, factsOf }, request.params.id, request.query, now())
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
        const { contract, at, knownAt, sets } = await answerFor(request, request.params.id, request.query)
        const obligations = sets.flatMap(({ id, obligations: list }) =>
          list.map((one) => ({ set: id, ...one })),
        )
        return { contract, at, knownAt, obligations }
      },
    )
  }
}
