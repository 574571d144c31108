import { slug } from '@bevis/shared/format'
import { problemSchema } from '@bevis/shared/wire'
import { workSchema } from '@bevis/shared/work'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { workOf } from '../request/work.ts'
import { authenticateAgent } from './signed-request.ts'
import type { Store } from '../store/store.ts'

/** Where an agent asks what is wanted of it; it proves with its key that it is the one. */
export function workRoutes(parts: { store: Store; origin: string; now: () => Date }): FastifyPluginAsyncZod {
  const { store, origin, now } = parts

  // oxlint-disable-next-line require-await -- a Fastify plugin is asynchronous
  return async (app) => {
    app.get(
      '/v1/agents/:id/work',
      {
        schema: {
          summary: 'What is asked of an agent: its contracts’ terms, seeds for its tests, requested tests',
          description:
            'Signed by the agent’s key with HTTP Message Signatures (RFC 9421): Ed25519 over @method and @path, ' +
            'with created, keyid, alg and tag, the tag being "bevis-agent " and the log’s origin.',
          params: z.object({ id: slug }),
          response: { 200: workSchema, '4xx': problemSchema },
        },
      },
      async (request, reply) => {
        const { id } = request.params
        const path = `/v1/agents/${id}/work`
        const agent = await authenticateAgent({ store, origin, now: now() }, id, {
          ...{ method: request.method, path, headers: request.headers },
        })
        void reply.header('cache-control', 'no-store')
        return workOf(store, agent, now())
      },
    )
  }
}
