import { count, slug } from '@bevis/shared/format'
import { formatConsistency, parseConsistency } from '@bevis/shared/log/consistency'
import { problemSchema } from '@bevis/shared/wire'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { headOfTheHour, takeAgentCosignature } from '../log/cosignatures.ts'
import type { Log } from '../log/log.ts'
import type { Store } from '../store/store.ts'

/** As large as the consistency proof's own limit. */
const BODY_LIMIT = 131_072

/**
 * Agents as witnesses of the log. No agent listens, so the protocol of C2SP tlog-witness is turned around: the agent
 * fetches what a log would send to a witness, and brings back what a witness would answer, in the same format.
 */
export function cosignRoutes(parts: { log: Log; store: Store; now: () => Date }): FastifyPluginAsyncZod {
  const { log, store, now } = parts
  // oxlint-disable-next-line require-await -- a Fastify plugin is asynchronous
  return async (app) => {
    app.addContentTypeParser(
      'text/plain',
      { parseAs: 'string', bodyLimit: BODY_LIMIT },
      (_request, body, done) => done(null, body),
    )

    app.get(
      '/v1/agents/:id/cosign',
      {
        schema: {
          summary: 'The head that all agents are asked to cosign in this hour, with its consistency proof',
          description:
            'The body of add-checkpoint (C2SP tlog-witness) from the size that the agent verified last; 204 when it has seen a newer head than that.',
          params: z.object({ id: slug }),
          querystring: z.object({ from: z.coerce.number().pipe(count) }),
          response: { 200: z.string(), 204: z.null(), '4xx': problemSchema, '5xx': problemSchema },
        },
      },
      async ({ query: { from } }, reply) => {
        if (log.trouble !== null) throw log.trouble
        const head = await headOfTheHour(store.db, log, now())
        void reply.header('cache-control', 'no-store')
        if (head === null || from > head.size) return reply.code(204).send(null)
        const hashes = (await log.consistency(from, head)).map((hash) => Uint8Array.fromBase64(hash))
        return reply
          .type('text/plain; charset=utf-8')
          .serializer((text: string) => text)
          .send(formatConsistency({ from, hashes, checkpoint: head.note }))
      },
    )

    app.post(
      '/v1/agents/:id/cosign',
      {
        schema: {
          summary: 'An agent’s cosignature of a head that it verified',
          description:
            'The body of add-checkpoint (C2SP tlog-witness), the checkpoint with the agent’s cosignature.',
          consumes: ['text/plain'],
          params: z.object({ id: slug }),
          body: z.string().max(BODY_LIMIT),
          response: { 204: z.null(), '4xx': problemSchema, '5xx': problemSchema },
        },
      },
      async ({ params: { id }, body }, reply) => {
        const { checkpoint } = parseConsistency(body)
        if (log.trouble !== null) throw log.trouble
        await takeAgentCosignature(store, { agent: id, note: checkpoint, log }, now())
        return reply.code(204).send(null)
      },
    )
  }
}
