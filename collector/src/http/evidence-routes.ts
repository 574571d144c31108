import { BevisError } from '@bevis/shared/error'
import { envelopeSchema } from '@bevis/shared/evidence/envelope'
import { count, slug } from '@bevis/shared/format'
import {
  agentHeadSchema,
  BATCH_LIMIT_ENVELOPES,
  enrolRequestSchema,
  enrolResponseSchema,
  evidenceResponseSchema,
  problemSchema,
} from '@bevis/shared/wire'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Receive } from '../receive.ts'
import { findAgent } from '../store/read/agents.ts'
import { findHead } from '../store/read/statements.ts'
import type { Store } from '../store/store.ts'
import { keyOfAgent } from './signed-request.ts'
import type { Metrics } from './metrics.ts'
import type { Readiness } from './readiness.ts'

/** As the wire has it, but each envelope is judged by itself: one that is malformed does not refuse the others. */
const evidenceBody = z.strictObject({
  from: count,
  envelopes: z
    .array(z.unknown().meta(z.toJSONSchema(envelopeSchema, { io: 'input' })))
    .max(BATCH_LIMIT_ENVELOPES),
})

/** Where agents enrol, deliver, and ask how far they came. */
export function evidenceRoutes(parts: {
  receive: Receive
  store: Store
  metrics: Metrics
  readiness: Readiness
  origin: string
  now: () => Date
}): FastifyPluginAsyncZod {
  const { receive, store, metrics, readiness, origin, now } = parts
  // oxlint-disable-next-line require-await -- a Fastify plugin is asynchronous
  return async (app) => {
    app.post(
      '/v1/enrol',
      {
        config: { rateLimit: { max: 60, timeWindow: 60_000 } },
        schema: {
          summary: 'Enrol an agent with an invitation',
          body: enrolRequestSchema,
          response: { 200: enrolResponseSchema, '4xx': problemSchema, '5xx': problemSchema },
        },
      },
      (request) => receive.enrol(request.body),
    )

    app.post(
      '/v1/evidence',
      {
        schema: {
          summary: 'Deliver signed evidence; the answer proves its place in the log',
          body: evidenceBody,
          response: { 200: evidenceResponseSchema, '4xx': problemSchema, '5xx': problemSchema },
        },
      },
      async (request) => {
        const response = await receive.evidence(request.body)
        if (response.answers.some(({ outcome }) => outcome !== 'refused')) readiness.succeeded()
        for (const answer of response.answers) {
          metrics.countStatement(answer.outcome === 'refused' ? answer.code : answer.outcome)
        }
        return response
      },
    )

    app.get(
      '/v1/agents/:id/head',
      {
        schema: {
          summary: 'How far an agent’s chain is in the log',
          params: z.object({ id: slug }),
          response: { 200: agentHeadSchema, '4xx': problemSchema },
        },
      },
      async ({ params, method, headers }) => {
        const agent = await findAgent(store.db, { all: true }, params.id)
        if (agent === undefined) throw new BevisError('NOT_FOUND', `no agent ${params.id} has enrolled here`)
        const head = await findHead(store.db, agent.tenant, agent.id)
        // What it says is shown to nobody but the agent itself, whose request is signed.
        const path = `/v1/agents/${params.id}/head`
        const isOwn =
          headers['signature-input'] !== undefined &&
          (await keyOfAgent({ store, origin, now: now() }, agent.id, { method, path, headers }).then(
            () => true,
            () => false,
          ))
        return {
          agent: agent.id,
          epoch: head?.epoch ?? agent.epoch,
          seq: head?.seq ?? 0,
          pae: head?.pae_digest ?? null,
          ...(head !== undefined && {
            statedAt: head.stated_at,
            ...(isOwn && { envelope: envelopeSchema.parse(JSON.parse(head.envelope)) }),
          }),
        }
      },
    )
  }
}
