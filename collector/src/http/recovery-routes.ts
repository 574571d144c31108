import { slug } from '@bevis/shared/format'
import { problemSchema, replayRequestSchema, replayResponseSchema } from '@bevis/shared/wire'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Recover } from '../recover.ts'

/** Where agents bring back what a log has lost, while nothing else is taken. */
export function recoveryRoutes(recover: Recover): FastifyPluginAsyncZod {
  // oxlint-disable-next-line require-await -- a Fastify plugin is asynchronous
  return async (app) => {
    app.post(
      '/v1/agents/:id/replay',
      {
        schema: {
          summary: 'Statements that the log has lost, with the receipts that it gave for them',
          description:
            'Taken only while the database is older than the last signed head. When every leaf is there again and gives the signed root, the log goes on.',
          params: z.object({ id: slug }),
          body: replayRequestSchema,
          response: { 200: replayResponseSchema, '4xx': problemSchema, '5xx': problemSchema },
        },
      },
      ({ body }) => recover.replay(body.statements),
    )
  }
}
